"""Log lines that an attack or a broken disk could make a flood of: one a minute of each kind."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Hashable

from stylize_live.system.clock import monotonic

_SECONDS = 60.0


class RateLimit:
    """Lets the first of a kind through, and the next one when a minute has passed. For all threads.

    Args:
        clock: gives seconds that only grow.
    """

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._next: dict[Hashable, float] = {}
        self._passed_over: dict[Hashable, int] = {}

    def count_passed_over(self, kind: Hashable) -> int | None:
        """How many of this kind were passed over since the last one; None if this one is, too."""
        now = self._clock()
        with self._lock:
            if now < self._next.get(kind, now):
                self._passed_over[kind] = self._passed_over.get(kind, 0) + 1
                return None
            self._next[kind] = now + _SECONDS
            return self._passed_over.pop(kind, 0)


class RateLimitedLog:
    """Warnings of a logger, of each kind one a minute; tells how many it left out.

    Args:
        log: where they go.
        clock: see `RateLimit`.
    """

    def __init__(self, log: logging.Logger, clock: Callable[[], float] = monotonic) -> None:
        self._log = log
        self._limit = RateLimit(clock)

    def warning(self, message: str, *arguments: object, error: BaseException | None = None) -> None:
        """Log a line; its kind is the message without its arguments. Where `error` arose is for --debug."""
        more = self._limit.count_passed_over(message)
        if more is None:
            return
        left_out = f" (and {more} more since the last of these lines)" if more else ""
        self._log.warning(message + left_out, *arguments)
        if error is not None:
            self._log.debug("where it arose", exc_info=error)


class RateLimitedFilter(logging.Filter):
    """For a library's logger: lines seldom, and where an error arose only for --debug."""

    def __init__(self) -> None:
        super().__init__()
        self._limit = RateLimit()

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether a line goes on its way."""
        if self._limit.count_passed_over(record.msg) is None:
            return False
        if record.exc_info and not logging.getLogger().isEnabledFor(logging.DEBUG):
            record.msg = f"{str(record.msg).strip()}: {record.exc_info[1]!r}"
            record.exc_info = record.exc_text = None
        return True
