"""Finds the frame of a video at which an earlier run stopped, and checks that it is the right one."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from fractions import Fraction
from typing import NamedTuple

from stylize_live.conversion.journal import FinishedSegment
from stylize_live.conversion.segments import Fingerprint, fingerprint
from stylize_live.frame import Frame
from stylize_live.media.decode.reader import VideoReader
from stylize_live.media.shots import ShotMarker

log = logging.getLogger(__name__)

# Seconds before the wanted frame: where a first key frame comes too late, an earlier one may do.
_STEPS_BACK = (Fraction(0), Fraction(2), Fraction(10))


class Rest(NamedTuple):
    """What is still to be painted of a video.

    Attributes:
        reader: open.
        frames: to come, counted from the video's beginning.
        shots: marks them as in a run that was never interrupted.
    """

    reader: VideoReader
    frames: Iterator[Frame]
    shots: ShotMarker


def open_after(open_video: Callable[[], VideoReader], segment: FinishedSegment) -> Rest | None:
    """Open a video at the frame that follows a finished segment.

    Tries the file's index first, and uses it only if the last frames of the segment come out as they
    did when the segment was made. Else the video is decoded from its beginning, without painting.

    Args:
        open_video: opens it at its beginning.
        segment: the newest finished one; not the video's last.

    Returns:
        None if this video does not have the frames that the segment ends with.

    Raises:
        SourceError: the source is no video.
    """
    # What was skipped or retimed before counts on, which only decoding from the beginning repeats.
    if not segment.damaged and not segment.retimed:
        for back in _STEPS_BACK:
            with ExitStack() as opened:
                reader = opened.enter_context(open_video())
                last = None
                if reader.seek(segment.fingerprints[0][0] - back):
                    last = _last_of(reader, segment.fingerprints)
                if last is not None:
                    opened.pop_all()
                    return _rest(reader, segment, last)
        log.info("%s: its index does not lead to where the last run stopped, reading it all", reader.path)
    with ExitStack() as opened:
        reader = opened.enter_context(open_video())
        last = _last_of(_skip(reader, segment.frames - len(segment.tail)), segment.fingerprints)
        if last is not None:
            opened.pop_all()
            return _rest(reader, segment, last)
    return None


def _rest(reader: VideoReader, segment: FinishedSegment, last: Frame) -> Rest:
    return Rest(reader, _count(reader, segment.frames), ShotMarker.behind(last, segment.history))


def _last_of(frames: Iterable[Frame], tail: list[Fingerprint]) -> Frame | None:
    """Read frames up to the tail's last; None if not all of the tail are there, or one looks different."""
    first, last = tail[0][0], tail[-1][0]
    found, frame = [], None
    for frame in frames:
        if frame.pts >= first:
            found.append((frame.pts, fingerprint(frame.preview)))
        if frame.pts >= last:
            break
    return frame if found == tail else None


def _skip(frames: Iterable[Frame], count: int) -> Iterator[Frame]:
    """The frames behind the first so many."""
    return (frame for number, frame in enumerate(frames) if number >= count)


def _count(frames: Iterable[Frame], start: int) -> Iterator[Frame]:
    """The frames with indices that begin at `start`."""
    return (replace(frame, index=number) for number, frame in enumerate(frames, start))
