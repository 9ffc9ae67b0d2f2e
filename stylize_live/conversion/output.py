"""Where a conversion writes its painted frames."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

from stylize_live.concurrency.stopwatch import Stopwatch
from stylize_live.conversion.segments import SegmentBoundary
from stylize_live.frame import Frame
from stylize_live.media.encode.writer import VideoWriter
from stylize_live.media.formats.image_sequence import SequenceWriter


@dataclass(frozen=True, slots=True)
class End:
    """What the source was like, from its beginning to its end; see `VideoReader`."""

    damaged: int
    retimed: int
    missing: Fraction


class FrameOutput(Protocol):
    """What a pipeline writes into."""

    def write(self, frame: Frame) -> None:
        """Take a painted frame. Raises `SinkError`."""

    def end_segment(self, boundary: SegmentBoundary) -> None:
        """The frames since the last boundary are a segment. Raises `SinkError`."""

    def finish(self, stopping: threading.Event, work: Stopwatch) -> None:
        """All frames were written: put the video in its place, or stop half-way.

        Args:
            stopping: says to stop.
            work: told of each step, so that one from which it does not come back is noticed.

        Raises:
            SinkError: it cannot be written.
        """


class Output(FrameOutput, Protocol):
    """What writes a whole video.

    Attributes:
        damaged: packets of copied streams that could not be used; complete after `finish`.
    """

    damaged: int

    @property
    def notes(self) -> list[str]:
        """What was lost or changed, in words."""

    @property
    def end(self) -> End:
        """What the source was like. To be asked after `finish`."""


class DirectOutput:
    """A file that is written in one go, or many small ones.

    Args:
        writer: opened; its owner closes it.
    """

    def __init__(self, writer: VideoWriter | SequenceWriter) -> None:
        self._writer = writer
        self._last: SegmentBoundary | None = None
        self.damaged = 0

    def write(self, frame: Frame) -> None:
        """See `Output.write`."""
        self._writer.write(frame)

    def end_segment(self, boundary: SegmentBoundary) -> None:
        """See `Output.end_segment`; nothing ends here."""
        self._last = boundary

    def finish(self, stopping: threading.Event, work: Stopwatch) -> None:
        """See `Output.finish`."""
        with work.at_length():
            self._writer.finish()
        self.damaged = self._writer.damaged

    @property
    def notes(self) -> list[str]:
        """See `Output.notes`."""
        return self._writer.notes

    @property
    def end(self) -> End:
        """See `Output.end`."""
        last = self._last
        return End(0, 0, Fraction(0)) if last is None else End(last.damaged, last.retimed, last.missing)
