"""Stylizers for another process, which must find them in a module that is quick to import."""

from __future__ import annotations

import ctypes
import logging
import os
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress

from stylize_live.errors import StyleError
from stylize_live.frame import Frame

CRASHES, BREAKS, TAKES_LONG, WARNS = (96, 48), (80, 48), (128, 48), (112, 48)


class WorstError(Exception):
    """Cannot be sent to another process: it wants two arguments, and `pickle` knows one."""

    def __init__(self, one: str, two: str) -> None:
        super().__init__(f"{one} {two}")


class CrashingStylizer:
    """Leaves frames as they are, but for those of certain sizes."""

    fingerprint = "nothing"

    def warm_up(self, size: tuple[int, int]) -> None:
        """Nothing to do."""

    def stream(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        """Frames, or what their size stands for."""
        for frame in frames:
            if frame.size == CRASHES:
                crash()
            if frame.size == BREAKS:
                raise WorstError("on", "purpose")
            if frame.size == TAKES_LONG:
                time.sleep(0.1)
            if frame.size == WARNS:
                logging.getLogger("stylizer").warning("thin %s", "paint")
            yield frame


def crash() -> None:
    """Read where nothing is, as a library does that has lost count."""
    with suppress(OSError):  # Windows' ctypes survives it
        ctypes.string_at(0)
    os.abort()


@contextmanager
def open_stylizer() -> Iterator[CrashingStylizer]:
    yield CrashingStylizer()


@contextmanager
def crash_at_once() -> Iterator[CrashingStylizer]:
    crash()
    yield CrashingStylizer()


@contextmanager
def miss_a_style() -> Iterator[CrashingStylizer]:
    raise StyleError("no such style")
    yield CrashingStylizer()
