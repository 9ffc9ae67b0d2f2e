"""Frames into a video file: an encoder, and the muxer that writes its packets."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from stylize_live.config import VideoSettings
from stylize_live.frame import Frame
from stylize_live.lifecycle import Transaction
from stylize_live.media.decode.reader import VideoReader
from stylize_live.media.encode.encode_plan import EncodePlan
from stylize_live.media.formats.containers import check_target

_DEFAULTS = VideoSettings()


class VideoWriter(Transaction):
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
        path: Path | str,
        size: tuple[int, int],
        settings: VideoSettings = _DEFAULTS,
        *,
        rate: Fraction = Fraction(30),
        like: VideoReader | None = None,
        alpha: bool = False,
    ) -> None:
        path = Path(path)
        check_target(path)
        plan = EncodePlan(path, size, settings, rate=rate, like=like, alpha=alpha)
        self._own_notes = plan.notes
        self._like = like
        self._encoder = plan.encoder()
        try:
            self._muxer = plan.muxer(path, self._encoder)
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

    def finish(self, last_duration: Fraction | None = None) -> None:
        """Write what is still in the encoder, the rest of the sound, and the index. May be called twice.

        Args:
            last_duration: how long the last frame is shown, in seconds; None is as long as in `like`.

        Raises:
            SinkError: the disk is full or the target went away.
        """
        if not self._finished:
            if last_duration is None:
                last_duration = self._like.last_duration if self._like else Fraction(0)
            self._muxer.write(self._encoder.finish(last_duration))
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
