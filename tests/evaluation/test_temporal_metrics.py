"""The judge of steadiness, on videos whose figures are known."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from textures import noisy, texture

from stylize_live.cli.app import main
from stylize_live.cli.evaluate_videos import _word
from stylize_live.engine.cpu.optical_flow import warp
from stylize_live.evaluation.temporal_metrics import FlowEvaluator, MetricAccumulator
from stylize_live.frame import Frame, Pixels
from stylize_live.media.decode.reader import VideoReader
from stylize_live.media.encode.writer import VideoWriter


def write_clip(path: Path, images: list[Pixels]) -> Path:
    """A video of 25 frames a second."""
    height, width = images[0].shape[:2]
    with VideoWriter(path, (width, height), rate=Fraction(25)) as writer:
        for index, pixels in enumerate(images):
            writer.write(Frame(pixels, Fraction(index, 25), 0.0, index))
    return path


def test_an_image_moved_along_fits_exactly() -> None:
    scene = texture(120, 200, 0, 5)
    before, now = scene[:, :160], np.ascontiguousarray(scene[:, 6:166])
    motion = FlowEvaluator()(np.ascontiguousarray(before), now)
    assert motion.valid.mean() > 0.8
    assert not motion.still.any()
    assert np.median(motion.flow[..., 0]) == pytest.approx(6, abs=0.1)
    moved = warp(np.ascontiguousarray(before), motion.flow)
    assert np.abs(moved.astype(int) - now)[motion.valid].mean() < 2


def test_what_gets_covered_is_not_valid() -> None:
    before, block = texture(120, 160, 0, 4), texture(60, 60, 1, 4)
    now = before.copy()
    before = before.copy()
    before[30:90, 30:90] = block
    now[30:90, 46:106] = block
    motion = FlowEvaluator()(before, now)
    uncovered = motion.valid[36:84, 31:45]
    assert uncovered.mean() < 0.3
    assert motion.still[100:, 120:].all()


def test_tally_tells_noise_from_a_steady_image() -> None:
    scene = texture(96, 128, 0, 5)
    views = [noisy(scene, i, 2) for i in range(6)]
    steady, shaky, evaluator = MetricAccumulator(), MetricAccumulator(), FlowEvaluator()
    for i, view in enumerate(views):
        motion = evaluator(views[i - 1], view) if i else None
        steady.add(scene, motion)
        shaky.add(noisy(scene, 50 + i, 20), motion)
    assert steady.still_error == 0
    assert shaky.still_error == pytest.approx(20 * 2**0.5 / 255, rel=0.1)
    assert steady.warp_error < 0.2 * shaky.warp_error
    assert shaky.energy > 5 * steady.energy
    assert len(steady.warp_errors) == 5


def test_a_cut_is_not_an_error() -> None:
    figures = MetricAccumulator()
    figures.add(texture(64, 64, 0), None)
    figures.add(texture(64, 64, 1), None)
    assert np.isnan(figures.warp_error)


def test_evaluate_prints_figures_and_writes_the_comparison(
    tmp_path: Path, tiny_style: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clip = tmp_path / "clip.mp4"
    write_clip(clip, [noisy(texture(96, 128, 0, 5), i, 4) for i in range(8)])
    words = ["evaluate", str(tiny_style), "--steadiness", str(clip), "--device", "cpu"]
    assert main([*words, "--json", "--compare", str(tmp_path / "side"), "--frames", "6"]) == 0
    (figures,) = json.loads(capsys.readouterr().out)
    assert figures["frames"] == 6
    assert figures["warp_error_ratio"] < 0.6
    assert 0.7 < figures["contrast_ratio"] < 1.2
    with VideoReader(tmp_path / "side" / "clip.mp4") as reader:
        assert reader.size == (3 * 128, 96)
        assert len(list(reader)) == 6


def test_evaluate_without_steadiness_changes_nothing(
    tmp_path: Path, tiny_style: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clip = tmp_path / "clip.mp4"
    write_clip(clip, [texture(64, 64, i, 5) for i in range(3)])
    words = ["evaluate", str(tiny_style), "--steadiness", str(clip), "--amount", "0", "--json"]
    assert main(words) == 0
    (figures,) = json.loads(capsys.readouterr().out)
    assert figures["energy_ratio"] == 1


def test_evaluate_draws_curves(tmp_path: Path, tiny_style: Path) -> None:
    clip, plot = tmp_path / "clip & 'b'.mp4", tmp_path / "curves.svg"
    write_clip(clip, [noisy(texture(64, 64, 0, 5), i, 4) for i in range(4)])
    assert main(["evaluate", str(tiny_style), "--steadiness", str(clip), "--plot", str(plot)]) == 0
    drawn = ElementTree.parse(plot).getroot()
    assert clip.name in [text.text for text in drawn.iter("{http://www.w3.org/2000/svg}text")]
    lines = [path.get("class", "") for path in drawn.iter("{http://www.w3.org/2000/svg}path")]
    assert [name for name in lines if name.startswith("line")].count("line of2") == 2  # curve and legend


@pytest.fixture
def video(tmp_path: Path) -> Path:
    """In a folder of its own, with a name that looks like markup."""
    path = tmp_path / "videos" / "take [red] 2.mp4"
    path.parent.mkdir()
    write_clip(path, [noisy(texture(64, 64, 0, 5), i, 4) for i in range(3)])
    return path


def test_no_video_and_nothing_else_is_written_over(
    video: Path, tmp_path: Path, tiny_style: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["evaluate", str(tiny_style), "--frames", "3", "--steadiness", str(video)]
    before = video.read_bytes()
    assert main([*words, "--compare", str(video.parent)]) == 2
    assert main([*words, "--compare", str(video.parent), "--overwrite"]) == 2
    assert video.read_bytes() == before
    assert "is one of the videos" in capsys.readouterr().err
    twin = tmp_path / video.name
    twin.write_bytes(before)
    assert main([*words, str(twin), "--compare", str(tmp_path / "side")]) == 2
    assert "more than one of the videos" in capsys.readouterr().err
    plot = tmp_path / "kept.svg"
    plot.write_text("mine")
    assert main([*words, "--plot", str(plot)]) == 2
    assert plot.read_text() == "mine"


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["--compare", "file"], 5, "cannot make this folder"),
        (["--plot", "nowhere/x.svg"], 5, "no such folder"),
        (["--plot", "x.xyz"], 2, "plots end in .html or .svg"),
    ],
)
def test_bad_targets_are_named_before_the_work(
    words: list[str],
    code: int,
    message: str,
    video: Path,
    tmp_path: Path,
    tiny_style: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("stylize_live.evaluation.videos.measure_steadiness", lambda *_: pytest.fail("worked"))
    (tmp_path / "file").touch()
    assert main(["evaluate", str(tiny_style), "--steadiness", str(video), *words]) == code
    assert message in capsys.readouterr().err


def test_names_are_no_markup_and_what_is_unknown_is_a_dash(
    video: Path, tiny_style: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", str(tiny_style), "--steadiness", str(video), "--frames", "3"]) == 0
    assert "take [red]" in capsys.readouterr().out
    assert _word(float("nan"), 4) == "-"
