"""Frames into a video file: an encoder, and a muxer that takes what it makes."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

from stylize_live.config import FilmSettings
from stylize_live.frame import Frame
from stylize_live.media.codecs import ALPHA_DROPPED, codec_for, keeps_alpha
from stylize_live.media.encoder import FilmEncoder
from stylize_live.media.muxer import Muxer, check_target, film_clock
from stylize_live.media.reader import VideoReader

_DEFAULTS = FilmSettings()


class VideoWriter:
    """A video file as a `Sink`. It appears under its name when closed, whole, or not at all.

    Writing, finishing and aborting may happen in different threads, one after the other or not.

    Args:
        path: target; its suffix chooses the format.
        size: (width, height) of the frames in pixels; odd sides grow by one repeated pixel.
        settings: codec, quality and speed of the encoder, and what becomes of sound.
        rate: nominal frames per second; for the encoder's planning only.
        like: file whose clock, pixel shape, tags, chapters and other streams are taken over.
        alpha: whether the frames have transparency that is worth keeping.

    Raises:
        UsageError: the suffix names no known format, or the settings do not fit it or this machine.
        SinkError: the target cannot be written.
    """

    def __init__(
        self,
        path: Path,
        size: tuple[int, int],
        settings: FilmSettings = _DEFAULTS,
        *,
        rate: Fraction = Fraction(30),
        like: VideoReader | None = None,
        alpha: bool = False,
    ) -> None:
        check_target(path)
        codec = codec_for(path, settings)
        clock = film_clock(path, like.time_base if like else None)
        aspect = like.sample_aspect if like else None
        keeps = alpha and keeps_alpha(path, codec)
        self._own_notes = [ALPHA_DROPPED] if alpha and not keeps else []
        self._like = like
        self._encoder = FilmEncoder(
            size, codec, settings, clock=clock, rate=rate, sample_aspect=aspect, alpha=keeps
        )
        try:
            self._muxer = Muxer(
                path, self._encoder.stream, clock=clock, rate=rate, like=like, audio=settings.audio
            )
        except BaseException:
            self._encoder.close()
            raise
        self._finished = False

    @property
    def notes(self) -> list[str]:
        """What was lost or changed so far, in words."""
        return [*self._own_notes, *self._encoder.notes, *self._muxer.notes]

    @property
    def damaged(self) -> int:
        """Packets of copied streams met so far that could not be used."""
        return self._muxer.damaged

    def write(self, frame: Frame) -> None:
        """Encode a frame; frames come in order of time.

        Raises:
            SinkError: the disk is full or the target went away.
        """
        self._muxer.write(self._encoder.encode(frame))

    def finish(self) -> None:
        """Write what is still in the encoder, the rest of the sound, and the index. May be called twice.

        Raises:
            SinkError: the disk is full or the target went away.
        """
        if not self._finished:
            self._muxer.write(self._encoder.finish(self._like.last_duration if self._like else Fraction(0)))
            self._finished = True
        self._muxer.finish()

    def close(self) -> None:
        """Finish, and put the file in its place. May be called twice.

        Raises:
            SinkError: the disk is full or the target went away; nothing is left behind.
        """
        try:
            if not self._muxer.closed:
                self.finish()
        except BaseException:
            self.abort()
            raise
        self._encoder.close()
        self._muxer.close()

    def abort(self) -> None:
        """Leave nothing behind. May be called after `close`, when it does nothing."""
        self._encoder.close()
        self._muxer.abort()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.close()
        else:
            self.abort()
