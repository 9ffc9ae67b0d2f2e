"""NDI as a live source: cameras and programs of the local network."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from stylize_live.errors import SourceError, UsageError
from stylize_live.frame import Frame, Pixels
from stylize_live.media.color.letterbox import letterbox
from stylize_live.media.ndi.finder import list_sources
from stylize_live.media.ndi.receiver import NdiReceiver
from stylize_live.media.sources.live_source import LiveSource
from stylize_live.system.clock import monotonic

PREFIX = "ndi:"
_FIND_SECONDS = 3.0
_FIRST_FRAME_SECONDS = 10.0
_POLL_SECONDS = 0.004
_SILENT_SECONDS = 3.0  # after which a source is looked for anew


class NdiSource(LiveSource):
    """Frames of an NDI source, whose first one decides about the size; later ones are scaled into it.

    Args:
        wanted: its name or part of it, in letters of any size; "" where there is only one.

    Raises:
        UsageError: cyndilib is not installed, or several sources fit.
        SourceError: there is none, or it sends nothing.
    """

    def __init__(self, wanted: str) -> None:
        self._name = _find(wanted.strip())
        self._receiver = NdiReceiver(self._name)
        super().__init__((2, 2), None)
        try:
            self._first: Pixels | None = self._wait_for_first()
        except BaseException:
            self._receiver.close()
            raise
        height, width = self._first.shape[:2]
        self.size, self.rate = (width, height), self._receiver.rate

    def _wait_for_first(self) -> Pixels:
        end = monotonic() + _FIRST_FRAME_SECONDS
        while monotonic() < end and self._wait(_POLL_SECONDS):
            self._receiver.connect()
            pixels = self._receiver.take()
            if pixels is not None:
                return pixels
        raise SourceError(f"NDI source {self._name} sends nothing")

    def __iter__(self) -> Iterator[Frame]:
        start = came_at = monotonic()
        index = 0
        while self._wait(_POLL_SECONDS):
            with self._device_lock:
                if self._released:
                    return
                pixels = self._receiver.take() if self._first is None else self._first
                self._first = None
            now = monotonic()
            if pixels is None:
                if now - came_at > _SILENT_SECONDS and not self._is_there():
                    self._reconnect(f"NDI source {self._name}", self._is_there)
                    came_at = monotonic()
                continue
            came_at = now
            if (pixels.shape[1], pixels.shape[0]) != self.size:
                pixels = letterbox(pixels, self.size)
            yield Frame(pixels, Fraction(round((now - start) * 1e6), 10**6), now, index)
            index += 1

    def _is_there(self) -> bool:
        with self._device_lock:
            return not self._released and self._receiver.connect()

    def _release(self) -> None:
        self._receiver.close()


def _find(wanted: str) -> str:
    """The whole name of the source that is meant."""
    names = list_sources(_FIND_SECONDS)
    fitting = [name for name in names if wanted.lower() in name.lower()]
    exact = [name for name in fitting if name == wanted]
    if len(exact or fitting) == 1:
        return (exact or fitting)[0]
    if fitting:
        raise UsageError(f"{wanted!r} fits several NDI sources: {', '.join(fitting)}")
    there = f"there is {', '.join(names)}" if names else "none is in this network"
    raise SourceError(f"no NDI source is called {wanted!r}; {there}")
