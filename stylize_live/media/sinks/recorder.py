"""Records what is shown into a video."""

from __future__ import annotations

import logging
import math
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

from stylize_live.backgrounds import TRANSPARENT
from stylize_live.config import VideoSettings
from stylize_live.errors import SinkError, UsageError
from stylize_live.frame import Frame
from stylize_live.lifecycle import Closeable, Turn
from stylize_live.media.color.letterbox import letterbox
from stylize_live.media.color.opaque import on_black
from stylize_live.media.encode.audio_encoder import SoundEncoder
from stylize_live.media.encode.encoder import VideoEncoder
from stylize_live.media.encode.muxer import Muxer
from stylize_live.media.formats.codecs import CODECS
from stylize_live.media.formats.containers import check_target, video_clock
from stylize_live.media.libraries import av
from stylize_live.media.sources.microphone import Microphone
from stylize_live.system.clock import monotonic
from stylize_live.wording import option

log = logging.getLogger(__name__)

# The processor belongs to the network first.
_SETTINGS = VideoSettings(codec="h264", preset="superfast", crf=20, audio="none")
# What is transparent, by the suffix of its file.
_TRANSPARENT = {
    ".mov": VideoSettings(codec="prores", audio="none"),
    ".webm": VideoSettings(codec="vp9", preset="ultrafast", crf=30, audio="none"),
}
_MICROSECOND = 10**6


class Recorder(Closeable):
    """A `LiveSink` that writes a video under its own name, playable up to its last second whatever happens.

    Frames keep the times at which they were captured; the first one stands at 0.

    Attributes:
        path: of the video.

    Args:
        path: an .mp4, .mov or .mkv that does not exist yet.
        size: (width, height) of frames in pixels; those of another size are scaled into it.
        rate: nominal frames per second.
        microphone: whose sound is recorded too; closed with the video.
        alpha: keep the frames' transparency in a .mov (ProRes 4444) or .webm (VP9); elsewhere it is black.

    Raises:
        UsageError: the suffix is another one, or the file exists.
        SinkError: it cannot be written.
    """

    name = "recording"
    watched = True

    def __init__(
        self,
        path: Path,
        size: tuple[int, int],
        rate: Fraction = Fraction(30),
        microphone: Microphone | None = None,
        *,
        alpha: bool = False,
    ) -> None:
        check_recording(path, alpha=alpha)
        self.path, self._size, self._rate = path, size, rate
        settings = _settings(path, alpha)
        self._alpha = alpha and settings is not _SETTINGS
        self._start: float | None = None
        self._last = -math.inf
        clock = video_clock(path)
        self._encoder = VideoEncoder(
            size, settings.codec, settings, clock=clock, rate=rate, reorder=False, alpha=self._alpha
        )
        self._muxer: Muxer | None = None
        self._microphone = microphone
        self._sound: SoundEncoder | None = None
        if microphone is not None:
            codec: Literal["aac", "libopus"] = "libopus" if path.suffix.lower() == ".webm" else "aac"
            self._sound = SoundEncoder(microphone.rate, microphone.channels, codec)
        self._heard: list[av.Packet[Any]] = []  # waits for the file
        self._deaf = False
        self._ended = False
        self._turn = Turn(str(path), self._close)

    @property
    def seconds(self) -> float | None:
        """How long it has been recorded; None before the first frame and after the last one."""
        return None if self._start is None or self._ended else monotonic() - self._start

    def write(self, frame: Frame) -> None:
        """Record a frame. Raises `SinkError` when the disk is full or gone; what was written stays."""
        with self._turn:
            self._write(frame)

    def _write(self, frame: Frame) -> None:
        # A frozen frame that is painted anew was captured long ago: now is when it is seen.
        moment = frame.captured_at if frame.captured_at > self._last else monotonic()
        if self._start is None:
            self._start = moment
        self._last = moment
        pts = Fraction(round((moment - self._start) * _MICROSECOND), _MICROSECOND)
        shown = self._fit(frame, pts, moment)
        try:
            self._mux(self._encoder.encode(shown))
            self._mux_sound()
        except SinkError:
            self._ended = True
            raise

    def _fit(self, frame: Frame, pts: Fraction, moment: float) -> Frame:
        """The frame in the video's size, at its time in the video."""
        if not self._alpha or frame.alpha is None:
            return Frame(letterbox(on_black(frame), self._size), pts, moment, frame.index)
        pixels, alpha = (letterbox(plane, self._size) for plane in (frame.pixels, frame.alpha))
        return Frame(pixels, pts, moment, frame.index, alpha)

    def _mux(self, packets: list[av.Packet[Any]]) -> None:
        if not packets:
            return
        if self._muxer is None:  # not before: a file without a frame would be in the way of the next try
            stream, clock = self._encoder.stream, self._encoder.clock
            sound = self._sound.stream if self._sound else None
            self._muxer = Muxer(self.path, stream, clock=clock, rate=self._rate, sound=sound, in_place=True)
        self._muxer.write(packets)

    def _mux_sound(self, *, last: bool = False) -> None:
        """Write what was heard, at the times at which it was heard."""
        if self._microphone is None or self._sound is None or self._start is None:
            return
        for chunk in self._microphone.take():
            at = Fraction(round((chunk.moment - self._start) * _MICROSECOND), _MICROSECOND)
            self._heard += self._sound.encode(chunk.samples, at)
        if last:
            self._heard += self._sound.finish()
        elif not self._microphone.working and not self._deaf:
            self._deaf = True
            log.warning("%s is gone; the recording goes on without sound", self._microphone.name)
        if self._muxer is not None:
            self._muxer.write_sound(self._heard)
            self._heard = []

    def close(self) -> None:
        """Finish the file, unless a frame is still being written to a disk that hangs. May be called twice.

        Raises:
            SinkError: the disk is full or gone; what was written stays.
        """
        with self._turn.to_close() as came:
            if came:
                self._close()
            elif self._microphone is not None:
                self._microphone.close()

    def _close(self) -> None:
        ended, self._ended = self._ended, True
        try:
            if not ended and self._start is not None:
                self._mux(self._encoder.finish())
                self._mux_sound(last=True)
                if self._muxer is not None:
                    self._muxer.close()
        finally:
            self._encoder.close()
            if self._sound is not None:
                self._sound.close()
            if self._microphone is not None:
                self._microphone.close()
            if self._muxer is not None:
                self._muxer.abort()  # nothing after its `close`


