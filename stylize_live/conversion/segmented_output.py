"""A video that is encoded in segments, each in a file of its own, which are joined at the end."""

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
from stylize_live.storage.places import Place, local_path
from stylize_live.system.clock import monotonic

_COLLECTIONS_APART = 2.0  # seconds; a full segment takes about as long to encode, or longer
_DISCARDED = "{} frames of an earlier run were discarded: the source, the settings or the program changed"


class SegmentedOutput:
    """A video whose finished segments are kept, whatever happens to this run.

    Attributes:
        notes: what was lost or changed, in words.
        damaged: packets of copied streams that could not be used; complete after `finish`.

    Args:
        target: the video's place.
        store: its segments.
        size: (width, height) of the frames in pixels.
        settings: codec, quality and speed of the encoder, and what becomes of sound.
        like: the source, whose clock, pixel shape and other streams are taken over.
        alpha: whether the frames have transparency; None: as those of the source.
    """

    def __init__(
        self,
        target: Place,
        store: SegmentStore,
        size: tuple[int, int],
        settings: VideoSettings,
        like: VideoReader,
        *,
        alpha: bool | None = None,
    ) -> None:
        self._target, self._store, self._like = target, store, like
        alpha = like.has_alpha if alpha is None else alpha
        made, rate = local_path(target), like.average_rate
        self._plan = EncodePlan(made, size, settings, rate=rate, like=like, alpha=alpha)
        self._encoder: VideoEncoder | None = None
        self._file: PacketFile | None = None
        self._last: Frame | None = None
        self._frames = store.frames
        self._mux_notes: list[str] = []
        self._collected_at = monotonic()
        self.damaged = 0
        if not store.whole:
            self._check_muxer()

    def _check_muxer(self) -> None:
        """Begin the video that is written at the end: what that refuses is better known before painting."""
        with contextlib.suppress(_EnoughError), self._muxer() as muxer:
            self._mux_notes = muxer.notes
            raise _EnoughError

    @property
    def _video(self) -> Path:
        """The joined video, before it is in its place."""
        return self._store.folder / f"video{self._target.suffix}"

    def _new_encoder(self) -> VideoEncoder:
        finished = self._store.finished
        return self._plan.encoder(finished[-1].ticks) if finished else self._plan.encoder()

    def write(self, frame: Frame) -> None:
        """See `Output.write`."""
        with self._store.explain_errors():
            if self._encoder is None:
                self._encoder, self._file = self._new_encoder(), self._store.begin()
            assert self._file is not None
            self._file.write(self._encoder.encode(frame))
        self._last = frame
        self._frames += 1

    def end_segment(self, boundary: SegmentBoundary) -> None:
        """See `Output.end_segment`."""
        encoder, file, last = self._encoder, self._file, self._last
        if encoder is None or file is None or last is None:
            return
        shown = boundary.last_duration if boundary.next_pts is None else boundary.next_pts - last.pts
        with self._store.explain_errors():
            file.write(encoder.finish(shown))
            file.close()
            notes = [*boundary.notes, *encoder.notes]
            segment = FinishedSegment.at(
                boundary, self._frames, encoder.last_ticks, file.size, file.digest, notes
            )
            self._store.commit(segment, boundary.state)
        encoder.close()
        self._encoder = self._file = None
        if boundary.next_pts is not None:
            del encoder
            self._let_encoders_go()

    def _let_encoders_go(self) -> None:
        """Collect what PyAV leaves: its streams and containers hold each other.

        With them go an encoder's threads and frames, hundreds of megabytes in 4K, which Python would keep
        for dozens of segments. A collection takes up to a second in a large program, so it is not made after
        each of many quick segments.
        """
        if monotonic() - self._collected_at >= _COLLECTIONS_APART:
            gc.collect()
            self._collected_at = monotonic()

    def finish(self, stopping: threading.Event, work: Stopwatch) -> None:
        """See `Output.finish`: join the segments, write sound and subtitles beside them.

        Raises:
            SinkError: the disk is full or the target went away; the segments are kept.
            Closed: `stopping` was set.
        """
        if not self._store.whole:
            raise SourceError(f"{self._like.path}: could not be read from where the last run stopped")
        with self._muxer() as muxer:
            for packet in work.over(join_packets(self._store.finished_packets(self._plan.clock))):
                if stopping.is_set():
                    raise Closed
                with work:
                    muxer.write([packet])
            with work.at_length():  # the index may be moved to the front of many gigabytes
                muxer.finish()
        with work.at_length(), self._store.explain_errors():  # waits until they are on the disk
            try:
                if stopping.is_set():
                    raise Closed
                self._store.publish(self._video, stopping.is_set)
            except BaseException:  # the next run joins them again; a full disk needs the room till then
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
        notes = [note for segment in self._store.finished for note in segment.notes]
        discarded = [_DISCARDED.format(self._store.discarded)] if self._store.discarded else []
        return list(
            dict.fromkeys([*discarded, *self._store.notes, *self._plan.notes, *notes, *self._mux_notes])
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
        last = self._store.finished[-1]
        return End(last.damaged, last.retimed, Fraction(last.missing))


class _EnoughError(Exception):
    """Makes a muxer leave without a file."""
