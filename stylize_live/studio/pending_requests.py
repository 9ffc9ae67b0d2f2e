"""What programs ask of the show and wait for: asked in the server's thread, done in the show's."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable

from stylize_live.studio.control import NotNowError, Wish

log = logging.getLogger(__name__)

_MOST = 256  # that wait


class PendingRequests:
    """A queue of wishes. `carry_out` is for the event loop, all else for the show's main thread.

    Args:
        loop: the event loop.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._waiting: deque[tuple[Wish, asyncio.Future[None]]] = deque()
        self._done: list[tuple[asyncio.Future[None], Exception | None]] = []

    async def carry_out(self, wish: Wish) -> None:
        """Wait until a wish is done. Raises what it raised, and `NotNowError` where too many wait."""
        if len(self._waiting) >= _MOST:
            raise NotNowError("too many requests are waiting")
        future: asyncio.Future[None] = self._loop.create_future()
        self._waiting.append((wish, future))
        await future

    def attend(self, do: Callable[[Wish], Exception | None]) -> None:
        """Do what waits, but for what nobody waits for any more; `do` returns what went wrong."""
        for _ in range(len(self._waiting)):
            wish, future = self._waiting.popleft()
            if not future.cancelled():
                self._done.append((future, do(wish)))

    def answer(self) -> None:
        """Tell those that wait; after pages were told the news, so that nobody reads old ones."""
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
