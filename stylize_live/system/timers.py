"""How exactly the system wakes a thread that waits for a moment."""

from __future__ import annotations

import ctypes
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from stylize_live.system.native import load_windows_library

log = logging.getLogger(__name__)

_MILLISECONDS = 1
_NO_ERROR = 0
# Of Windows' processthreadsapi.h
_POWER_THROTTLING = 4  # the kind of information
_VERSION, _IGNORE_TIMER_RESOLUTION = 1, 4


class _PowerThrottling(ctypes.Structure):
    _fields_ = (
        ("version", ctypes.c_uint32),
        ("controlled", ctypes.c_uint32),
        ("throttled", ctypes.c_uint32),
    )


@contextmanager
def fine_timers() -> Iterator[None]:
    """Have waits end within a millisecond of their time, on Windows, too; never raises.

    There, they end with a tick that comes every 15.6 ms unless a program asks for more: frames at 30 a
    second would be 31 or 47 ms apart. Other systems are exact without being asked.
    """
    winmm = load_windows_library("winmm") if sys.platform == "win32" else None
    finer = winmm is not None and _begin(winmm)
    try:
        yield
    finally:
        if winmm is not None and finer:
            winmm.timeEndPeriod(_MILLISECONDS)


def _begin(winmm: Any) -> bool:
    """Ask for it; whether that has to be taken back."""
    try:
        refused = winmm.timeBeginPeriod(_MILLISECONDS) != _NO_ERROR
    except (AttributeError, OSError):
        refused = True
    if refused:
        log.info("the system refuses fine timers: frames may come unevenly")
        return False
    with suppress(AttributeError, OSError):
        _keep_behind_others()
    return True


def _keep_behind_others() -> None:
    """Keep fine timers while no window of ours is seen: Windows 11 drops them then, and OBS may cover it."""
    kernel = load_windows_library("kernel32")
    if kernel is None:
        return
    kernel.GetCurrentProcess.restype = ctypes.c_void_p
    kernel.SetProcessInformation.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p, ctypes.c_uint32]
    state = _PowerThrottling(_VERSION, _IGNORE_TIMER_RESOLUTION, 0)
    size = ctypes.sizeof(state)
    kernel.SetProcessInformation(kernel.GetCurrentProcess(), _POWER_THROTTLING, ctypes.byref(state), size)
