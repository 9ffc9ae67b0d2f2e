"""One-time tickets, for a browser's command line: every user of the machine can read it."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from stylize_live.system.clock import monotonic

_VALID_SECONDS = 60.0


class Tickets:
    """Issues tickets, and takes each once, for a minute. Any thread may issue, the server's redeems.

    Args:
        clock: monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._valid: dict[str, float] = {}  # until when

    def issue(self) -> str:
        """A new ticket."""
        ticket = secrets.token_urlsafe(16)
        self._valid[ticket] = self._clock() + _VALID_SECONDS
        return ticket

    def redeem(self, ticket: str) -> bool:
        """Whether the ticket lets in; it does not a second time."""
        until = self._valid.pop(ticket, None)
        return until is not None and self._clock() <= until