def open_recorder(
    path: Path,
    size: tuple[int, int],
    rate: Fraction,
    microphone: str | None = None,
    *,
    alpha: bool = False,
) -> Recorder:
    """Begin a video, with sound where a microphone is named.

    Args:
        path, size, rate, alpha: see `Recorder`.
        microphone: see `Microphone`.

    Raises:
        UsageError: there is no such microphone, or nothing can be recorded to the path.
        SourceError: the microphone cannot be opened.
        SinkError: the video cannot be written.
    """
    with ExitStack() as undone:
        heard = undone.enter_context(Microphone(microphone)) if microphone else None
        recorder = Recorder(path, size, rate, heard, alpha=alpha)
        undone.pop_all()
        return recorder


def _settings(path: Path, alpha: bool) -> VideoSettings:
    return _TRANSPARENT.get(path.suffix.lower(), _SETTINGS) if alpha else _SETTINGS


def keeps_alpha(path: Path) -> bool:
    """Whether a recording to this path can be transparent."""
    return path.suffix.lower() in _TRANSPARENT


def check_recording(path: Path, *, alpha: bool = False) -> None:
    """Whether a recording can be begun there; nothing is opened.

    Raises:
        UsageError: the suffix is another one, or the file exists.
        SinkError: its folder does not exist.
    """
    suffix, known = path.suffix.lower(), CODECS[_SETTINGS.codec].suffixes
    if suffix not in known and not (alpha and suffix in _TRANSPARENT):
        only = sorted(set(_TRANSPARENT) - set(known))
        where = f", with {option('background', TRANSPARENT)} also as {', '.join(only)}"
        raise UsageError(f"{path}: live frames are recorded as {', '.join(known)}{where}")
    check_target(path)
    if path.exists():
        raise UsageError(f"{path}: already exists; choose another name for the recording")
