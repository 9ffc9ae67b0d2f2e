"""What pages draw: the figures of the last minute, and how busy the machine is."""

from __future__ import annotations

import os
import time
from collections import deque

from stylize_live.engine.cuda.load import GpuLoad
from stylize_live.live.latency import STAGES
from stylize_live.live.session import Figures
from stylize_live.system.clock import LEAST, monotonic

PERIOD = 0.5  # seconds between two figures
_KEPT = 120


class Load:
    """Processor time of this program between two calls."""

    def __init__(self) -> None:
        self._cores = os.cpu_count() or 1
        self._at = monotonic(), time.process_time()

    def __call__(self) -> float:
        """Share of the machine's processor time since the last call, 0 to 1."""
        before, self._at = self._at, (monotonic(), time.process_time())
        passed = max(LEAST, self._at[0] - before[0]) * self._cores
        return min(1.0, (self._at[1] - before[1]) / passed)


class Telemetry:
    """Takes a figure twice a second and keeps those of the last minute."""

    def __init__(self) -> None:
        self._load = Load()
        self._gpu_load = GpuLoad()
        self._due = 0.0
        self._captured: tuple[float, int] | None = None
        self.history: deque[dict[str, object]] = deque(maxlen=_KEPT)

    def due(self, now: float) -> bool:
        """Whether it is time for the next figure."""
        return now >= self._due

    def add(self, figures: Figures, now: float) -> dict[str, object]:
        """Keep a figure: rates a second, ages in milliseconds, loads as shares."""
        self._due = now + PERIOD
        stages = {name: figures.latency_ms[name].p50 for name in STAGES}
        point: dict[str, object] = {
            "fps": round(figures.fps, 1),
            "source_fps": self._rate(figures.captured, now),
            "dropped": figures.dropped,
            "painting": figures.painting,
            "ms": {name: None if age is None else round(age, 1) for name, age in stages.items()},
            "p95": figures.latency_ms["total"].p95,
            "p99": figures.latency_ms["total"].p99,
            "cpu": round(self._load(), 3),
            "gpu": self._gpu_load(),
        }
        self.history.append(point)
        return point

    def _rate(self, captured: int, now: float) -> float:
        before, self._captured = self._captured, (now, captured)
        if before is None or now <= before[0]:
            return 0.0
        return round((captured - before[1]) / (now - before[0]), 1)
