"""Commands of programs, which wait for their answer: put in the server's thread, done in the main thread."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable

from stylize_live.studio.control import Command, NotNowError

log = logging.getLogger(__name__)

_MOST = 256  # that wait


class PendingRequests:
    """A queue of commands. `carry_out` is for the event loop, all else for the main thread.

    Args:
        loop: the event loop.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._waiting: deque[tuple[Command, asyncio.Future[None]]] = deque()
        self._done: list[tuple[asyncio.Future[None], Exception | None]] = []

    async def carry_out(self, command: Command) -> None:
        """Wait until a command is done. Raises what it raised, and `NotNowError` where too many wait."""
        if len(self._waiting) >= _MOST:
            raise NotNowError("too many requests are waiting")
        future: asyncio.Future[None] = self._loop.create_future()
        self._waiting.append((command, future))
        await future

    def attend(self, do: Callable[[Command], Exception | None]) -> None:
        """Do the commands that wait, but for those given up; `do` returns the error, or None."""
        for _ in range(len(self._waiting)):
            command, future = self._waiting.popleft()
            if not future.cancelled():
                self._done.append((future, do(command)))

    def answer(self) -> None:
        """Answer the programs that wait; to be called once pages were told the new state."""
        done, self._done = self._done, []
        for future, error in done:
            try:
                self._loop.call_soon_threadsafe(_settle, future, error)
            except RuntimeError:  # the server has ended
                log.debug("nobody waits for an answer any more")


def _settle(future: asyncio.Future[None], error: Exception | None) -> None:
    if future.done():  # given up meanwhile
        return
    if error is None:
        future.set_result(None)
    else:
        future.set_exception(error)
