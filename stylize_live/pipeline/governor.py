"""`--size auto`: paints live pictures as large as the source's rate allows.

At the start a few pictures are painted at some sizes, from the largest down, until one leaves room for
the rest of the work. While the show goes on, one size is given up when pictures were dropped for two
seconds, because something else needs the machine, and the next larger one is tried again after five
seconds without a drop; each try that fails makes the next one wait twice as long.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable
from fractions import Fraction
from typing import Protocol

from stylize_live.frame import Pixels
from stylize_live.media.pattern import PatternSource

# Lines to paint at, all multiples of what networks and encoders like.
LADDER = (480, 432, 384, 336, 288, 240, 192)
USUAL_RATE = Fraction(30)
_ROOM = 0.8  # share of the time between two pictures that painting may take
_MUCH_ROOM = 0.55  # the same, up to which less will hardly be needed
_PICTURES = 6  # painted to measure a size; the quickest counts, as a program that starts has more to do
_WINDOW = 1.0  # seconds over which drops are counted
_BAD_DROPS = 0.04  # share of a window's pictures from which on it is a bad one
_BAD_WINDOWS = 2  # in a row, after which a size is given up
_PATIENCE, _MOST_PATIENCE = 5.0, 300.0  # seconds without a drop before a larger size is tried


class Sizable(Protocol):
    """What is governed: a `stylize_live.engine.Stylizer`.

    Attributes:
        lines: at which pictures with more of them are painted; may be set while others paint.
    """

    lines: int

    def __call__(self, picture: Pixels, /) -> Pixels:
        """The painted picture: (H, W, 3) uint8 to the same."""

    def reset(self) -> None:
        """Take the next picture as the first of a film."""


class Governor:
    """Chooses the lines to paint at.

    Args:
        stylizer: whose lines are set.
        clock: monotonic seconds.

    Attributes:
        chosen: all lines that were chosen, one after the other.
    """

    def __init__(self, stylizer: Sizable, clock: Callable[[], float] = time.monotonic) -> None:
        self._stylizer, self._clock = stylizer, clock
        self._ladder: list[int] = []
        self._costs: dict[int, float] = {}
        self._period = 0.0
        self._patience = _PATIENCE
        self._rose_at = float("-inf")
        self.chosen: list[int] = []
        # Of the window under way: its begin, drops before it, times of its pictures.
        self._since, self._dropped_before = 0.0, 0
        self._times: list[float] = []
        self._bad = 0  # windows in a row
        self._calm_since = 0.0

    @property
    def lines(self) -> int:
        """Lines that are painted at now."""
        return self.chosen[-1]

    def start(self, size: tuple[int, int], rate: Fraction | None) -> None:
        """Measure and choose; in place of `warm_up`, and like it without a trace.

        Args:
            size: (width, height) of the source's pictures.
            rate: of them, pictures a second; None is taken for 30.
        """
        self._period = float(1 / (rate or USUAL_RATE))
        shorter = min(size)
        self._ladder = [min(shorter, LADDER[0]), *(lines for lines in LADDER[1:] if lines < shorter)]
        pattern = PatternSource(size, 30)
        pictures = [pattern.picture(tick) for tick in range(_PICTURES)]
        self._costs = {}
        for lines in self._ladder:
            # Going by area flatters smaller sizes, as some work is the same for all: what does not fit even
            # so need not be tried. The smallest has to do in any case.
            if self._costs and lines != self._ladder[-1] and not self._fits(lines):
                continue
            self._costs[lines] = self._measured(lines, pictures)
            if self._fits(lines):
                self._make_ready_for_less(lines, pictures)
                break
        self._choose(lines)
        self._stylizer.reset()
        self._begin(self._clock(), 0)

    def _make_ready_for_less(self, lines: int, pictures: Iterable[Pixels]) -> None:
        """Paint at the next smaller size too, unless there is so much room that it will hardly be needed."""
        smaller = [rung for rung in self._ladder if rung < lines]
        if smaller and self._costs[lines] > _MUCH_ROOM * self._period:
            self._measured(smaller[0], pictures)

    def _fits(self, lines: int) -> bool:
        return self._cost(lines) <= _ROOM * self._period

    def _cost(self, lines: int) -> float:
        """Seconds that a picture takes; those of sizes that were not measured go by their area."""
        if lines in self._costs:
            return self._costs[lines]
        nearest = min(self._costs, key=lambda known: abs(known - lines))
        return self._costs[nearest] * (lines / nearest) ** 2

    def _measured(self, lines: int, pictures: Iterable[Pixels]) -> float:
        self._stylizer.lines = lines
        times = []
        for picture in pictures:
            started = self._clock()
            self._stylizer(picture)
            times.append(self._clock() - started)
        return min(times)

    def _choose(self, lines: int) -> None:
        self._stylizer.lines = lines
        self.chosen.append(lines)

    def note(self, took: float, dropped: int) -> None:
        """See a picture painted, and perhaps change the size from the next one on.

        Args:
            took: seconds that painting it took.
            dropped: pictures that were not painted since the start because newer ones were there.
        """
        now = self._clock()
        self._times.append(took)
        seconds = now - self._since
        if seconds < _WINDOW:
            return
        missed = dropped - self._dropped_before
        busy = statistics.median(self._times)
        self._bad = self._bad + 1 if missed > _BAD_DROPS * seconds / self._period else 0
        self._calm_since = now if missed else self._calm_since
        self._begin_window(now, dropped)
        if self._bad >= _BAD_WINDOWS:
            self._step_down(now, dropped)
        elif now - self._calm_since >= self._patience:
            self._step_up(now, dropped, busy)

    def _begin(self, now: float, dropped: int) -> None:
        """Forget what was seen at another size."""
        self._bad, self._calm_since = 0, now
        self._begin_window(now, dropped)

    def _begin_window(self, now: float, dropped: int) -> None:
        self._since, self._dropped_before, self._times = now, dropped, []

    def _step_down(self, now: float, dropped: int) -> None:
        if now - self._rose_at < self._patience:
            self._patience = min(_MOST_PATIENCE, 2 * self._patience)
        self._step(1, now, dropped)

    def _step_up(self, now: float, dropped: int, busy: float) -> None:
        """Try the next larger size, if going by what this one takes it would leave room."""
        place = self._ladder.index(self.lines)
        self._calm_since = now
        if place == 0:
            return
        larger = self._ladder[place - 1]
        if busy * self._cost(larger) / self._cost(self.lines) > _ROOM * self._period:
            return
        self._rose_at = now
        self._step(-1, now, dropped)

    def _step(self, step: int, now: float, dropped: int) -> None:
        place = self._ladder.index(self.lines) + step
        if place < len(self._ladder):
            self._choose(self._ladder[place])
        self._begin(now, dropped)


def govern(stylizer: Sizable, size: str) -> Governor | None:
    """Do what a `size` setting says: "auto", or lines such as "360p".

    Returns:
        The governor for "auto".
    """
    if size == "auto":
        return Governor(stylizer)
    stylizer.lines = int(size.removesuffix("p"))
    return None
