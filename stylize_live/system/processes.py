"""What processes that we started hold, and what there is to hold."""

from __future__ import annotations

import os
import subprocess
import sys


def installed_memory() -> int:
    """Memory of this machine, in bytes."""
    import psutil  # later: it would be loaded with every command

    return int(psutil.virtual_memory().total)


def wait_for_peak(child: subprocess.Popen[str]) -> float | None:
    """Wait for the end of a process.

    Returns:
        The most memory that it held, in MB, or None where the system does not tell. At least what this
        process held when it started the other one.
    """
    if sys.platform == "win32":
        child.wait()
        return None
    _, status, used = os.wait4(child.pid, 0)  # psutil knows what a process holds, not what it held at most
    child.returncode = os.waitstatus_to_exitcode(status)
    return float(used.ru_maxrss) / (1 << 20 if sys.platform == "darwin" else 1 << 10)


def lower_priority() -> None:
    """Give way to all other processes from now on, with all threads that begin later."""
    if sys.platform == "win32":
        import psutil

        psutil.Process().nice(psutil.IDLE_PRIORITY_CLASS)
        return
    os.nice(19)
