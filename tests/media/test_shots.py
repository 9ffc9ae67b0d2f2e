"""The first frame of a shot is found once, where a video is decoded, and everybody else believes it."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from tiny import random_pixels

from stylize_live.conversion import segments
from stylize_live.conversion.segments import SegmentSplitter
from stylize_live.engine import Stylizer
from stylize_live.frame import Frame
from stylize_live.media.scene_cuts import CutDetector
from stylize_live.media.shots import ShotMarker

SHOTS = (3, 9, 3, 4, 10)  # lengths in frames


def video() -> list[Frame]:
    """Shots of noisy images; nobody has looked for their first ones."""
    rng = np.random.default_rng(0)
    frames: list[Frame] = []
    for seed, length in enumerate(SHOTS):
        scene = random_pixels(96, 72, seed)
        for _ in range(length):
            pixels = np.clip(scene + rng.normal(0, 3, scene.shape), 0, 255).astype(np.uint8)
            frames.append(Frame(pixels, Fraction(len(frames), 30), 0.0, len(frames)))
    return frames


def mark_all(frames: list[Frame]) -> list[Frame]:
    return list(map(ShotMarker().mark, frames))


def test_a_frame_that_nobody_looked_at_says_so() -> None:
    assert {frame.starts_shot for frame in video()} == {None}


def test_the_first_frame_and_those_behind_cuts_are_marked() -> None:
    marked, cuts = mark_all(video()), CutDetector()
    found = [cuts.is_cut(frame.pixels) for frame in video()]
    assert [frame.starts_shot for frame in marked] == [True, *found[1:]]
    assert [number for number, frame in enumerate(marked) if frame.starts_shot] == [0, 3, 12, 15, 19]


def test_a_marked_frame_is_the_same_moment() -> None:
    frame = video()[5]
    marked = ShotMarker().mark(frame)
    assert marked.image is frame.image
    assert (marked.pts, marked.index, marked.starts_shot) == (frame.pts, 5, True)
    assert marked.with_image(255 - frame.pixels).starts_shot


@pytest.mark.parametrize("start", range(1, sum(SHOTS)))
def test_a_marker_goes_on_behind_any_frame(start: int) -> None:
    frames, whole = video(), ShotMarker()
    wanted = [whole.mark(frame).starts_shot for frame in frames[:start]]
    assert len(wanted) == start
    after = whole.mark(frames[start]).starts_shot
    history = whole.history  # what a journal keeps
    wanted = [after, *(whole.mark(frame).starts_shot for frame in frames[start + 1 :])]
    rest = ShotMarker.behind(frames[start - 1], history)
    assert [rest.mark(frame).starts_shot for frame in frames[start:]] == wanted
    assert rest.history == whole.history


def test_a_cut_right_behind_a_border_without_one_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segments, "LEAST_FRAMES", 3)
    monkeypatch.setattr(segments, "MOST_FRAMES", 8)
    frames, cutter = mark_all(video()), SegmentSplitter()
    borders = [(frame.index, cutter.at_cut) for frame in frames if cutter.begins_segment(frame)]
    assert borders == [(3, True), (11, False), (15, True), (19, True), (27, False)]
    assert frames[12].starts_shot


def test_the_painter_finds_what_a_marker_would_have(tiny_style: Path) -> None:
    """Programs hand in frames, or arrays, that nobody has marked."""
    frames = video()
    with paint(tiny_style) as told, paint(tiny_style) as looking:
        wanted = [frame.pixels for frame in told.stream(mark_all(frames))]
        found = [frame.pixels for frame in looking.stream(frames)]
    with paint(tiny_style) as stylizer:
        arrays = [stylizer(frame.pixels) for frame in frames]
    for ours, array, theirs in zip(found, arrays, wanted, strict=True):
        assert (ours == theirs).all()
        assert (array == theirs).all()


@pytest.mark.parametrize("starts", [True, False])
def test_the_painter_believes_a_mark(tiny_style: Path, starts: bool) -> None:
    one, two, three = mark_all(video())[3:6]
    told = replace(three, starts_shot=starts)
    with paint(tiny_style) as stylizer, paint(tiny_style) as alone:
        for frame in (one, two):
            stylizer(frame)
        assert (stylizer(told).pixels == alone(told).pixels).all() == starts


def test_a_state_of_marked_frames_goes_on_exactly(tiny_style: Path) -> None:
    frames = mark_all(video())
    with paint(tiny_style) as whole, paint(tiny_style) as first, paint(tiny_style) as second:
        wanted = [frame.pixels for frame in whole.stream(frames)]
        list(first.stream(frames[:13]))
        second.restore_state(first.save_state())
        found = [frame.pixels for frame in second.stream(frames[13:])]
    assert all((ours == theirs).all() for ours, theirs in zip(found, wanted[13:], strict=True))


def test_a_cut_that_failed_is_the_next_image_s(tiny_style: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise MemoryError("on purpose")

    frames = mark_all(video())
    with paint(tiny_style) as stylizer, paint(tiny_style) as alone:
        for frame in frames[:3]:
            stylizer(frame)
        with monkeypatch.context() as patch:
            patch.setattr(type(stylizer._backend), "run_network", fail)
            with pytest.raises(MemoryError):
                stylizer(frames[3])
        assert (stylizer(frames[4]).pixels == alone(frames[4]).pixels).all()


def paint(style: Path) -> Stylizer:
    return Stylizer(style, device="cpu", precision="float32", steadiness=0.8)
