"""The clock that everything is measured and timed by."""

from __future__ import annotations

import time

# Windows gives its other clocks in steps of 15.6 ms: `time.monotonic` of Python before 3.13 is one of them.
LEAST = 1e-3
"""Seconds: what takes no longer cannot be told from nothing by every clock, and is never divided by."""


def monotonic() -> float:
    """Seconds that only grow, in steps far below a millisecond; between two calls of any threads.

    Processes that were started since the same start of the machine have the same, on Linux that of
    `time.monotonic`.
    """
    return time.perf_counter()
