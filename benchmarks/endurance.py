"""What a process holds while it works for hours, and whether that grows. Not on Windows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil

from stylize_live.reports.charts import curves
from stylize_live.reports.plots import write_plot

WARM_UP = 60.0  # seconds that count for nothing
MOST_GROWTH = 1.0  # per cent of memory an hour


@dataclass(frozen=True)
class Held:
    """What a process holds at a moment.

    Attributes:
        at: seconds since the first look.
        memory: resident, in MB.
        threads: number of them.
        handles: open files and sockets.
    """

    at: float
    memory: float
    threads: float
    handles: float

    def __str__(self) -> str:
        return f"{self.memory:7.1f} MB  {self.threads:3.0f} threads  {self.handles:3.0f} handles"


def held(pid: int, at: float) -> Held:
    """Look at a process. Raises `OSError` when it has ended."""
    try:
        process = psutil.Process(pid)
        memory, threads, handles = process.memory_info().rss, process.num_threads(), process.num_fds()
    except psutil.NoSuchProcess:
        raise ProcessLookupError(pid) from None
    if not memory:  # it has ended, and nobody has asked how
        raise ProcessLookupError(pid)
    return Held(at, memory / 2**20, threads, handles)


def growth(taken: Sequence[Held]) -> float:
    """Per cent of memory an hour: the median slope between all pairs, which no single jump decides.

    Below ten minutes this is noise of the first minutes, extrapolated.
    """
    at = np.array([sample.at for sample in taken])
    memory = np.array([sample.memory for sample in taken])
    first, second = np.triu_indices(len(at), 1)
    slopes = (memory[second] - memory[first]) / (at[second] - at[first])
    return float(np.median(slopes) * 3600 / np.median(memory) * 100)


def thirds(taken: Sequence[Held], name: str) -> tuple[float, float]:
    """The medians of something in the first third and in the last."""
    third = max(1, len(taken) // 3)
    first, last = (
        float(np.median([getattr(one, name) for one in part])) for part in (taken[:third], taken[-third:])
    )
    return first, last


def growing(taken: Sequence[Held]) -> list[str]:
    """What has grown, in words, after printing how much."""
    slope = growth(taken)
    first, last = taken[0].memory, taken[-1].memory
    print(f"memory   {first:.1f} MB at first, {last:.1f} MB in the end, {slope:+.2f} % an hour")
    found = ["memory grew"] if slope >= MOST_GROWTH else []
    for name in ("threads", "handles"):
        first, last = thirds(taken, name)
        most = max(getattr(one, name) for one in taken)
        print(f"{name:8} {first:.0f} at first, {last:.0f} in the end, {most:.0f} at most")
        if last > first:
            found.append(f"{name} were left")
    return found


def plot(path: Path, measured: dict[str, tuple[Sequence[float], Sequence[float]]], title: str) -> None:
    """One chart below the other against minutes, each from zero, so that flat looks flat."""
    charts = []
    for name, (at, values) in measured.items():
        points = [(seconds / 60, value) for seconds, value in zip(at, values, strict=True)]
        charts.append((name, curves({name: points}, "minutes", "")))
    write_plot(path, title, charts, about="")
