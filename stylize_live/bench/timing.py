"""Times and other figures: taken in turn, given as median and spread."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from stylize_live.system.clock import monotonic

_TENTH, _NINTH = 0, -1  # of nine cuts into ten parts


@dataclass(frozen=True, slots=True)
class Spread:
    """A figure that was taken several times.

    Attributes:
        median: the middle one.
        low, high: the 10th and 90th percentile; between two values a share of their distance is taken.
        count: how many there were.
    """

    median: float
    low: float
    high: float
    count: int

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """The spread of one or more values."""
        if len(values) < 2:
            return cls(values[0], values[0], values[0], 1)
        cuts = statistics.quantiles(values, n=10, method="inclusive")
        return cls(statistics.median(values), cuts[_TENTH], cuts[_NINTH], len(values))

    def words(self) -> tuple[str, str]:
        """For tables: "23.4" and "22.5-25.2", the latter empty for a single value."""
        spread = f"{format_figure(self.low)}-{format_figure(self.high)}" if self.count > 1 else ""
        return format_figure(self.median), spread


def format_figure(value: float) -> str:
    """Three digits that count, and all before the point."""
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def alternate(
    jobs: Mapping[str, Callable[[], object]],
    *,
    seconds: float = 0.0,
    least: int = 3,
    settle: float = 0.0,
    clock: Callable[[], float] = monotonic,
) -> dict[str, list[float]]:
    """Run all jobs once to warm up, then in turn, so that a slow moment hits all alike.

    Args:
        jobs: what to time, by name.
        seconds: how long to go on.
        least: rounds in any case.
        settle: seconds for which each job runs in its turn before it is timed: caches are then its own, and
            the waiting threads of another library asleep.
        clock: seconds.

    Returns:
        Milliseconds of each run, by name.
    """
    for work in jobs.values():
        work()
    times: dict[str, list[float]] = {name: [] for name in jobs}
    begun, rounds = clock(), 0
    while rounds < least or clock() - begun < seconds:
        for name, work in jobs.items():
            settled = clock() + settle
            while clock() < settled:
                work()
            started = clock()
            work()
            times[name].append((clock() - started) * 1e3)
        rounds += 1
    return times


@dataclass(frozen=True, slots=True)
class Effort:
    """What a piece of work took, in seconds.

    Attributes:
        wall: on the clock.
        processor: on all cores together.
    """

    wall: float
    processor: float


def effort_of(work: Callable[[], object]) -> Effort:
    """Do some work in this process and see what it takes."""
    wall, processor = monotonic(), time.process_time()
    work()
    return Effort(monotonic() - wall, time.process_time() - processor)
