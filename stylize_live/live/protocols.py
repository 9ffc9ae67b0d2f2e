"""What a session asks of a source and of a display beyond `media/protocols.py`."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from stylize_live.frame import Frame
from stylize_live.media.sinks.overlay import Caption


class LiveDisplay(Protocol):
    """Where frames go: a window, or nothing.

    Attributes:
        watched: whether anybody may be looking.
    """

    watched: bool

    def write(self, frame: Frame, caption: Caption | None = None) -> None:
        """Take a frame and what to write on it."""

    def poll(self) -> str | None:
        """Bring the frame to the screen; return the name of a key that was pressed, or "closed"."""


@runtime_checkable
class Interruptible(Protocol):
    """A source that can be woken from its waiting, and tells what it waits for."""

    trouble: str | None

    def interrupt(self) -> None:
        """End the iteration soon."""


@runtime_checkable
class Driven(Protocol):
    """A source that tells waiting for the next frame from waiting for a driver.

    Attributes:
        in_device: whether it is inside a driver or library now, from where it may not come back.
    """

    @property
    def in_device(self) -> bool: ...
