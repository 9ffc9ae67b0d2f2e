"""A display that shows nothing."""

from __future__ import annotations

from stylize_live.frame import Frame
from stylize_live.media.sinks.overlay import Caption


class NullDisplay:
    """Takes frames and forgets them; for measuring, tests and `--no-window`.

    Args:
        watched: False where only other sinks decide whether a frame is worth painting.
    """

    def __init__(self, *, watched: bool = True) -> None:
        self.watched = watched

    def write(self, frame: Frame, caption: Caption | None = None) -> None:
        """Forget a frame."""

    def poll(self) -> str | None:
        """No keys, ever."""
        return None

    def close(self) -> None:
        """Nothing to release."""
