"""`with` for everything that has a `close`, and for what must not be left half done."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Self

log = logging.getLogger(__name__)

_PATIENCE_SECONDS = 0.25  # a run may close several things that hang, and must end within two seconds


class Closeable:
    """Gives a class with a `close` method the `with` statement."""

    def close(self) -> None:
        """Release what is held. May be called twice."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Transaction(Closeable):
    """`with` for a class whose `close` completes something and whose `abort` leaves nothing of it."""

    def abort(self) -> None:
        """Leave nothing behind. May be called after `close`, when it does nothing."""
        raise NotImplementedError

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.close()
        else:
            self.abort()


class Turn:
    """Held by whoever works inside a library; whoever closes waits for it, but not for ever.

    A library that hangs on a dead disk or in a driver is left to the operating system: closing what another
    thread is inside of would crash the process, and waiting would never end.

    Args:
        owner: what is worked on, for the log.
        late: releases it, called by a worker that came back after nobody waited for it any more.
    """

    def __init__(self, owner: str, late: Callable[[], None]) -> None:
        self._owner, self._late = owner, late
        self._lock = threading.Lock()
        self._given_up = False

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()
        if self._given_up:
            with suppress(Exception), self._lock:  # nobody is there to be told
                self._late()

    @contextmanager
    def to_close(self) -> Iterator[bool]:
        """Wait a moment for the turn; False where whoever has it does not come back, which is logged."""
        came = self._lock.acquire(timeout=_PATIENCE_SECONDS)
        if not came:
            self._given_up = True
            came = self._lock.acquire(blocking=False)  # it came back in this very moment
        if not came:
            log.warning("%s does not answer and was not released", self._owner)
        try:
            yield came
        finally:
            if came:
                self._lock.release()
