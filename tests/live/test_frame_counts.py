"""What became of a source's frames, counted."""

from __future__ import annotations

from stylize_live.live.frame_counts import FrameCounts
from stylize_live.live.report import Settled


def test_frames_of_the_settled_time_are_those_since_then() -> None:
    dropped = [3]
    counts = FrameCounts(lambda: dropped[0])
    counts.captured = 10
    assert counts.settled is None
    counts.settle()
    counts.captured, dropped[0] = 50, 5
    counts.settle()  # once only
    assert counts.settled == Settled(captured=40, dropped=2)


def test_the_pace_is_that_since_it_was_asked_before() -> None:
    counts = FrameCounts(lambda: 0)
    counts.captured = 5
    assert counts.pace(10.0, 4) is None
    counts.captured = 65
    assert counts.pace(12.0, 44) == (20.0, 30.0)
    counts.captured = 66
    assert counts.pace(12.0, 45) is None  # no time has passed
    assert counts.pace(12.5, 50) == (10.0, 0.0)
