"""Waiting in tests: for what is to become true, never for a time to pass."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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


@contextmanager
def promptly(within: float = 2.0) -> Iterator[Callable[[], None]]:
    """Where the time is what is promised: an error is out, and a wait ends, within two seconds.

    They count from the beginning of the block, or from the last call of what it is given.
    """
    began = [time.monotonic()]
    yield lambda: began.append(time.monotonic())
    passed = time.monotonic() - began[-1]
    assert passed < within, f"took {passed:.1f} s"


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
