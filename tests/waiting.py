"""Waiting in tests: for what is to become true, never for a time to pass."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def eventually(
    condition: Callable[[], T], what: str = "it", *, within: float = 8.0, every: float = 0.002
) -> T:
    """Ask again and again until the answer is true, and give that answer.

    Args:
        condition: what is asked.
        what: its name, for the error.
        within: seconds after which it is wrong that it is not true yet.
        every: seconds between two questions.

    Raises:
        AssertionError: it was not true in time.
    """
    end = time.monotonic() + within
    while not (answer := condition()):
        assert time.monotonic() < end, f"not true within {within:g} s: {what}"
        time.sleep(every)
    return answer


class StandingClock(threading.Event):
    """Time that passes only while somebody waits: in place of a clock, and of the event that ends the wait.

    Attributes:
        now: seconds.
    """

    def __init__(self) -> None:
        super().__init__()
        self.now = 1000.0

    def monotonic(self) -> float:
        """The clock."""
        return self.now

    def wait(self, timeout: float | None = None) -> bool:
        """Let time pass at once. Whether the event is set."""
        if not self.is_set():
            self.now += timeout or 0.0
        return self.is_set()
