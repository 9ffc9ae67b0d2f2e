"""Threads that belong together: one fails, all stop, and the first error comes out."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Protocol

from stylize_live.concurrency.channel import Closed
from stylize_live.concurrency.failures import explain_failure
from stylize_live.system.clock import monotonic

log = logging.getLogger(__name__)

# An error has to come out within two seconds even when a source hangs in its driver; closing that
# source, encoder and file takes a part of them, too.
_JOIN_SECONDS = 1.2


class SupportsClose(Protocol):
    """A channel, or whatever else ends a thread's wait."""

    def close(self) -> None:
        """Wake everyone who waits."""


class WorkerGroup:
    """A group of named threads and the channels between them.

    Use it as a context manager: leaving the block stops and joins every thread. A stage ends by
    returning; `Closed` counts as a normal end. Any other exception is kept, see `explain_failure`, closes
    all channels, and is raised again by `check` and `join`.
    """

    def __init__(self, *channels: SupportsClose) -> None:
        self._channels = channels
        self._threads: list[_Thread] = []
        self._error: BaseException | None = None
        self._lock = threading.Lock()
        self.stopping = threading.Event()

    def start(self, name: str, work: Callable[[], None], *, closes: tuple[SupportsClose, ...] = ()) -> None:
        """Run `work` in a thread; when it ends, for whatever reason, close the channels it fills."""

        def body() -> None:
            try:
                work()
            except Closed:
                pass
            except BaseException as error:
                self._fail(explain_failure(error, name))
            finally:
                for channel in closes:
                    channel.close()

        self._threads.append(_Thread(f"stylize-{name}", body))

    def _fail(self, error: BaseException) -> None:
        with self._lock:
            if self._error is None:
                self._error = error
        self.stop()

    def stop(self) -> None:
        """Ask every stage to end: set `stopping` and close all channels."""
        self.stopping.set()
        for channel in self._channels:
            channel.close()

    @property
    def running(self) -> bool:
        """Whether any stage still works."""
        return any(not thread.ended for thread in self._threads)

    def check(self) -> None:
        """Raise the first error that a stage met, if any."""
        if self._error is not None:
            raise self._error

    def join(self, timeout: float | None = None) -> None:
        """Wait for all stages, then raise the first error. Wakes often enough for Ctrl-C to be heard."""
        deadline = None if timeout is None else monotonic() + timeout
        for thread in self._threads:
            while not thread.ended and (deadline is None or monotonic() < deadline):
                thread.join(0.1 if deadline is None else min(0.1, deadline - monotonic()))
        self.check()

    def __enter__(self) -> WorkerGroup:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        deadline = monotonic() + _JOIN_SECONDS
        for thread in self._threads:
            thread.join(deadline - monotonic())
            if not thread.ended:
                log.warning("thread %s did not stop in time", thread.name)


class _Thread:
    """A thread that began, and whose end is known even if Ctrl-C came while somebody waited for it.

    Python's own takes a thread for ended when `join` is interrupted: nobody would wait for it again, and what
    it works with would be closed under its hands.
    """

    def __init__(self, name: str, body: Callable[[], None]) -> None:
        self.name = name
        self._ended = threading.Event()

        def run() -> None:
            try:
                body()
            finally:
                self._ended.set()

        self._thread = threading.Thread(target=run, name=name, daemon=True)
        self._thread.start()

    @property
    def ended(self) -> bool:
        """Whether its work is done."""
        return self._ended.is_set()

    def join(self, seconds: float) -> None:
        """Wait for its end, but no longer."""
        if self._ended.wait(max(0.0, seconds)):
            self._thread.join()
