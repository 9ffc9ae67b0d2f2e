"""A video whose frames go piece by piece into side files, which become one file at the end."""

from __future__ import annotations

import contextlib
import gc
import threading
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

from stylize_live.concurrency.channel import Closed
from stylize_live.concurrency.stopwatch import Stopwatch
from stylize_live.config import VideoSettings
from stylize_live.conversion.journal import FinishedSegment
from stylize_live.conversion.output import End
from stylize_live.conversion.segment_store import SegmentStore
from stylize_live.conversion.segments import SegmentBoundary
from stylize_live.errors import SinkError, SourceError
from stylize_live.frame import Frame
from stylize_live.media.decode.reader import VideoReader
from stylize_live.media.encode.encode_plan import EncodePlan
from stylize_live.media.encode.encoder import VideoEncoder
from stylize_live.media.encode.muxer import Muxer
from stylize_live.media.encode.packet_files import PacketFile, join_packets
from stylize_live.system.clock import monotonic

_COLLECTIONS_APART = 2.0  # seconds; a full piece takes about as long to encode, or longer
_DISCARDED = "{} frames of an earlier run were discarded: the source, the settings or the program changed"


class SegmentedOutput:
    """A video whose finished pieces outlive whatever happens to this run.

    Attributes:
        notes: what was lost or changed, in words.
        damaged: packets of copied streams that could not be used; complete after `finish`.

    Args:
        target: the video's file.
        parts: its pieces.
        size: (width, height) of the frames in pixels.
        settings: codec, quality and speed of the encoder, and what becomes of sound.
        like: the source, whose clock, pixel shape and other streams are taken over.
    """

    def __init__(
        self,
        target: Path,
        parts: SegmentStore,
        size: tuple[int, int],
        settings: VideoSettings,
        like: VideoReader,
    ) -> None:
        self._target, self._parts, self._like = target, parts, like
        self._plan = EncodePlan(
            target, size, settings, rate=like.average_rate, like=like, alpha=like.has_alpha
        )
        self._encoder: VideoEncoder | None = None
        self._file: PacketFile | None = None
        self._last: Frame | None = None
        self._frames = parts.frames
        self._mux_notes: list[str] = []
        self._collected_at = monotonic()
        self.damaged = 0
        if not parts.whole:
            self._check_muxer()

    def _check_muxer(self) -> None:
        """Begin the video that is written at the end: what that refuses is better known before painting."""
        with contextlib.suppress(_EnoughError), self._muxer() as muxer:
            self._mux_notes = muxer.notes
            raise _EnoughError

    @property
    def _video(self) -> Path:
        """The joined video, before it is in its place."""
        return self._parts.folder / f"video{self._target.suffix}"

    def _new_encoder(self) -> VideoEncoder:
        finished = self._parts.finished
        return self._plan.encoder(finished[-1].ticks) if finished else self._plan.encoder()

    def write(self, frame: Frame) -> None:
        """See `Output.write`."""
        with self._parts.explained():
            if self._encoder is None:
                self._encoder, self._file = self._new_encoder(), self._parts.begin()
            assert self._file is not None
            self._file.write(self._encoder.encode(frame))
        self._last = frame
        self._frames += 1

    def end_piece(self, border: SegmentBoundary) -> None:
        """See `Output.end_piece`."""
        encoder, file, last = self._encoder, self._file, self._last
        if encoder is None or file is None or last is None:
            return
        shown = border.last_duration if border.next_pts is None else border.next_pts - last.pts
        with self._parts.explained():
            file.write(encoder.finish(shown))
            file.close()
            notes = [*border.notes, *encoder.notes]
            piece = FinishedSegment.at(
                border, self._frames, encoder.last_ticks, file.size, file.digest, notes
            )
            self._parts.commit(piece, border.state)
        encoder.close()
        self._encoder = self._file = None
        if border.next_pts is not None:
            del encoder
            self._let_encoders_go()

    def _let_encoders_go(self) -> None:
        """Collect what PyAV leaves: its streams and containers hold each other.

        With them go an encoder's threads and frames, hundreds of megabytes in 4K, which Python would keep
        for dozens of pieces. A collection takes up to a second in a large program, so it is not made after
        each of many quick pieces.
        """
        if monotonic() - self._collected_at >= _COLLECTIONS_APART:
            gc.collect()
            self._collected_at = monotonic()

    def finish(self, stopping: threading.Event, work: Stopwatch) -> None:
        """See `Output.finish`: join the pieces, write sound and subtitles beside them.

        Raises:
            SinkError: the disk is full or the target went away; the pieces are kept.
            Closed: `stopping` was set.
        """
        if not self._parts.whole:
            raise SourceError(f"{self._like.path}: could not be read on from where the last run stopped")
        with self._muxer() as muxer:
            for packet in work.over(join_packets(self._parts.finished_packets(self._plan.clock))):
                if stopping.is_set():
                    raise Closed
                with work:
                    muxer.write([packet])
            with work.at_length():  # the index may be moved to the front of many gigabytes
                muxer.finish()
        with work.at_length(), self._parts.explained():  # waits until they are on the disk
            try:
                if stopping.is_set():
                    raise Closed
                self._parts.publish(self._video)
            except BaseException:  # the next run joins the pieces again; a full disk needs the room till then
                with contextlib.suppress(OSError):  # of the two errors, people are told the first
                    self._video.unlink()
                raise
        self._mux_notes, self.damaged = muxer.notes, muxer.damaged

    @contextlib.contextmanager
    def _muxer(self) -> Iterator[Muxer]:
        """The video at its hidden place; errors are about the target."""
        try:
            with self._new_encoder() as template:  # its stream describes what all encoders of this video make
                muxer = self._plan.muxer(self._video, template)
            with muxer:
                yield muxer
        except SinkError as error:
            raise SinkError(str(error).replace(str(self._video), str(self._target))) from error

    @property
    def notes(self) -> list[str]:
        """What was lost or changed, in words."""
        notes = [note for piece in self._parts.finished for note in piece.notes]
        discarded = [_DISCARDED.format(self._parts.discarded)] if self._parts.discarded else []
        return list(
            dict.fromkeys([*discarded, *self._parts.notes, *self._plan.notes, *notes, *self._mux_notes])
        )

    def close(self) -> None:
        """Drop what is half done. May be called twice."""
        if self._encoder is not None:
            self._encoder.close()
        if self._file is not None:
            with contextlib.suppress(OSError):  # a full disk was reported already
                self._file.close()

    @property
    def end(self) -> End:
        """See `Output.end`; known even if an earlier run wrote all of the video."""
        last = self._parts.finished[-1]
        return End(last.damaged, last.retimed, Fraction(last.missing))


class _EnoughError(Exception):
    """Makes a muxer leave without a file."""
