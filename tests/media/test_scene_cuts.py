"""Cuts are found, motion and flashes of light are not taken for them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from clips import CFR, Video, numbered
from tiny import random_pixels

from stylize_live.conversion import segments
from stylize_live.conversion.segments import Segment, split_at_cuts
from stylize_live.frame import Pixels
from stylize_live.media.scene_cuts import CutDetector


def cuts_in(images: list[Pixels]) -> list[int]:
    detector = CutDetector()
    return [index for index, image in enumerate(images) if detector.is_cut(image)]


def pan(seed: int, count: int = 12) -> list[Pixels]:
    """A camera that pans over an image."""
    wide = random_pixels(320 + count, 180, seed)
    return [np.ascontiguousarray(wide[:, i : i + 320]) for i in range(count)]


def test_cut_between_two_shots() -> None:
    assert cuts_in(pan(1) + pan(2) + pan(3)) == [12, 24]


def test_cut_in_black_and_white() -> None:
    grey = [np.repeat(p[..., :1], 3, 2) for p in pan(1) + pan(2)]
    assert cuts_in(grey) == [12]


def test_noise_fades_and_stillness_are_no_cuts() -> None:
    rng = np.random.default_rng(0)
    still = random_pixels(320, 180)
    noisy = [np.clip(still + rng.normal(0, 20, still.shape), 0, 255).astype(np.uint8) for _ in range(12)]
    faded = [(still * (1 - step / 40)).astype(np.uint8) for step in range(40)]
    assert cuts_in([still] * 5) == cuts_in(noisy) == cuts_in(faded) == []


def test_a_shaking_camera_is_no_row_of_cuts() -> None:
    shots = [random_pixels(320, 180, seed) for seed in range(12)]
    assert cuts_in(shots) == []


def test_size_does_not_matter() -> None:
    assert cuts_in([np.full((1, 1, 3), value, np.uint8) for value in (0, 0, 255)]) == [2]
    assert cuts_in([random_pixels(2000, 1100, seed) for seed in (1, 1, 2)]) == [2]


def test_after_reset_comes_no_cut() -> None:
    detector = CutDetector()
    detector.is_cut(pan(1)[0])
    detector.reset()
    assert not detector.is_cut(pan(2)[0])


def test_segments_cover_the_video(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segments, "LEAST_FRAMES", 4)
    monkeypatch.setattr(segments, "MOST_FRAMES", 10)
    ticks = tuple(1000 * i for i in range(30))
    shots = [255 - numbered(i) if 2 <= i < 7 or i >= 26 else numbered(i) for i in range(30)]
    source = Video(ticks).write(tmp_path / "in.mp4", shots)
    spans = list(split_at_cuts(source))
    # The cut at 2 comes too early for a segment of its own, the one at 7 does not; then 10 frames, then 9
    # to the next cut.
    assert [(span.start, span.frames, span.at_cut) for span in spans] == [
        (0, 7, True),
        (7, 10, True),
        (17, 9, False),
        (26, 4, True),
    ]
    assert [span.end for span in spans[:-1]] == [span.begin for span in spans[1:]]
    assert float(spans[-1].end) == pytest.approx(1, abs=1e-4)


def test_a_short_video_is_one_segment(tmp_path: Path) -> None:
    (span,) = split_at_cuts(Video(CFR).write(tmp_path / "in.mp4"))
    assert isinstance(span, Segment)
    assert (span.start, span.frames, span.begin, span.at_cut) == (0, 12, 0, True)
