"""A part of a video, perhaps at another rate: which frames are shown when."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import floor

from stylize_live.media.libraries import av


@dataclass(frozen=True, slots=True)
class TimedFrame:
    """A frame, when it appears and for how long, in seconds."""

    frame: av.VideoFrame
    when: Fraction
    duration: Fraction


@dataclass(frozen=True, slots=True)
class Trim:
    """The part of a video from `start` up to, not including, `end`, in seconds; None is its own end."""

    start: Fraction = Fraction(0)
    end: Fraction | None = None

    def select(self, video: Iterable[TimedFrame]) -> Iterator[TimedFrame]:
        """The frames of this part, timed from its start; the frame on screen at the start is kept."""
        if not self.start and self.end is None:
            yield from video
            return
        before: TimedFrame | None = None
        for shown in video:
            if self.end is not None and shown.when >= self.end:
                break
            if shown.when <= self.start:
                before = shown
                continue
            if before is not None:
                yield self._shift(before, shown.when)
                before = None
            yield self._shift(shown, shown.when + shown.duration)
        if before is not None and before.when + before.duration > self.start:
            yield self._shift(before, before.when + before.duration)

    def _shift(self, shown: TimedFrame, until: Fraction) -> TimedFrame:
        when = max(shown.when, self.start)
        if self.end is not None:
            until = min(until, self.end)
        return TimedFrame(shown.frame, when - self.start, until - when)

    def length(self, whole: Fraction | None) -> Fraction | None:
        """Seconds of a video of so many that are in this part; None when unknown."""
        ends = [end for end in (self.end, whole) if end is not None]
        return max(min(ends) - self.start, Fraction(0)) if ends else None


def resample_frames(video: Iterable[TimedFrame], rate: Fraction) -> Iterator[TimedFrame]:
    """Frames at exact multiples of 1/rate, each the nearest in time, repeated or left out as needed."""
    step = 1 / rate
    before: TimedFrame | None = None
    first = slot = 0
    for shown in video:
        next_slot = _nearest(shown.when * rate)
        if before is None:
            first = next_slot
        else:
            for index in range(slot, next_slot):
                yield TimedFrame(before.frame, index * step, step)
            next_slot = max(slot, next_slot)
        before, slot = shown, next_slot
    if before is not None:
        end = _nearest((before.when + before.duration) * rate)
        for index in range(slot, max(end, first + 1)):
            yield TimedFrame(before.frame, index * step, step)


def _nearest(value: Fraction) -> int:
    """Halves go up, always; Python's `round` would take them by turns up and down."""
    return floor(value + Fraction(1, 2))
