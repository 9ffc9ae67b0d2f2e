"""All open pages: each gets the newest of everything, at its own pace."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import statistics
import struct
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor

from pydantic import ValidationError
from starlette.websockets import WebSocket, WebSocketDisconnect

from stylize_live.frame import Frame
from stylize_live.rate_limited_log import RateLimitedLog
from stylize_live.studio.cameras import PageCameras
from stylize_live.studio.messages import Message
from stylize_live.studio.preview import Packet, Preview
from stylize_live.system.clock import monotonic

log = RateLimitedLog(logging.getLogger(__name__))

_MOST_PAGES = 8
_LONGEST = 1280  # pixels: of frames in the studio; the bare page gets all of them
# Frames that a page has not drawn yet: two keep the line busy while one is drawn.
_IN_FLIGHT = 2
_DELAYS = 15  # newest frames over which a page's median delay is taken
_TRY_LATER, _REFUSED = 1013, 1008  # WebSocket close codes
_CONNECTION_FIELDS = {"ack", "visible", "camera"}  # fields of a message that do not concern the session
_NUMBER = struct.Struct(">I")  # before the JPEG in every binary message
_LENGTH = struct.Struct(">I")  # next, of the JPEG, to a page that takes masks: one follows, or nothing


class Hub:
    """The pages that are open. Everything happens in one event loop, except `watched`.

    Args:
        executor: where frames are encoded.
        on_message: called with every message that asks for something.
        cameras: receive pages' own cameras.
    """

    def __init__(
        self, executor: Executor, on_message: Callable[[Message], None], cameras: PageCameras
    ) -> None:
        self._on_message = on_message
        self._cameras = cameras
        self._previews = {
            (bare, masks): Preview(executor, None if bare else _LONGEST, masks=masks)
            for bare in (False, True)
            for masks in (False, True)
        }
        self._said: dict[str, object] = {}
        self._pages: set[_Page] = set()

    @property
    def watched(self) -> bool:
        """Whether any page is open and can be seen. Any thread may ask."""
        return any(page.visible for page in tuple(self._pages))

    def show(self, frame: Frame) -> None:
        """Give every page this frame, or the newest one it has time for."""
        for preview in self._previews.values():
            preview.put(frame)

    def say(self, topic: str, words: object) -> None:
        """Tell every page, now and when it opens; the newest words on a topic replace older ones."""
        self._said[topic] = words
        for page in self._pages:
            page.say(topic, words)

    def said(self, topic: str) -> object:
        """The newest words on a topic, or None."""
        return self._said.get(topic)

    async def serve(self, socket: WebSocket) -> None:
        """Attend to a page until it leaves."""
        if len(self._pages) >= _MOST_PAGES:
            await socket.accept()  # only then does the page hear the code
            await socket.close(_TRY_LATER, "too many pages are open")
            return
        await socket.accept()
        bare = socket.query_params.get("bare") == "1"
        masks = socket.query_params.get("masks") == "1"
        page = _Page(socket, self._previews[bare, masks], self._on_message, self._cameras, masks=masks)
        if not bare:
            for topic, words in self._said.items():
                page.say(topic, words)
        self._pages.add(page)
        try:
            await page.run(bare)
        finally:
            self._pages.discard(page)
            self._cameras.leave(page)

    def end_camera(self) -> None:
        """No page's camera is the source any more."""
        self._cameras.end()

    async def close(self) -> None:
        """Hang up on pages' cameras."""
        await self._cameras.close()


class _Page:
    def __init__(
        self,
        socket: WebSocket,
        preview: Preview,
        on_message: Callable[[Message], None],
        cameras: PageCameras,
        *,
        masks: bool,
    ) -> None:
        self._masks = masks
        self.visible = True
        self._socket = socket
        self._preview = preview
        self._on_message = on_message
        self._cameras = cameras
        self._words: dict[str, object] = {}
        self._news = asyncio.Event()
        self._under_way: deque[Packet] = deque()
        self._room = asyncio.Event()
        self._room.set()
        self._first = 0
        self._delays: deque[float] = deque(maxlen=_DELAYS)

    def say(self, topic: str, words: object) -> None:
        self._words[topic] = words
        self._news.set()

    async def run(self, bare: bool) -> None:
        """Serve the page until it leaves or sends a message that is not valid."""
        work = [asyncio.ensure_future(self._send_images()), asyncio.ensure_future(self._listen())]
        if not bare:
            work.append(asyncio.ensure_future(self._send_words()))
        try:
            await asyncio.wait(work, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in work:
                task.cancel()
            ended = await asyncio.gather(*work, return_exceptions=True)
        for problem in ended:
            if isinstance(problem, Exception) and not isinstance(problem, (WebSocketDisconnect, OSError)):
                log.warning("a page was left alone: %r", problem, error=problem)

    async def _send_images(self) -> None:
        seen = 0
        while True:
            await self._room.wait()
            packet = await self._preview.newer(seen)
            self._first = self._first or packet.number
            seen = packet.number
            self._under_way.append(packet)
            if len(self._under_way) >= _IN_FLIGHT:
                self._room.clear()
            await self._socket.send_bytes(_NUMBER.pack(packet.number & 0xFFFFFFFF) + self._coded(packet))

    def _coded(self, packet: Packet) -> bytes:
        if not self._masks:
            return packet.jpeg
        return _LENGTH.pack(len(packet.jpeg)) + packet.jpeg + packet.mask

    async def _send_words(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            words, self._words = self._words, {}
            if self._delays:
                words["delay"] = round(statistics.median(self._delays) * 1e3, 1)
            await self._socket.send_text(json.dumps(words))

    async def _listen(self) -> None:
        while True:
            event = await self._socket.receive()
            if event["type"] == "websocket.disconnect":
                return
            try:
                message = Message.model_validate_json(event.get("text") or "")
            except ValidationError:
                with contextlib.suppress(RuntimeError):
                    await self._socket.close(_REFUSED, "not understood")
                return
            self._hear(message)

    def _hear(self, message: Message) -> None:
        if message.ack is not None:
            self._count(message.ack)
        if message.visible is not None:
            self.visible = message.visible
        if message.camera is not None:
            self._cameras.offer(self, message.camera)
        if message.model_fields_set - _CONNECTION_FIELDS:
            self._on_message(message)

    def _count(self, number: int) -> None:
        """A frame was drawn: there is room for the next one."""
        if not any(packet.number == number for packet in self._under_way):
            return
        while True:
            packet = self._under_way.popleft()
            if packet.number == number:
                break
        if packet.number != self._first:  # that one may have been there long before the page
            self._delays.append(monotonic() - packet.came_at)
        self._room.set()
