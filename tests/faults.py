"""Faults that are put into a running session or conversion, and the places where they can be put in."""

from __future__ import annotations

import errno
import functools
import importlib
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partialmethod
from typing import Any, Literal

import numpy as np
import pytest

from stylize_live.concurrency.watchdog import Watchdog
from stylize_live.frame import Frame

Kind = Literal["gives a frame", "gives pixels", "yields frames", "takes a frame", "works", "yields"]
HOUR = 3_600
LONGEST_HANG = 20.0  # seconds, should a test forget to release it


class BoomError(Exception):
    """A mistake of ours."""


ERRORS: dict[str, Callable[[], BaseException]] = {
    "raises": lambda: BoomError("boom"),
    "out of memory": lambda: MemoryError(),
    "device gone": lambda: OSError(errno.ENODEV, os.strerror(errno.ENODEV)),
    "disk full": lambda: OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)),
    "permission lost": lambda: PermissionError(errno.EACCES, os.strerror(errno.EACCES)),
}
IMAGES = ("wrong size", "wrong type", "clock jump")
FAULTS = ("raises", "hangs", "slow", *IMAGES, *list(ERRORS)[1:], "signal")


@dataclass
class Seam:
    """A method or function that does a stage's work.

    Attributes:
        where: "module:Class.method" or "module:function".
        kind: what passes there, which says how a frame can be spoilt.
        call: number of the call, or of what is yielded, at which the fault comes; from 1.
    """

    where: str
    kind: Kind
    call: int

    def owner(self) -> tuple[Any, str]:
        """The class or module, and the name in it."""
        module, _, path = self.where.partition(":")
        owner: Any = importlib.import_module(module)
        *outer, name = path.split(".")
        return functools.reduce(getattr, outer, owner), name


class Injected:
    """A fault in a seam. Hanging calls hang until `release`; watchdogs' clocks run fast meanwhile."""

    def __init__(self, seam: Seam, fault: str, patch: pytest.MonkeyPatch) -> None:
        self._seam, self._fault = seam, fault
        self._calls = 0
        self._released = threading.Event()
        self._hangs_since = self.struck_at = 0.0  # monotonic seconds, once it was
        self.happened = threading.Event()
        patch.setattr(Watchdog, "__init__", partialmethod(Watchdog.__init__, clock=self._clock))
        owner, name = seam.owner()
        original = getattr(owner, name)
        wrapper = (
            self._yielding(original) if seam.kind in ("yields", "yields frames") else self._calling(original)
        )
        patch.setattr(owner, name, functools.wraps(original)(wrapper))

    def _clock(self) -> float:
        now = time.monotonic()
        return now + 1000 * (now - self._hangs_since) if self._hangs_since else now

    def release(self) -> None:
        """Let go of what hangs."""
        self._released.set()

    def _calling(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            if not self._due():
                return original(*args, **kwargs)
            if self._seam.kind == "takes a frame" and self._fault in IMAGES:
                return original(args[0], self._spoilt(args[1]), *args[2:], **kwargs)
            self._strike()
            return self._spoilt(original(*args, **kwargs))

        return call

    def _yielding(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Iterator[Any]:
            for item in original(*args, **kwargs):
                if self._due():
                    self._strike()
                    yield self._spoilt(item)
                else:
                    yield item

        return call

    def _due(self) -> bool:
        self._calls += 1
        lasting = self._fault == "slow" or self._fault in IMAGES
        return self._calls >= self._seam.call if lasting else self._calls == self._seam.call

    def _strike(self) -> None:
        self.struck_at = self.struck_at or time.monotonic()
        self.happened.set()
        if self._fault in ERRORS:
            raise ERRORS[self._fault]()
        if self._fault == "hangs":
            self._hangs_since = self.struck_at
            self._released.wait(LONGEST_HANG)
        elif self._fault == "slow":
            time.sleep(0.01)
        elif self._fault == "signal" and self._calls == self._seam.call:
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.02)  # inside of it while the main thread hears

    def _spoilt(self, item: Any) -> Any:
        self.struck_at = self.struck_at or time.monotonic()
        self.happened.set()
        if item is None or self._fault not in IMAGES:
            return item
        if self._seam.kind == "gives pixels":
            return _SPOIL_PIXELS[self._fault](item)
        return _SPOIL[self._fault](item)


def _smaller(frame: Frame) -> Frame:
    return frame.with_image(_half(frame.pixels))


def _half(pixels: Any) -> Any:
    return np.ascontiguousarray(pixels[::2, ::2])


def _floats(frame: Frame) -> Frame:
    return frame.with_image(frame.pixels.astype(np.float64))  # type: ignore[arg-type]


def _tomorrow(frame: Frame) -> Frame:
    """An hour later in the video; captured at another hour every other time, as by a clock set to and fro."""
    captured_at = frame.captured_at + (HOUR if frame.index % 2 else 0)
    return replace(frame, pts=frame.pts + Fraction(HOUR), captured_at=captured_at)


_SPOIL: dict[str, Callable[[Any], Any]] = {
    "wrong size": _smaller,
    "wrong type": _floats,
    "clock jump": _tomorrow,
}
_SPOIL_PIXELS: dict[str, Callable[[Any], Any]] = {
    "wrong size": _half,
    "wrong type": lambda pixels: pixels.astype(np.float64),
}
