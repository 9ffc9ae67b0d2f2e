"""Where a video is split into segments: what is encoded on its own, and what a resumed run goes on from.

Boundaries depend on the video alone, so every run of the same video has the same segments.
"""

from __future__ import annotations

import zlib
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from stylize_live.config import ConvertSettings
from stylize_live.frame import Frame, Pixels
from stylize_live.media.decode.reader import VideoReader
from stylize_live.media.shots import ShotMarker

# A segment ends at a cut, but not before so many frames: encoders compress better with some to look at.
LEAST_FRAMES = 60
# A segment without a cut ends here, some 10 seconds: x264 begins anew after 250 frames anyway, so it costs
# nothing, and no crash loses more.
MOST_FRAMES = 250
_TAIL = 8
_SAMPLES = (72, 128)  # (rows, columns) that are fingerprinted

_DEFAULTS = ConvertSettings()
Fingerprint = tuple[Fraction, int]


class SegmentSplitter:
    """Splits a video into segments while its frames pass."""

    def __init__(self) -> None:
        self._frames = 0
        self._tail: deque[Fingerprint] = deque(maxlen=_TAIL)
        self.at_cut = False

    def begins_segment(self, frame: Frame) -> bool:
        """See the next frame, which is marked, see `ShotMarker`; whether a new segment begins with it.

        The video's first frame begins none. `at_cut` says whether the new segment begins at a cut: it
        does not depend on the frames before, even with a stylizer that smooths over time.
        """
        cut = bool(frame.starts_shot)
        begins = self._frames >= MOST_FRAMES or (cut and self._frames >= LEAST_FRAMES)
        if begins:
            self.at_cut = cut
            self._frames = 0
        self._frames += 1
        return begins

    def remember(self, frame: Frame) -> None:
        """Keep the fingerprint of a frame of the current segment."""
        self._tail.append((frame.pts, fingerprint(frame.preview)))

    @property
    def tail(self) -> tuple[Fingerprint, ...]:
        """Times and fingerprints of the last frames remembered, at most 8."""
        return tuple(self._tail)


def fingerprint(pixels: Pixels) -> int:
    """A checksum over a grid of pixels, which tells whether a file was decoded as the last time."""
    rows, columns = (max(1, side // samples) for side, samples in zip(pixels.shape, _SAMPLES, strict=False))
    return zlib.crc32(pixels[::rows, ::columns].tobytes())


@dataclass(frozen=True, slots=True)
class SegmentBoundary:
    """The end of a segment, on its way through all stages behind the segment's last frame.

    Attributes:
        next_pts: time of the frame that begins the next segment, or None where the video ends.
        tail: times and fingerprints of the last frames before the boundary.
        history: what the next frame was judged by, see `ShotMarker`.
        damaged, retimed, notes: see `VideoReader`; of all the video so far.
        missing, last_duration: see `VideoReader`; told at the video's end only.
        at_cut: whether the next segment begins at a cut, so that it needs no state.
        state: of the stylizer behind the boundary, or None if it has none.
    """

    next_pts: Fraction | None
    tail: tuple[Fingerprint, ...]
    damaged: int
    retimed: int
    history: tuple[float, ...] = ()
    notes: tuple[str, ...] = ()
    missing: Fraction = Fraction(0)
    last_duration: Fraction = Fraction(0)
    at_cut: bool = False
    state: bytes | None = None


def boundary_at(
    splitter: SegmentSplitter, next_pts: Fraction | None, reader: VideoReader, shots: ShotMarker
) -> SegmentBoundary:
    """The boundary behind the frames that a splitter remembers.

    Args:
        splitter: it has seen the next frame, if there is one.
        next_pts: time of that frame, or None where the video ends.
        reader, shots: where the frames come from, and what marked them.
    """
    notes = tuple(reader.notes)
    boundary = SegmentBoundary(
        next_pts, splitter.tail, reader.damaged, reader.retimed, shots.history, notes, at_cut=splitter.at_cut
    )
    if next_pts is None:
        boundary = replace(boundary, missing=reader.missing, last_duration=reader.last_duration, at_cut=False)
    return boundary


@dataclass(frozen=True, slots=True)
class Segment:
    """A segment of a video.

    Attributes:
        start: index of its first frame.
        frames: number of frames.
        begin: time of its first frame in seconds.
        end: time of the next segment's first frame, or where the video's last frame ends.
        at_cut: whether it begins a new shot or the video, so that even a stylizer that smooths over time
            may begin here without a state.
    """

    start: int
    frames: int
    begin: Fraction
    end: Fraction
    at_cut: bool


def split_at_cuts(source: Path, settings: ConvertSettings = _DEFAULTS) -> Iterator[Segment]:
    """The segments of a video, as `convert` makes them: at cuts, else after `MOST_FRAMES`.

    Frames painted and encoded segment by segment, in any order and on any machine, give the packets that
    `convert` writes. With a stylizer that smooths over time, this holds for segments that begin `at_cut`.

    Args:
        source: any video that FFmpeg reads; it is decoded from begin to end.
        settings: which part of it is converted, how large, at which rate.

    Raises:
        SourceError: the source is no video.
    """
    splitter, shots = SegmentSplitter(), ShotMarker()
    with VideoReader(source, settings, bits=settings.bits) as reader:
        first: Frame | None = None
        last, at_cut = None, True
        for frame in map(shots.mark, reader):
            if first is None:
                first = frame
            if splitter.begins_segment(frame):
                yield Segment(first.index, frame.index - first.index, first.pts, frame.pts, at_cut)
                first, at_cut = frame, splitter.at_cut
            last = frame
        if first is not None and last is not None:
            end = last.pts + reader.last_duration
            yield Segment(first.index, last.index + 1 - first.index, first.pts, end, at_cut)
