"""Finds the segments of a video without painting it, for others to paint them at the same time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction

from stylize_live.config import ConvertSettings
from stylize_live.conversion.convert import open_reader
from stylize_live.conversion.journal import EMPTY_STATE, FinishedSegment
from stylize_live.conversion.resume import Rest, open_after
from stylize_live.conversion.segments import SegmentBoundary, SegmentSplitter, boundary_at
from stylize_live.conversion.stored_files import source_at_hand, target_elsewhere
from stylize_live.media.decode.reader import VideoReader
from stylize_live.media.encode.encoder import NEVER, ticks_behind
from stylize_live.media.formats.containers import video_clock
from stylize_live.media.shots import ShotMarker
from stylize_live.storage.places import Place


@dataclass(frozen=True, slots=True)
class PlannedSegment:
    """A segment that is still to be painted.

    Attributes:
        number: of the segment in its video, from 0.
        end: what the journal will know of its end, without packets, notes and state.
        at_cut: whether the segment behind it begins at a cut, see `Segment`; True where the video ends.
    """

    number: int
    end: FinishedSegment
    at_cut: bool


def plan_segments(
    source: Place,
    target: Place,
    settings: ConvertSettings,
    *,
    surfaces: bool = False,
    number: int = 0,
    behind: FinishedSegment | None = None,
) -> Iterator[PlannedSegment]:
    """The segments of a video as `convert` makes them; the video is decoded once.

    Args:
        source, target, settings: see `convert`; without a preview.
        surfaces: whether frames are to be planes, see `VideoReader`.
        number: of the first segment.
        behind: the one before it, or None for the video's first.

    Yields:
        Segments in order; none if the video does not have the frames with which the one `behind` ends.

    Raises:
        SourceError: the source is no video.
    """
    with ExitStack() as opened:
        path = opened.enter_context(source_at_hand(source, keep=True))
        made = opened.enter_context(target_elsewhere(target))

        def open_video() -> VideoReader:
            return open_reader(path, made, settings, surfaces=surfaces)

        if behind is None:
            reader = open_video()
            rest: Rest | None = Rest(reader, iter(reader), ShotMarker())
        else:
            rest = open_after(open_video, behind)
        if rest is None:
            return
        opened.enter_context(rest.reader)
        clock = video_clock(made, rest.reader.time_base)
        yield from _split(rest, clock, number, NEVER if behind is None else behind.ticks)


def _split(rest: Rest, clock: Fraction, number: int, ticks: int) -> Iterator[PlannedSegment]:
    reader, frames, shots = rest
    splitter, count = SegmentSplitter(), None
    for frame in map(shots.mark, frames):
        if splitter.begins_segment(frame):
            yield _planned(number, boundary_at(splitter, frame.pts, reader, shots), frame.index, ticks)
            number += 1
        splitter.remember(frame)
        ticks, count = ticks_behind(ticks, frame.pts, clock), frame.index + 1
    if count is not None:
        yield _planned(number, boundary_at(splitter, None, reader, shots), count, ticks)


def _planned(number: int, boundary: SegmentBoundary, frames: int, ticks: int) -> PlannedSegment:
    end = FinishedSegment.at(boundary, frames, ticks, 0, EMPTY_STATE)
    return PlannedSegment(number, end, boundary.at_cut or end.last)
