"""The lines of docs/python.md run as printed, and the Python face keeps what it says."""

from __future__ import annotations

import re
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from documents import python_blocks, run, write_samples
from PIL import Image

import stylize_live
from stylize_live import (
    ConvertProgress,
    DeviceError,
    Frame,
    Stylizer,
    UsageError,
    convert,
    open_source,
    paint_live,
)
from stylize_live.media.decode.reader import VideoReader

BLOCKS = python_blocks("docs/python.md")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to stand in, with the samples."""
    write_samples(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_an_image_becomes_a_painted_one(folder: Path) -> None:
    run(BLOCKS[0])
    with (
        Image.open("painted.jpg", formats=["JPEG"]) as painted,
        Image.open("samples/snow-mountain.jpg", formats=["JPEG"]) as image,
    ):
        assert painted.size == image.size


def test_arrays_and_tensors_come_back_as_they_went(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = run(BLOCKS[1])
    array, tensor = names["array"], names["tensor"]
    assert isinstance(array, np.ndarray)
    assert array.dtype == np.uint8
    assert isinstance(tensor, torch.Tensor)
    assert tensor.shape == (3, 240, 320)
    assert tensor.dtype == torch.float32
    assert 0 <= float(tensor.min()) < float(tensor.max()) <= 1
    assert capsys.readouterr().out.startswith(
        "Stylizer('harpers-june', strength=1, boldness=0.4, steadiness=0, "
    )


def test_people_are_told_from_the_background(folder: Path) -> None:
    run(BLOCKS[2])
    with Image.open("cut-out.png", formats=["PNG"]) as image:
        assert image.mode == "RGBA"


def test_a_video_is_converted(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = run(BLOCKS[3])
    with VideoReader("flower-scream.mp4") as video:
        frames = list(video)
        assert video.size == (240, 180)
    assert all(frame.pts < 1 for frame in frames)
    assert f"{len(frames)} frames," in capsys.readouterr().out
    assert "pair" not in repr(names["report"])


def test_frames_are_painted_one_by_one(folder: Path) -> None:
    run(BLOCKS[4])
    with VideoReader("short.mp4") as made, VideoReader("samples/flower.mp4") as video:
        begin = [frame.pts for frame in video if frame.pts < Fraction(1, 2)]
        assert [frame.pts for frame in made] == begin


def test_a_camera_is_painted_in_a_loop() -> None:
    painted = run(BLOCKS[5])["painted"]
    assert isinstance(painted, Frame)
    assert painted.size == (320, 180)


def test_a_sink_of_ones_own_gets_frames() -> None:
    counter = run(BLOCKS[6])["counter"]
    seen = counter.seen  # type: ignore[attr-defined]
    assert seen == sorted(set(seen))
    assert seen


def test_a_style_that_is_not_there_is_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(BLOCKS[7])
    out = capsys.readouterr().out
    assert "'starry-night'" in out
    assert "sunset.safetensors" in out


def test_no_lines_are_left_out() -> None:
    assert len(BLOCKS) == 8


@pytest.fixture(scope="module")
def paint() -> Stylizer:
    return Stylizer("starry-night", device="cpu")


def test_all_kinds_of_images_are_painted_alike(paint: Stylizer) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (48, 64, 3), np.uint8)
    wanted = paint(pixels)
    tensor = torch.from_numpy(pixels).permute(2, 0, 1)
    np.testing.assert_array_equal(np.asarray(paint(Image.fromarray(pixels))), wanted)
    np.testing.assert_array_equal(paint(tensor).permute(1, 2, 0).numpy(), wanted)
    as_floats = paint(tensor / 255)
    np.testing.assert_array_equal((as_floats * 255).round().byte().permute(1, 2, 0).numpy(), wanted)
    assert paint(tensor.double() / 255).dtype == torch.float64


@pytest.mark.parametrize(
    ("image", "told"),
    [
        (Image.new("RGBA", (8, 8)), 'image.convert("RGB")'),
        (torch.zeros(1, 3, 8, 8), "one by one"),
        (torch.zeros(3, 8, 8, dtype=torch.int64), "uint8 or floating point"),
        (np.zeros((8, 8, 3)), "uint8 or uint16"),
        ("photo.jpg", "expected a PIL image, a NumPy array, a torch tensor or a Frame, got str"),
    ],
)
def test_what_cannot_be_painted_is_told_what_to_become(paint: Stylizer, image: object, told: str) -> None:
    with pytest.raises(TypeError, match=re.escape(told)):
        paint(image)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"device": "gpu:0"}, "device: expected 'auto', 'cpu', 'cuda'"),
        ({"precision": "fp16"}, "got 'fp16'"),
        ({"runtime": "onnx"}, "got 'onnx'"),
        ({"precision": "float16", "device": "cpu"}, "use precision='bfloat16' or float32"),
    ],
)
def test_what_the_machine_cannot_do_is_refused_at_once(wrong: dict[str, str], told: str) -> None:
    with pytest.raises(DeviceError, match=re.escape(told)):
        Stylizer(**wrong)  # type: ignore[arg-type]


def test_mistakes_are_told_in_words_of_python(folder: Path, paint: Stylizer) -> None:
    video, target = "samples/flower.mp4", Path("there.mp4")
    with pytest.raises(
        TypeError, match=re.escape("convert() got an unexpected keyword argument 'boldnes'. Did")
    ):
        convert(video, target, boldnes=1)
    with pytest.raises(TypeError, match="was given a Stylizer, which has its own boldness, steadiness"):
        convert(video, target, paint, steadiness=0.5, boldness=1)
    with pytest.raises(UsageError, match="boldness: expected less than or equal to 1, got 2"):
        convert(video, target, boldness=2)
    with pytest.raises(UsageError, match=re.escape("end: 1 must come after the start, 2")):
        convert(video, target, start="2", end="1")
    with pytest.raises(
        TypeError, match=re.escape("open_source() got an unexpected keyword argument 'loops'")
    ):
        open_source("test", loops=True)
    with pytest.raises(TypeError, match=re.escape("paint_live() got")):
        paint_live("test", crossfade=1)
    target.touch()
    with pytest.raises(UsageError, match="use overwrite=True to replace it"):
        convert(video, target, paint)
    assert target.stat().st_size == 0


def test_progress_is_told_and_can_stop_it(folder: Path, paint: Stylizer) -> None:
    told: list[ConvertProgress] = []

    def stop(progress: ConvertProgress) -> None:
        told.append(progress)
        raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        convert("samples/flower.mp4", "never.mp4", paint, on_progress=stop)
    assert told
    assert not Path("never.mp4").exists()


def test_the_package_runs_as_the_program_does() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "stylize_live", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == f"stylize-live {stylize_live.__version__}"
