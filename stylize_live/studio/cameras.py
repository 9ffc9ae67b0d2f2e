"""Cameras of pages: one page's at a time, and only while it is the source."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Protocol

from stylize_live.errors import StylizeError, describe_error
from stylize_live.media.sources.webrtc import CameraPeer, Give, load_aiortc

TOPIC = "camera"
_TAKEN_OVER = "another page's camera is shown now"


class Listener(Protocol):
    """A page."""

    def say(self, topic: str, words: object) -> None:
        """Tell it something."""


class PageCameras:
    """Receives the camera of the page that offered it last. For one event loop.

    Pages hear {"answer": SDP} when theirs is received, and {"off": why} when it is not, or no longer;
    `why` may be "", where they know. Calls are followed one after the other, and nobody waits for them.

    Args:
        give: called with every frame.
    """

    def __init__(self, give: Give) -> None:
        self._give = give
        self._owner: Listener | None = None
        self._peer: CameraPeer | None = None
        self._turn = asyncio.Lock()
        self._work: set[asyncio.Task[None]] = set()

    def offer(self, page: Listener, offer: str) -> None:
        """A page offers its camera with this SDP; "" takes it back."""
        if offer:
            self._do(self._receive(page, offer))
        else:
            self.leave(page)

    def leave(self, page: Listener) -> None:
        """A page has left, or turned its camera off."""
        self._do(self._leave(page))

    def end(self) -> None:
        """No page's camera is the source any more."""
        self._do(self._end(""))

    async def close(self) -> None:
        """The same, and wait for it."""
        self.end()
        await asyncio.gather(*self._work)

    def _do(self, work: Awaitable[None]) -> None:
        async def in_turn() -> None:
            async with self._turn:
                await work

        task = asyncio.ensure_future(in_turn())
        self._work.add(task)  # the loop alone would forget it
        task.add_done_callback(self._work.discard)

    async def _receive(self, page: Listener, offer: str) -> None:
        if self._owner is not page:
            await self._end(_TAKEN_OVER)
        await self._hang_up()
        self._owner = page
        try:
            # In another thread: its libraries take a second to load, the first time.
            await asyncio.to_thread(load_aiortc)
            self._peer = CameraPeer(self._give)
            answer = await self._peer.answer(offer)
        except (StylizeError, OSError) as error:
            await self._end(describe_error(error))
        else:
            page.say(TOPIC, {"answer": answer})

    async def _leave(self, page: Listener) -> None:
        if self._owner is page:
            await self._end("")

    async def _end(self, why: str) -> None:
        owner, self._owner = self._owner, None
        if owner is not None:
            owner.say(TOPIC, {"off": why})
        await self._hang_up()

    async def _hang_up(self) -> None:
        peer, self._peer = self._peer, None
        if peer is not None:
            await peer.close()
