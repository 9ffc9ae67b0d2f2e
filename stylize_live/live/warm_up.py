"""The start of a session: what is shown while the network is loaded."""

from __future__ import annotations

import threading
from collections.abc import Callable
from fractions import Fraction
from typing import Protocol, runtime_checkable

import numpy as np

from stylize_live.frame import Frame
from stylize_live.media.sinks.overlay import DARK, Caption
from stylize_live.naming import display_name
from stylize_live.system.clock import monotonic

_SETTLING_SECONDS = 2.0


@runtime_checkable
class Flowing(Protocol):
    """A source that says whether frames that nobody takes are lost: a camera's are, a video waits."""

    flows: bool


class WarmUp:
    """What is shown and counted until the first frame is painted.

    Attributes:
        raw: the newest frame as it came, to be shown meanwhile.
        passed: how many came and were not painted.
        ready_at: monotonic seconds at which painting began, or None before.
    """

    def __init__(self) -> None:
        self.raw: Frame | None = None
        self.passed = 0
        self.ready_at: float | None = None
        self._over = threading.Event()

    def run(self, work: Callable[[], None]) -> None:
        """Do what is to be done before a frame can be painted."""
        work()
        self.ready_at = monotonic()
        self._over.set()

    @property
    def under_way(self) -> bool:
        """Whether nothing can be painted yet."""
        return self.ready_at is None

    def see(self, frame: Frame) -> None:
        """Take a frame that came meanwhile."""
        self.raw = frame
        self.passed += 1

    def wait(self) -> None:
        """Wait until it is done, or will never be."""
        self._over.wait()

    def close(self) -> None:
        """Wake whoever waits: the session ends."""
        self._over.set()

    def seconds(self, now: float) -> float:
        """Seconds since painting began."""
        return 0.0 if self.ready_at is None else now - self.ready_at

    def settled(self, now: float) -> bool:
        """Whether the machine had time enough to find the pace that it can keep."""
        return self.seconds(now) >= _SETTLING_SECONDS


def describe_warm_up(style: str) -> str:
    """The message that is shown until the network is ready."""
    return f"preparing {display_name(style)}"


def make_card(size: tuple[int, int]) -> Frame:
    """A dark frame of this (width, height), shown while there is no other."""
    pixels = np.full((size[1], size[0], 3), DARK, np.uint8)
    return Frame(pixels, Fraction(0), monotonic(), -1)


def make_card_caption(style: str) -> Caption:
    """The caption of that frame."""
    return Caption(note=describe_warm_up(style))
