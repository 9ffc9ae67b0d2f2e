"""A file, played at its own speed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from stylize_live.frame import Frame
from stylize_live.media.protocols import Source
from stylize_live.media.sources.live_source import LiveSource, PlayedSound
from stylize_live.system.clock import monotonic


class RealtimeFileSource(LiveSource):
    """Frames of another source, each held back until its pts is due.

    The first frame is due at once and sets the clock. A late frame is passed on at once and does
    not shift the ones after it. Ends with the other source, which it owns and closes.

    Args:
        inner: a source of frames with increasing pts.
        sound: says where its sound lies, if it has any.
    """

    flows = False

    def __init__(self, inner: Source, sound: Callable[[], PlayedSound] | None = None) -> None:
        super().__init__(inner.size, inner.rate)
        self._sound = sound
        self._inner = inner

    def __iter__(self) -> Iterator[Frame]:
        frames = iter(self._inner)
        start: float | None = None
        while (frame := self._next(frames)) is not None:
            pts = float(frame.pts)
            if start is None:
                start = monotonic() - pts
            if not self._wait(start + pts - monotonic()):
                return
            # It is captured when it is due: the time that it waited here is not latency.
            yield replace(frame, captured_at=monotonic())

    def _next(self, frames: Iterator[Frame]) -> Frame | None:
        with self._device_lock:
            return None if self._ending.is_set() else next(frames, None)

    @property
    def played_sound(self) -> PlayedSound | None:
        """See `LiveSource.played_sound`."""
        return None if self._sound is None else self._sound()

    def _release(self) -> None:
        self._inner.close()


def open_file(path: Path, *, loop: bool = False) -> RealtimeFileSource:
    """A video file, played in real time: once, or again and again.

    Raises:
        SourceError: the file is missing or no video.
        UsageError: it can be read only once, and is to be played again.
    """
    from stylize_live.media.decode.reader import VideoReader
    from stylize_live.media.sources.looped_file import LoopedFile

    if loop:
        looped = LoopedFile(path)
        return RealtimeFileSource(looped, lambda: PlayedSound(path, looped.begin, looped.origin))
    reader = VideoReader(path)
    return RealtimeFileSource(reader, lambda: PlayedSound(path, Fraction(0), reader.origin))
