"""Who is connected to the studio: how many at most, and how long one may keep it waiting.

A connection is cheap to open and takes a file handle, of which the session needs some itself. So their
number is limited, in all and from each address. Where it is reached, the connection that has waited longest
without asking for anything is closed: whoever opens hundreds of idle ones closes their own.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from dataclasses import dataclass

from stylize_live.rate_limited_log import RateLimitedLog
from stylize_live.system.permissions import max_open_files

_MOST = 64
_MOST_OF_ONE = 48  # from one address: eight pages, and what their browsers open beside each
_SHARE = 4  # one in four of all file handles
_SECONDS_TO_ASK = 10.0  # for a whole request, body included
_SECONDS_TO_TAKE = 30.0  # an answer

log = RateLimitedLog(logging.getLogger(__name__))


def most_connections() -> int:
    """How many connections there may be, so that the session keeps file handles for itself."""
    handles = max_open_files()
    return _MOST if handles is None else max(4, min(_MOST, handles // _SHARE))


@dataclass(slots=True)
class _Connected:
    address: str
    waits: bool
    deadline: asyncio.TimerHandle | None


class Connections:
    """The connections of one server. For its event loop.

    Args:
        most: connections at the same time.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._most_of_one = min(_MOST_OF_ONE, max(1, most * _MOST_OF_ONE // _MOST))
        self._connections: dict[asyncio.Transport, _Connected] = {}

    def __len__(self) -> int:
        return len(self._connections)

    def admit(self, transport: asyncio.Transport) -> bool:
        """Take a new connection; whether it may stay. If not, it is closed."""
        address = _address(transport)
        if sum(visitor.address == address for visitor in self._connections.values()) >= self._most_of_one:
            admitted = self.make_room(address)
        else:
            admitted = len(self._connections) < self._most or self.make_room()
        if not admitted:
            log.warning("the studio has %d connections, one more was turned away", len(self._connections))
            transport.abort()
            return False
        self._connections[transport] = _Connected(address, True, self._deadline(transport, _SECONDS_TO_ASK))
        return True

    def make_room(self, address: str | None = None) -> bool:
        """Close what has waited longest without asking for anything; False if nothing does."""
        waiting = self._waiting(address)
        longest = next(waiting, None)
        if longest is None:
            return False
        log.warning("the studio has too many connections: idle ones are closed")
        self._end(longest)
        return True

    def _waiting(self, address: str | None) -> Iterator[asyncio.Transport]:
        return (
            transport
            for transport, visitor in self._connections.items()
            if visitor.waits and address in (None, visitor.address)
        )

    def asks(self, transport: asyncio.Transport) -> None:
        """A whole request has come, and is answered now."""
        self._now(transport, waits=False, seconds=_SECONDS_TO_TAKE)

    def waits(self, transport: asyncio.Transport) -> None:
        """An answer is on its way, the next request may follow."""
        self._now(transport, waits=True, seconds=_SECONDS_TO_ASK)

    def stays(self, transport: asyncio.Transport) -> None:
        """A page has come to stay: others look after it."""
        self._now(transport, waits=False, seconds=None)

    def leaves(self, transport: asyncio.Transport) -> None:
        """A connection has ended. May be told again."""
        visitor = self._connections.pop(transport, None)
        if visitor is not None and visitor.deadline is not None:
            visitor.deadline.cancel()

    def _now(self, transport: asyncio.Transport, *, waits: bool, seconds: float | None) -> None:
        if transport not in self._connections:
            return
        address = self._connections[transport].address
        self.leaves(transport)  # and comes last in the row
        deadline = None if seconds is None else self._deadline(transport, seconds)
        self._connections[transport] = _Connected(address, waits, deadline)

    def _deadline(self, transport: asyncio.Transport, seconds: float) -> asyncio.TimerHandle:
        return asyncio.get_running_loop().call_later(seconds, self._end, transport)

    def _end(self, transport: asyncio.Transport) -> None:
        self.leaves(transport)
        transport.abort()  # `close` would wait for one that takes nothing


def _address(transport: asyncio.Transport) -> str:
    peer = transport.get_extra_info("peername")
    return str(peer[0]) if peer else ""
