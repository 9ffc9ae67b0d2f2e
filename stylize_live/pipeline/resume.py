"""Finds the place in a film where an earlier run stopped, and makes sure that it is the very place."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from fractions import Fraction

from stylize_live.frame import Frame
from stylize_live.media.reader import VideoReader
from stylize_live.pipeline.journal import Finished
from stylize_live.pipeline.pieces import Fingerprint, fingerprint

log = logging.getLogger(__name__)

# Seconds before the wanted frame: where a first key frame comes too late, an earlier one may do.
_STEPS_BACK = (Fraction(0), Fraction(2), Fraction(10))


def open_behind(
    open_film: Callable[[], VideoReader], piece: Finished
) -> tuple[VideoReader, Iterator[Frame]] | None:
    """Open a film at the frame that follows a finished piece.

    Tries the file's index first, and believes it only if the last frames of the piece come out as they
    did when the piece was made. Else the film is decoded from its beginning, without painting.

    Args:
        open_film: opens it at its beginning.
        piece: the newest finished one; not the film's last.

    Returns:
        An open reader, and the frames to come, counted from the film's beginning; None if this film
        does not have the frames that the piece ends with.

    Raises:
        SourceError: the source is no video.
    """
    # What was skipped or retimed before counts on, which only decoding from the beginning repeats.
    if not piece.damaged and not piece.retimed:
        for back in _STEPS_BACK:
            reader = open_film()
            if reader.seek(piece.fingerprints[0][0] - back) and _passes(reader, piece.fingerprints):
                return reader, _counted(reader, piece.frames)
            reader.close()
        log.info("%s: its index does not lead to where the last run stopped, reading it all", reader.path)
    reader = open_film()
    if _passes(_skipped(reader, piece.frames - len(piece.tail)), piece.fingerprints):
        return reader, _counted(reader, piece.frames)
    reader.close()
    return None


def _passes(frames: Iterable[Frame], tail: list[Fingerprint]) -> bool:
    """Read frames up to the tail's last; whether those of the tail are all there and look the same."""
    first, last = tail[0][0], tail[-1][0]
    found = []
    for frame in frames:
        if frame.pts >= first:
            found.append((frame.pts, fingerprint(frame.preview)))
        if frame.pts >= last:
            break
    return found == tail


def _skipped(frames: Iterable[Frame], count: int) -> Iterator[Frame]:
    """The frames behind the first so many."""
    return (frame for number, frame in enumerate(frames) if number >= count)


def _counted(frames: Iterable[Frame], start: int) -> Iterator[Frame]:
    """The frames with indices that begin at `start`."""
    return (replace(frame, index=number) for number, frame in enumerate(frames, start))
