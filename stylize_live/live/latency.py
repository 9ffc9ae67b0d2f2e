"""Latency and frame rate: how old frames are when they are shown, and how many are shown a second.

Memory is bounded however long a run lasts: totals live in a histogram of fixed size, the recent
past in a ring.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

STAGES = ("capture", "inference", "display", "total")

# Buckets 1 % apart from 10 microseconds to 1000 seconds: a percentile is off by half a percent.
_LEAST = 1e-5
_RATIO = 1.01
_BUCKETS = math.ceil(math.log(1e3 / _LEAST) / math.log(_RATIO)) + 1
_RECENT = 120


@dataclass(frozen=True, slots=True)
class Percentiles:
    """Three percentiles in milliseconds; None as long as nothing was measured."""

    p50: float | None
    p95: float | None
    p99: float | None


class Durations:
    """Percentiles of many durations, of all and of the last 120, in constant memory."""

    def __init__(self) -> None:
        self._counts = np.zeros(_BUCKETS, np.int64)
        self._recent: deque[float] = deque(maxlen=_RECENT)

    def add(self, seconds: float) -> None:
        """Count one duration; negative ones count as zero."""
        self._recent.append(max(0.0, seconds))
        self._counts[_bucket(seconds)] += 1

    def total(self) -> Percentiles:
        """Of everything so far, to half a percent."""
        if not self._counts.any():
            return Percentiles(None, None, None)
        below = np.cumsum(self._counts)
        wanted = np.ceil(below[-1] * np.array([0.50, 0.95, 0.99]))
        found = np.searchsorted(below, wanted)
        return Percentiles(*(_milliseconds(_middle(int(bucket))) for bucket in found))

    def recent(self) -> Percentiles:
        """Of the last 120 durations."""
        if not self._recent:
            return Percentiles(None, None, None)
        found = np.percentile(list(self._recent), (50, 95, 99), method="inverted_cdf")
        return Percentiles(*(_milliseconds(float(seconds)) for seconds in found))


def _bucket(seconds: float) -> int:
    if seconds <= _LEAST:
        return 0
    return min(_BUCKETS - 1, round(math.log(seconds / _LEAST) / math.log(_RATIO)))


def _middle(bucket: int) -> float:
    return _LEAST * _RATIO**bucket


def _milliseconds(seconds: float) -> float:
    return round(seconds * 1e3, 3)


class LatencyClock:
    """Ages of the frames that were shown, by stage, and the rate at which they were shown.

    An age counts from `Frame.captured_at`. One thread at a time may use a clock.
    """

    def __init__(self, stages: Iterable[str] = STAGES) -> None:
        self._stages = {name: Durations() for name in stages}
        self._last = next(reversed(self._stages))
        self._times: deque[float] = deque(maxlen=_RECENT)
        self._first_shown: float | None = None
        self._shown = 0

    @property
    def shown(self) -> int:
        """How many frames were recorded."""
        return self._shown

    def record(self, captured_at: float, finished: Mapping[str, float]) -> None:
        """Count one shown frame.

        Args:
            captured_at: monotonic seconds at which the frame reached the program.
            finished: monotonic seconds at which each stage was done with it; the last stage's
                moment is the moment of showing.
        """
        for name, moment in finished.items():
            self._stages[name].add(moment - captured_at)
        shown_at = finished[self._last]
        if self._first_shown is None:
            self._first_shown = shown_at
        self._times.append(shown_at)
        self._shown += 1

    def fps(self) -> float:
        """Frames shown a second from the first to the latest one; 0 before the second one."""
        if self._first_shown is None or self._shown < 2:
            return 0.0
        return (self._shown - 1) / max(self._times[-1] - self._first_shown, 1e-6)

    def recent_fps(self, now: float) -> float:
        """Frames shown a second in the last two seconds before `now` (monotonic seconds)."""
        times = [moment for moment in self._times if now - moment <= 2.0]
        if len(times) < 2:
            return 0.0
        # Up to now, not to the last frame: the figure falls when frames stop coming.
        mean_gap = (times[-1] - times[0]) / (len(times) - 1)
        return (len(times) - 1) / max(times[-1] - times[0], now - times[0] - mean_gap, 1e-6)

    def recent(self) -> dict[str, Percentiles]:
        """Ages of the last 120 frames by stage, in milliseconds."""
        return {name: durations.recent() for name, durations in self._stages.items()}

    def latency(self) -> dict[str, Percentiles]:
        """Ages over the whole run, by stage, in milliseconds."""
        return {name: durations.total() for name, durations in self._stages.items()}
