"""A source for when none could be opened."""

from __future__ import annotations

from collections.abc import Iterator

from stylize_live.frame import Frame
from stylize_live.media.sources.live_source import LiveSource


class NoSource(LiveSource):
    """Gives no frame, and says why, until it is interrupted.

    Args:
        size: (width, height) in pixels of the frames that are waited for.
        why: what is shown meanwhile.
    """

    def __init__(self, size: tuple[int, int], why: str) -> None:
        super().__init__(size, None)
        self.trouble = why

    def __iter__(self) -> Iterator[Frame]:
        self._ending.wait()
        yield from ()

    def _release(self) -> None:
        pass
