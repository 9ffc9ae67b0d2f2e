"""The GPU path against the CPU. Run by `make gpu-test`; unverified where there is no GPU."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import random_pixels

from stylize_live.config import ConvertSettings
from stylize_live.engine import Stylizer
from stylize_live.engine.cuda_graphs import GraphedNetwork
from stylize_live.frame import Frame
from stylize_live.media.decoders import opened_for_chip
from stylize_live.media.nv12 import from_rgb
from stylize_live.media.reader import VideoReader
from stylize_live.media.surface import Nv12Surface
from stylize_live.pipeline.convert import convert

pytestmark = pytest.mark.gpu

SAMPLE = Path(__file__).parent.parent / "samples" / "flower.mp4"

# Stated tolerances against float32 on the CPU, in levels of 255: (mean, 99.9th percentile).
TOLERANCE = {"float32": (0.1, 2.0), "float16": (0.5, 6.0), "bfloat16": (1.5, 16.0)}


@pytest.mark.parametrize("precision", list(TOLERANCE))
@pytest.mark.parametrize("size", [(640, 360), (321, 243), (5, 3)])
def test_same_picture_as_the_cpu(cuda: torch.device, precision: str, size: tuple[int, int]) -> None:
    pixels = random_pixels(*size)
    wanted = Stylizer(device="cpu", precision="float32")(pixels).astype(int)
    found = Stylizer(device="cuda", precision=precision)(pixels).astype(int)  # type: ignore[arg-type]
    difference = np.abs(found - wanted)
    mean, tail = TOLERANCE[precision]
    assert difference.mean() <= mean
    assert np.percentile(difference, 99.9) <= tail


def test_stream_equals_single_pictures(cuda: torch.device) -> None:
    """Several in flight, size changing on the way: no slot is read before it is written."""
    stylizer = Stylizer(device="cuda")
    frames = [Frame(random_pixels(64 + 32 * (i // 7 % 2), 48, i), Fraction(i), 0.0, i) for i in range(40)]
    painted = list(stylizer.stream(frames))
    assert [f.index for f in painted] == list(range(40))
    for before, after in zip(frames, painted, strict=True):
        assert (after.pixels == stylizer(before.pixels)).all()


def test_results_do_not_share_memory(cuda: torch.device) -> None:
    stylizer = Stylizer(device="cuda")
    first = stylizer(random_pixels(64, 48, 1))
    copy = first.copy()
    for seed in range(5):
        stylizer(random_pixels(64, 48, seed + 2))
    assert (first == copy).all()


def test_style_change_between_pictures(cuda: torch.device) -> None:
    stylizer = Stylizer("starry-night", device="cuda")
    pixels = random_pixels(64, 48)
    stylizer(pixels)
    stylizer.style = "great-wave"
    assert (stylizer(pixels) == Stylizer("great-wave", device="cuda")(pixels)).all()


def test_strength_zero_is_the_original(cuda: torch.device) -> None:
    pixels = random_pixels(64, 48)
    assert (Stylizer(device="cuda", strength=0)(pixels) == pixels).all()


def test_steadiness_is_the_same_as_on_the_cpu(cuda: torch.device) -> None:
    scene = np.repeat(np.repeat(random_pixels(24, 16, 3), 8, 0), 8, 1)
    rng = np.random.default_rng(0)
    shaken = [np.roll(scene, 3 * i, 1) + rng.normal(0, 4, scene.shape) for i in range(8)]
    frames = [
        Frame(np.clip(pixels, 0, 255).astype(np.uint8), Fraction(i, 30), 0.0, i)
        for i, pixels in enumerate(shaken)
    ]
    options = {"precision": "float32", "steadiness": 0.8}
    with Stylizer(device="cpu", **options) as cpu, Stylizer(device="cuda", **options) as gpu:  # type: ignore[arg-type]
        wanted, found = list(cpu.stream(frames)), list(gpu.stream(frames))
        for a, b in zip(wanted, found, strict=True):
            difference = np.abs(a.pixels.astype(int) - b.pixels)
            assert difference.mean() < 0.6
            assert np.percentile(difference, 99.9) <= 8
        state = gpu.save_state()
        once = gpu(frames[1]).pixels
        gpu.restore_state(state)
        assert (gpu(frames[1]).pixels == once).all()


def test_timeline_with_several_pictures_under_way(cuda: torch.device) -> None:
    """Weights change in place on the stream: each picture is painted with its own."""
    style = "0:starry-night,10:great-wave,30:the-scream"
    frames = [Frame(random_pixels(64, 48, i), Fraction(i), 0.0, i) for i in range(40)]
    found = list(Stylizer(style, crossfade=8, device="cuda", precision="float32").stream(frames))
    wanted = Stylizer(style, crossfade=8, device="cpu", precision="float32")
    for before, after in zip(frames, found, strict=True):
        difference = np.abs(after.pixels.astype(int) - wanted(before).pixels)
        assert difference.mean() <= TOLERANCE["float32"][0]


@pytest.mark.parametrize("steadiness", [0.0, 0.8])
def test_nothing_waits_for_the_device_while_pictures_are_queued(
    cuda: torch.device, steadiness: float
) -> None:
    frames = [Frame(random_pixels(640, 360, i), Fraction(i, 30), 0.0, i) for i in range(6)]
    with Stylizer(device="cuda", steadiness=steadiness) as stylizer:
        list(stylizer.stream(frames))  # graphs are recorded
        torch.cuda.set_sync_debug_mode("error")
        try:
            assert len(list(stylizer.stream(frames))) == len(frames)
        finally:
            torch.cuda.set_sync_debug_mode("default")


def test_graphs_paint_what_kernels_one_by_one_paint(
    cuda: torch.device, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    sizes = [(64, 48), (96, 48), (64, 48), (33, 17), (64, 80), (80, 80), (96, 96), (64, 48)]
    pictures = [random_pixels(*size, seed) for seed, size in enumerate(sizes)]
    with Stylizer(device="cuda", precision="float32") as stylizer:
        found = [stylizer(pixels) for pixels in pictures]
    assert not caplog.records  # none of them had to do without
    monkeypatch.setattr(GraphedNetwork, "_record", lambda self, picture: None)
    with Stylizer(device="cuda", precision="float32") as stylizer:
        for pixels, graphed in zip(pictures, found, strict=True):
            assert np.abs(stylizer(pixels).astype(int) - graphed).max() <= 1


def test_surfaces_stay_and_are_painted_as_pixels_are(cuda: torch.device) -> None:
    """Mixed with pixels, several in flight."""
    frames = []
    for i in range(12):
        levels = torch.from_numpy(random_pixels(64, 48, i)).permute(2, 0, 1)[None].float().to(cuda)
        frames.append(Frame(Nv12Surface(*from_rgb(levels)), Fraction(i), 0.0, i))
    mixed = [Frame(f.pixels, f.pts, 0.0, f.index) if f.index % 3 == 0 else f for f in frames]
    with Stylizer(device="cuda", precision="float32", steadiness=0.8) as stylizer:
        painted = list(stylizer.stream(mixed))
        stylizer.reset()
        wanted = list(stylizer.stream(Frame(f.pixels, f.pts, 0.0, f.index) for f in frames))
    for before, found, plain in zip(mixed, painted, wanted, strict=True):
        assert isinstance(found.picture, Nv12Surface) == isinstance(before.picture, Nv12Surface)
        if isinstance(found.picture, Nv12Surface):
            assert found.picture.luma.is_cuda
            levels = torch.from_numpy(plain.pixels).permute(2, 0, 1)[None].float()
            luma = from_rgb(levels)[0].float()
            assert (found.picture.luma.cpu().float() - luma).abs().mean() < 1.5


@pytest.mark.parametrize("steadiness", [0.0, 0.8])
def test_a_film_that_never_leaves_the_gpu(cuda: torch.device, tmp_path: Path, steadiness: float) -> None:
    film = opened_for_chip(f"file:{SAMPLE}", stay=True)
    if film is None:
        pytest.skip("no chip decodes here")
    film.close()
    settings = ConvertSettings(decoder="hardware", encoder="hardware", end="1")
    with VideoReader(SAMPLE, settings, stay=True) as reader:
        assert reader.stays
    target = tmp_path / "painted.mp4"
    with Stylizer(device="cuda", steadiness=steadiness) as stylizer:
        report = convert(SAMPLE, target, stylizer, settings)
        stylizer.reset()
        with VideoReader(SAMPLE) as before, VideoReader(target) as painted:
            wanted = stylizer.stream(frame for frame, _ in zip(before, range(report.frames), strict=False))
            for ours, theirs in zip(painted, wanted, strict=True):
                assert ours.pts == theirs.pts
                assert np.abs(ours.pixels.astype(int) - theirs.pixels).mean() < 4
