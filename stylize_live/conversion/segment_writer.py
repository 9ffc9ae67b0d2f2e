"""Encodes painted frames into segments, each in a file of its own."""

from __future__ import annotations

import contextlib
import gc
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from stylize_live.config import VideoSettings
from stylize_live.conversion.journal import FinishedSegment
from stylize_live.conversion.segments import SegmentBoundary
from stylize_live.frame import Frame
from stylize_live.media.decode.reader import VideoReader
from stylize_live.media.encode.encode_plan import EncodePlan
from stylize_live.media.encode.encoder import VideoEncoder
from stylize_live.media.encode.packet_files import PacketFile
from stylize_live.system.clock import monotonic

_COLLECTIONS_APART = 2.0  # seconds; a full segment takes about as long to encode, or longer


class SegmentKeeper(Protocol):
    """Where finished segments go."""

    @property
    def newest(self) -> FinishedSegment | None:
        """The segment before the next one; None before the video's first."""

    def begin(self) -> PacketFile:
        """The file for the next segment. Raises `OSError`."""

    def commit(self, segment: FinishedSegment, state: bytes | None) -> None:
        """Take the segment begun last, whose file is closed. Raises `OSError`."""

    def explain_errors(self) -> AbstractContextManager[None]:
        """Turns what the disk says into `SinkError`."""


class SegmentWriter:
    """Takes painted frames and hands finished segments to a keeper.

    Args:
        target: the video's file.
        keeper: of its segments.
        size: (width, height) of the frames in pixels.
        settings: codec, quality and speed of the encoder.
        like: the source, whose clock and pixel shape are taken over.
        alpha: whether frames are transparent; None is as the source's.
    """

    def __init__(
        self,
        target: Path,
        keeper: SegmentKeeper,
        size: tuple[int, int],
        settings: VideoSettings,
        like: VideoReader,
        *,
        alpha: bool | None = None,
    ) -> None:
        self._keeper = keeper
        alpha = like.has_alpha if alpha is None else alpha
        self._plan = EncodePlan(target, size, settings, rate=like.average_rate, like=like, alpha=alpha)
        self._encoder: VideoEncoder | None = None
        self._file: PacketFile | None = None
        self._last: Frame | None = None
        newest = keeper.newest
        self._frames = 0 if newest is None else newest.frames
        self._collected_at = monotonic()

    def _new_encoder(self) -> VideoEncoder:
        newest = self._keeper.newest
        return self._plan.encoder() if newest is None else self._plan.encoder(newest.ticks)

    def write(self, frame: Frame) -> None:
        """See `Output.write`."""
        with self._keeper.explain_errors():
            if self._encoder is None:
                self._encoder, self._file = self._new_encoder(), self._keeper.begin()
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
        with self._keeper.explain_errors():
            file.write(encoder.finish(shown))
            file.close()
            found = replace(boundary, notes=(*boundary.notes, *encoder.notes))
            segment = FinishedSegment.at(found, self._frames, encoder.last_ticks, file.size, file.digest)
            self._keeper.commit(segment, boundary.state)
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

    def close(self) -> None:
        """Drop what is half done. May be called twice."""
        if self._encoder is not None:
            self._encoder.close()
        if self._file is not None:
            with contextlib.suppress(OSError):  # a full disk was reported already
                self._file.close()
