"""A film of what is shown, written while it is shown."""

from __future__ import annotations

import math
import time
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

from stylize_live.closing import Closing
from stylize_live.config import FilmSettings
from stylize_live.errors import SinkError, UsageError
from stylize_live.frame import Frame
from stylize_live.media.codecs import CODECS, video_format
from stylize_live.media.encoder import FilmEncoder
from stylize_live.media.fitting import boxed
from stylize_live.media.libraries import av
from stylize_live.media.muxer import Muxer
from stylize_live.media.target import check_target, film_clock

_CODEC: Literal["h264"] = "h264"
# The processor belongs to the network first.
_SETTINGS = FilmSettings(codec=_CODEC, preset="superfast", crf=20, audio="none")
_MICROSECOND = 10**6


class Recorder(Closing):
    """A `LiveSink` that writes a film under its own name, playable up to its last second whatever happens.

    Pictures keep the times at which they were captured; the first one stands at 0.

    Attributes:
        path: of the film.

    Args:
        path: an .mp4, .mov or .mkv that does not exist yet.
        size: (width, height) of pictures in pixels; those of another size are scaled into it.
        rate: nominal frames per second.

    Raises:
        UsageError: the suffix is another one, or the file exists.
        SinkError: it cannot be written.
    """

    name = "recording"
    watched = True

    def __init__(self, path: Path, size: tuple[int, int], rate: Fraction = Fraction(30)) -> None:
        _check(path)
        self.path, self._size, self._rate = path, size, rate
        self._start: float | None = None
        self._last = -math.inf
        clock = film_clock(path)
        self._encoder = FilmEncoder(size, _CODEC, _SETTINGS, clock=clock, rate=rate, reorder=False)
        self._muxer: Muxer | None = None
        self._ended = False

    def write(self, frame: Frame) -> None:
        """Record a picture. Raises `SinkError` when the disk is full or gone; what was written stays."""
        # A frozen picture that is painted anew was captured long ago: now is when it is seen.
        moment = frame.captured_at if frame.captured_at > self._last else time.monotonic()
        if self._start is None:
            self._start = moment
        self._last = moment
        pts = Fraction(round((moment - self._start) * _MICROSECOND), _MICROSECOND)
        shown = Frame(boxed(frame.pixels, self._size), pts, moment, frame.index)
        try:
            self._mux(self._encoder.encode(shown))
        except SinkError:
            self._ended = True
            raise

    def _mux(self, packets: list[av.Packet[Any]]) -> None:
        if not packets:
            return
        if self._muxer is None:  # not before: a file without a picture would be in the way of the next try
            stream, clock = self._encoder.stream, self._encoder.clock
            self._muxer = Muxer(self.path, stream, clock=clock, rate=self._rate, in_place=True)
        self._muxer.write(packets)

    def close(self) -> None:
        """Finish the file. May be called twice.

        Raises:
            SinkError: the disk is full or gone; what was written stays.
        """
        ended, self._ended = self._ended, True
        try:
            if not ended and self._start is not None:
                self._mux(self._encoder.finish())
                if self._muxer is not None:
                    self._muxer.close()
        finally:
            self._encoder.close()
            if self._muxer is not None:
                self._muxer.abort()  # nothing after its `close`


def _check(path: Path) -> None:
    video_format(path)
    if path.suffix.lower() not in CODECS[_CODEC].suffixes:
        raise UsageError(f"{path}: live pictures are recorded as {', '.join(CODECS[_CODEC].suffixes)}")
    check_target(path)
    if path.exists():
        raise UsageError(f"{path}: exists already, choose another name for the recording")
