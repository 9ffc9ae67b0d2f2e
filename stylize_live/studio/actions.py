"""What a page's buttons can have done once: each button in `static/index.html` says which in `data-do`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from stylize_live.live.session import LiveSession
from stylize_live.studio.learning import learning_of


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


def _end_learning(session: LiveSession, devices: Devices) -> None:
    learning_of(session).end()


def _undo_learning(session: LiveSession, devices: Devices) -> None:
    learning_of(session).undo()


# By the word that pages send.
ACTIONS: Mapping[str, Callable[[LiveSession, Devices], None]] = {
    "snapshot": _snapshot,
    "record": _record,
    "look": _look,
    "end_learning": _end_learning,
    "undo_learning": _undo_learning,
}
