"""The camera of a page: one page's at a time, and only while it is the source."""

from __future__ import annotations

import asyncio
from typing import Protocol

from stylize_live.errors import StylizeError
from stylize_live.media.browser_camera import CameraPeer, Give, load

TOPIC = "camera"
_TAKEN_OVER = "another page's camera is shown now"


class Listener(Protocol):
    """A page."""

    def say(self, topic: str, words: object) -> None:
        """Tell it something."""


class PageCameras:
    """Receives the camera of the page that offered it last. For one event loop.

    Pages hear {"answer": SDP} when theirs is received, and {"off": why} when it is not, or no longer;
    `why` may be "", where they know.

    Args:
        give: called with every picture.
    """

    def __init__(self, give: Give) -> None:
        self._give = give
        self._owner: Listener | None = None
        self._peer: CameraPeer | None = None
        self._changing = asyncio.Lock()

    async def offer(self, page: Listener, offer: str) -> None:
        """A page offers its camera with this SDP; "" takes it back."""
        if not offer:
            await self.leave(page)
            return
        async with self._changing:
            if self._owner is not page:
                await self._end(_TAKEN_OVER)
            await self._hang_up()
            self._owner = page
            try:
                # In another thread: its libraries take a second to load, the first time.
                await asyncio.to_thread(load)
                self._peer = CameraPeer(self._give)
                answer = await self._peer.answer(offer)
            except StylizeError as error:
                await self._end(str(error))
                return
            page.say(TOPIC, {"answer": answer})

    async def leave(self, page: Listener) -> None:
        """A page has left, or turned its camera off."""
        async with self._changing:
            if self._owner is page:
                await self._end("")

    async def close(self) -> None:
        """Let go of whatever camera there is: it is not the source any more."""
        async with self._changing:
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
