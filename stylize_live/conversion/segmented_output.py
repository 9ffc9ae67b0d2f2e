"""A video that is encoded in segments, each in a file of its own, which are joined at the end."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

from stylize_live.concurrency.channel import Closed
from stylize_live.concurrency.stopwatch import Stopwatch
from stylize_live.config import VideoSettings
from stylize_live.conversion.output import End
from stylize_live.conversion.segment_store import SegmentStore
from stylize_live.conversion.segment_writer import SegmentWriter
from stylize_live.errors import SinkError, SourceError
from stylize_live.media.decode.reader import VideoReader
from stylize_live.media.encode.muxer import Muxer
from stylize_live.media.encode.packet_files import join_packets
from stylize_live.storage.places import Place, local_path


class SegmentedOutput(SegmentWriter):
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
        super().__init__(local_path(target), store, size, settings, like, alpha=alpha)
        self._target, self._store, self._like = target, store, like
        self._mux_notes: list[str] = []
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
        discarded = [describe_discarded(self._store.discarded)] if self._store.discarded else []
        return list(
            dict.fromkeys([*discarded, *self._store.notes, *self._plan.notes, *notes, *self._mux_notes])
        )

    @property
    def end(self) -> End:
        """See `Output.end`; known even if an earlier run wrote all of the video."""
        last = self._store.finished[-1]
        return End(last.damaged, last.retimed, Fraction(last.missing))


def describe_discarded(frames: int) -> str:
    """What is said of so many frames of finished segments that were of no use."""
    return (
        f"{frames} frames of an earlier run were discarded: the source, the settings or the program changed"
    )


class _EnoughError(Exception):
    """Makes a muxer leave without a file."""
