"""How long a stage works, and whether it is at work now."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from stylize_live.system.clock import monotonic

T = TypeVar("T")


class Stopwatch:
    """Adds up the seconds spent inside `with`. One thread works by it; any may ask.

    Attributes:
        seconds: so far.
    """

    def __init__(self) -> None:
        self.seconds = 0.0
        self._began = 0.0
        self._turns = 0
        self._working = False

    @property
    def turn(self) -> int | None:
        """A number that changes each time work begins; None while there is no work."""
        return self._turns if self._working else None

    def _begin(self) -> None:
        self._turns += 1
        self._working = True

    def __enter__(self) -> None:
        self._began = monotonic()
        self._begin()

    def __exit__(self, *_: object) -> None:
        self._working = False
        self.seconds += monotonic() - self._began

    @contextmanager
    def at_length(self) -> Iterator[None]:
        """Measure work that may take as long as it likes: a watchdog does not see it."""
        with self:
            self._working = False
            yield

    def over(self, items: Iterable[T]) -> Iterator[T]:
        """The items, counting the time it takes to get each."""
        iterator = iter(items)
        while True:
            with self:
                try:
                    item = next(iterator)
                except StopIteration:
                    return
            yield item

    def waiting_for(self, items: Iterable[T]) -> Iterator[T]:
        """The items, subtracting the time it takes to get each: that is another stage's work."""
        iterator = iter(items)
        while True:
            began = monotonic()
            self._working = False
            try:
                item = next(iterator)
            except StopIteration:
                return
            finally:
                self._begin()
                self.seconds -= monotonic() - began
            yield item
