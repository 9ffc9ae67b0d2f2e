"""What was asked for and is not done yet: filled by one thread, emptied by the main thread."""

from __future__ import annotations

import threading
from collections.abc import Hashable
from itertools import islice
from typing import Generic, TypeVar

ItemT = TypeVar("ItemT")


class Inbox(Generic[ItemT]):
    """Items in their order; of those with the same key the last one only, so that a flood does not pile up.

    Args:
        most: items that may wait.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._items: dict[Hashable, ItemT] = {}

    def put(self, item: ItemT, key: Hashable = None) -> bool:
        """Add an item, in the place of one with the same key; None is no key. Whether there was room."""
        with self._lock:
            if key is not None:
                self._items.pop(key, None)
            if len(self._items) >= self._most:
                return False
            self._items[object() if key is None else key] = item
            return True

    def take(self, most: int) -> list[ItemT]:
        """The oldest items, so many at most; they are gone then."""
        if not self._items:  # the usual case, a hundred times a second
            return []
        with self._lock:
            keys = list(islice(self._items, most))
            return [self._items.pop(key) for key in keys]
