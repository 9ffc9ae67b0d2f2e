"""Which cores this process runs on."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path

_THREADS = Path("/proc/self/task")


def keep_to_cores(first: int, count: int) -> None:
    """Run on so many cores from now on, all threads, as if the machine had no others: libraries start as many
    threads as they find cores. Does nothing where the system has no such thing, or there are not that many.

    Args:
        first: the first of them, counted from 0 among those that this process may use.
        count: how many.
    """
    if sys.platform != "linux":
        return
    cores = sorted(os.sched_getaffinity(0))[first : first + count]
    if len(cores) < count:
        return
    for thread in _THREADS.iterdir():
        with suppress(ProcessLookupError):  # it ended meanwhile
            os.sched_setaffinity(int(thread.name), cores)
