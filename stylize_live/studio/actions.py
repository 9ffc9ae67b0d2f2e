"""What a page's buttons can have done once: each button in `static/index.html` says which in `data-do`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from stylize_live.live.session import LiveSession


class Devices(Protocol):
    """Whoever lists the connected devices."""

    def refresh_devices(self) -> None:
        """List them anew."""


def _snapshot(session: LiveSession, devices: Devices) -> None:
    session.view.press("p")


def _record(session: LiveSession, devices: Devices) -> None:
    session.view.press("r")


def _look(session: LiveSession, devices: Devices) -> None:
    devices.refresh_devices()


# By the word that pages send.
ACTIONS: Mapping[str, Callable[[LiveSession, Devices], None]] = {
    "snapshot": _snapshot,
    "record": _record,
    "look": _look,
}
