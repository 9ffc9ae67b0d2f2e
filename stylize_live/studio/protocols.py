"""HTTP and WebSocket as Uvicorn speaks them, with limits on whoever says too much, or nothing."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame
from websockets.http11 import Response
from websockets.server import ServerProtocol

from stylize_live.studio.connections import Connections
from stylize_live.studio.guard import HEADERS

# What a page may send: its words are some kilobytes a second, the offer of a camera 12 at once.
_BYTES_A_SECOND = 65536
_BYTES_AT_ONCE = 32768
TAKEN = "taken"  # in a request's state: to be called when a part of the answer was taken
ENDED = "ended"  # likewise: an event that is set when the server ends, a second before it cancels requests
_TICK = 0.05  # seconds
_MOST_FRAGMENTS = 64  # of a message; browsers send one
_TOO_BIG = 1009  # WebSocket close code


class HttpProtocol(H11Protocol):
    """One connection that asks for pages.

    Args:
        connections: all connections.
        options: of Uvicorn.
    """

    def __init__(self, connections: Connections, **options: Any) -> None:
        super().__init__(**options)
        self._connections = connections
        self._refused = False
        # Of a long answer: what is being taken may go on, however long the whole takes.
        self._ended = asyncio.Event()
        mine = {TAKEN: lambda: self._connections.asks(self.transport), ENDED: self._ended}
        self.app_state = {**self.app_state, **mine}

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """See `asyncio.Protocol`."""
        self._refused = not self._connections.admit(transport)
        if not self._refused:
            super().connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """See `asyncio.Protocol`."""
        if not self._refused:
            self._connections.leaves(self.transport)
            super().connection_lost(exc)

    def shutdown(self) -> None:
        """See `H11Protocol`."""
        self._ended.set()
        super().shutdown()

    def data_received(self, data: bytes) -> None:
        """See `asyncio.Protocol`."""
        if not self._refused:
            super().data_received(data)

    def handle_events(self) -> None:
        """Take requests; the time for the next one runs from the end of the answer, whatever trickles in."""
        before = self.cycle
        super().handle_events()
        if self.cycle is not before and not self.cycle.response_complete:
            self._connections.asks(self.transport)

    def on_response_complete(self) -> None:
        """An answer was written."""
        self._connections.waits(self.transport)
        super().on_response_complete()

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        """Hand the connection over to a `WebSocketProtocol`."""
        self._connections.asks(self.transport)
        super().handle_websocket_upgrade(event)

    def send_400_response(self, msg: str) -> None:
        """Answer what is no request, and hang up; a request whose body it is gets no other answer."""
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"connection", b"close")]
            headers += [(name.encode(), value.encode()) for name, value in HEADERS.items()]
            answer = h11.Response(status_code=400, headers=headers, reason=b"Bad Request")
            for part in (answer, h11.Data(data=msg.encode()), h11.EndOfMessage()):
                self.transport.write(self.conn.send(part) or b"")
        if self.cycle is not None:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        self.transport.close()


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """One page that is open. What it sends too fast is read later; nobody else waits for it.

    Args:
        connections: all connections.
        options: of Uvicorn.
    """

    def __init__(self, connections: Connections, **options: Any) -> None:
        super().__init__(**options)
        self.conn = _Connection(max_size=self.config.ws_max_size, logger=logging.getLogger("uvicorn.error"))
        self._connections = connections
        self._allowed = float(_BYTES_AT_ONCE)
        self._counted_at = self.loop.time()
        self._unread = bytearray()
        self._later: asyncio.TimerHandle | None = None

    def connection_lost(self, exc: Exception | None) -> None:
        """See `asyncio.Protocol`."""
        self._connections.leaves(self.transport)
        if self._later is not None:
            self._later.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """See `asyncio.Protocol`."""
        self._unread += data
        if self._later is None:
            self._read()
        else:
            self.transport.pause_reading()

    def _read(self) -> None:
        self._later = None
        now = self.loop.time()
        self._allowed = min(_BYTES_AT_ONCE, self._allowed + (now - self._counted_at) * _BYTES_A_SECOND)
        self._counted_at = now
        portion = bytes(self._unread[: int(self._allowed)])
        del self._unread[: len(portion)]
        self._allowed -= len(portion)
        if portion:
            super().data_received(portion)
        if self.transport.is_closing():
            return
        if self._unread:
            self.transport.pause_reading()
            self._later = self.loop.call_later(_TICK, self._read)
        elif not self.read_paused:
            self.transport.resume_reading()

    def handle_cont(self, event: Frame) -> None:
        """Take the next part of a message, unless there were too many."""
        if len(self.frames) < _MOST_FRAGMENTS:
            super().handle_cont(event)
        elif not self.close_sent:
            self.conn.fail(_TOO_BIG, "too many fragments")
            self.handle_parser_exception()

    def keepalive_timeout(self) -> None:
        """A page that does not answer is gone, also where frames still wait to be sent to it."""
        super().keepalive_timeout()
        self.transport.abort()

    async def send(self, message: Any) -> None:
        """See ASGI."""
        if message["type"] == "websocket.accept":
            self._connections.stays(self.transport)
        await super().send(message)


class _Connection(ServerProtocol):
    def send_response(self, response: Response) -> None:
        """Refusals carry the headers of all other answers."""
        if response.status_code != 101:
            for name, value in HEADERS.items():
                response.headers.setdefault(name, value)
        super().send_response(response)
