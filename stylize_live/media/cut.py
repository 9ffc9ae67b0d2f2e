"""A part of a film, at a rate of one's own: which pictures are shown when."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import floor

from stylize_live.media.libraries import av


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture, when it appears and for how long, in seconds."""

    picture: av.VideoFrame
    when: Fraction
    duration: Fraction


@dataclass(frozen=True, slots=True)
class Cut:
    """The part of a film from `start` up to, not including, `end`, in seconds; None is the film's own end."""

    start: Fraction = Fraction(0)
    end: Fraction | None = None

    def of(self, film: Iterable[Shown]) -> Iterator[Shown]:
        """The pictures of this part, timed from its start; what is on screen then is shown from there."""
        if not self.start and self.end is None:
            yield from film
            return
        before: Shown | None = None
        for shown in film:
            if self.end is not None and shown.when >= self.end:
                break
            if shown.when <= self.start:
                before = shown
                continue
            if before is not None:
                yield self._moved(before, shown.when)
                before = None
            yield self._moved(shown, shown.when + shown.duration)
        if before is not None and before.when + before.duration > self.start:
            yield self._moved(before, before.when + before.duration)

    def _moved(self, shown: Shown, until: Fraction) -> Shown:
        when = max(shown.when, self.start)
        if self.end is not None:
            until = min(until, self.end)
        return Shown(shown.picture, when - self.start, until - when)

    def length(self, whole: Fraction | None) -> Fraction | None:
        """Seconds of a film of so many that are in this part; None when unknown."""
        ends = [end for end in (self.end, whole) if end is not None]
        return max(min(ends) - self.start, Fraction(0)) if ends else None


def at_rate(film: Iterable[Shown], rate: Fraction) -> Iterator[Shown]:
    """Pictures at exact multiples of 1/rate, each the nearest in time, repeated or left out as needed."""
    step = 1 / rate
    before: Shown | None = None
    first = slot = 0
    for shown in film:
        next_slot = _nearest(shown.when * rate)
        if before is None:
            first = next_slot
        else:
            for index in range(slot, next_slot):
                yield Shown(before.picture, index * step, step)
            next_slot = max(slot, next_slot)
        before, slot = shown, next_slot
    if before is not None:
        end = _nearest((before.when + before.duration) * rate)
        for index in range(slot, max(end, first + 1)):
            yield Shown(before.picture, index * step, step)


def _nearest(value: Fraction) -> int:
    """Halves go up, always; Python's `round` would take them by turns up and down."""
    return floor(value + Fraction(1, 2))
