"""How threads hand frames to each other.

`Latest` is for live frames: the newest wins and nobody waits to put. `Bounded` is for files:
nothing is lost and a fast producer waits. Closing either wakes everyone who waits on it; what was
put before is still delivered.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from typing import Generic, Protocol, TypeVar

T = TypeVar("T")


class Closed(Exception):  # noqa: N818 (a normal end, not an error)
    """The channel is closed, and empty if one was reading."""


class Channel(Protocol[T]):
    """What both kinds of channel promise."""

    def put(self, item: T) -> None:
        """Hand an item over. Raises `Closed` after `close`."""

    def get(self, timeout: float | None = None) -> T:
        """Take the next item; wait for it.

        Raises:
            Closed: nothing is left and nothing will come.
            TimeoutError: nothing came within `timeout` seconds.
        """

    def close(self) -> None:
        """Refuse further items and wake everyone. May be called again."""

    def __iter__(self) -> Iterator[T]:
        """Items until the channel is closed and empty."""


class _Queue(Generic[T]):
    def __init__(self, size: int) -> None:
        self._items: deque[T] = deque()
        self._size = size
        self._changed = threading.Condition()
        self._closed = False

    def get(self, timeout: float | None = None) -> T:
        with self._changed:
            if not self._changed.wait_for(lambda: self._items or self._closed, timeout):
                raise TimeoutError
            if not self._items:
                raise Closed
            item = self._items.popleft()
            self._changed.notify_all()
            return item

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def __iter__(self) -> Iterator[T]:
        while True:
            try:
                yield self.get()
            except Closed:
                return


class Bounded(_Queue[T]):
    """A queue of at most `size` items; putting into a full one waits."""

    def put(self, item: T) -> None:
        """Append an item, waiting for room. Raises `Closed` after `close`."""
        with self._changed:
            self._changed.wait_for(lambda: len(self._items) < self._size or self._closed)
            if self._closed:
                raise Closed
            self._items.append(item)
            self._changed.notify_all()


class Latest(_Queue[T]):
    """A place for one item; putting replaces what nobody took. Never blocks, counts what it replaced."""

    def __init__(self) -> None:
        super().__init__(1)
        self._dropped = 0

    @property
    def dropped(self) -> int:
        """How many items were replaced before anybody took them."""
        return self._dropped

    def put(self, item: T) -> None:
        """Leave the newest item. Raises `Closed` after `close`."""
        with self._changed:
            if self._closed:
                raise Closed
            if self._items:
                self._items.clear()
                self._dropped += 1
            self._items.append(item)
            self._changed.notify_all()
