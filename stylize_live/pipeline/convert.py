"""A video file becomes a painted video file: nothing dropped, decode, inference and encode at once."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Protocol, TypeVar

from stylize_live.config import ConvertSettings
from stylize_live.errors import UsageError
from stylize_live.frame import Frame, Pixels
from stylize_live.media.reader import VideoReader
from stylize_live.media.writer import VideoWriter, video_format
from stylize_live.pipeline.channel import Bounded
from stylize_live.pipeline.stages import Stages

_FRAMES_BETWEEN_STAGES = 4  # enough to even out their paces; 25 MB for each stage at 1080p
_SECONDS_BETWEEN_REPORTS = 0.2
T = TypeVar("T")


class FramePainter(Protocol):
    """What this module needs of `stylize_live.engine.Stylizer`."""

    def stream(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        """Paint frames in order."""

    def warm_up(self, size: tuple[int, int]) -> None:
        """Make the first frame of this (width, height) as quick as the others."""


@dataclass(frozen=True, slots=True)
class ConvertProgress:
    """How far a conversion is.

    Attributes:
        frames: written so far.
        total: estimate of all frames, or None.
        seconds: since the first frame was asked for.
    """

    frames: int
    total: int | None
    seconds: float

    @property
    def fps(self) -> float:
        """Frames per second so far."""
        return self.frames / self.seconds if self.seconds else 0.0


@dataclass(frozen=True, slots=True)
class ConvertReport:
    """What a conversion did.

    Attributes:
        frames: written.
        seconds: wall clock from the first frame asked for to the file in its place; loading the
            style and warming up are not in it.
        busy: seconds each stage ("decode", "inference", "encode") worked, without its waits.
        damaged: packets and pictures of the source that could not be used.
        complete: whether the source was whole and undamaged.
        notes: what was lost or changed, in words.
        original, painted: (H, W, 3) uint8 RGB of the first frame after one third of the film.
    """

    frames: int
    seconds: float
    busy: dict[str, float]
    damaged: int
    complete: bool
    notes: list[str]
    original: Pixels
    painted: Pixels

    @property
    def fps(self) -> float:
        """Frames per second over all."""
        return self.frames / self.seconds if self.seconds else 0.0


def convert(
    source: Path,
    target: Path,
    stylizer: FramePainter,
    settings: ConvertSettings,
    *,
    overwrite: bool = False,
    on_progress: Callable[[ConvertProgress], None] | None = None,
) -> ConvertReport:
    """Paint a video file, its sound and subtitles kept.

    Args:
        source: any video that FFmpeg reads.
        target: file to write, ending in .mp4, .m4v, .mov or .mkv; appears whole or not at all.
        stylizer: paints the frames, in a thread of its own.
        settings: quality and speed of the encoder.
        overwrite: replace a target that exists.
        on_progress: called in this thread about 5 times a second; what it raises stops everything.

    Raises:
        UsageError: wrong suffix, a target that exists, or that is the source.
        SourceError: the source is no video.
        SinkError: the target cannot be written; nothing is left behind.
        KeyboardInterrupt: Ctrl-C; nothing is left behind.
    """
    check_paths(source, target, overwrite)
    with VideoReader(source) as reader:
        rate = reader.average_rate
        with VideoWriter(
            target,
            reader.size,
            rate=rate,
            crf=settings.crf,
            preset=settings.preset,
            audio=settings.audio,
            like=reader,
        ) as writer:
            stylizer.warm_up(reader.size)
            journey = _Journey(reader, writer, stylizer)
            journey.run(on_progress)
        return journey.report()


def check_paths(source: Path, target: Path, overwrite: bool) -> None:
    """Refuse what cannot be meant, before any work.

    Raises:
        UsageError: wrong suffix, a target that exists without `overwrite`, or that is the source.
    """
    video_format(target)
    if not target.exists():
        return
    if source.exists() and target.samefile(source):
        raise UsageError(f"{target}: is the source itself, choose another name")
    if not overwrite:
        raise UsageError(f"{target}: exists already, use --overwrite to replace it")


class _Journey:
    """One conversion: three threads and what they count."""

    def __init__(self, reader: VideoReader, writer: VideoWriter, stylizer: FramePainter) -> None:
        self._reader, self._writer, self._stylizer = reader, writer, stylizer
        self._decoded: Bounded[Frame] = Bounded(_FRAMES_BETWEEN_STAGES)
        self._painted: Bounded[Frame] = Bounded(_FRAMES_BETWEEN_STAGES)
        self._stages = Stages(self._decoded, self._painted)
        self._clocks = {name: _Stopwatch() for name in ("decode", "inference", "encode")}
        self._sample = _Sample((reader.duration or Fraction(0)) / 3)
        self._frames = 0
        self._began = self._seconds = 0.0

    def run(self, on_progress: Callable[[ConvertProgress], None] | None) -> None:
        """Work until all frames are written; this thread only waits, so that it hears Ctrl-C."""
        self._began = time.perf_counter()
        with self._stages as stages:
            stages.start("decode", self._decode, closes=(self._decoded,))
            stages.start("inference", self._paint, closes=(self._painted,))
            stages.start("encode", self._encode)
            while stages.running:
                stages.join(_SECONDS_BETWEEN_REPORTS)
                if on_progress is not None:
                    on_progress(self._progress())
            stages.check()
        self._seconds = time.perf_counter() - self._began

    def _progress(self) -> ConvertProgress:
        return ConvertProgress(self._frames, self._reader.frames, time.perf_counter() - self._began)

    def _decode(self) -> None:
        for frame in self._clocks["decode"].over(self._reader):
            self._sample.offer(frame)
            self._decoded.put(frame)

    def _paint(self) -> None:
        clock = self._clocks["inference"]
        for frame in clock.over(self._stylizer.stream(clock.waiting_for(self._until_stopped()))):
            self._painted.put(frame)

    def _until_stopped(self) -> Iterator[Frame]:
        """Decoded frames; what waits in the channel when all stop is not worth painting."""
        for frame in self._decoded:
            if self._stages.stopping.is_set():
                return
            yield frame

    def _encode(self) -> None:
        clock = self._clocks["encode"]
        for frame in self._painted:
            with clock:
                self._writer.write(frame)
            self._sample.match(frame)
            self._frames += 1
        if not self._stages.stopping.is_set():
            with clock:
                self._writer.finish()

    def report(self) -> ConvertReport:
        """To be asked once everything ran and the file is in its place."""
        reader, writer = self._reader, self._writer
        damaged = reader.damaged + writer.damaged
        original, painted = self._sample.pair
        return ConvertReport(
            frames=self._frames,
            seconds=self._seconds,
            busy={name: clock.seconds for name, clock in self._clocks.items()},
            damaged=damaged,
            complete=damaged == 0 and reader.missing == 0,
            notes=[*reader.notes, *writer.notes, *_damage_notes(reader, damaged)],
            original=original.pixels,
            painted=painted.pixels,
        )


def _damage_notes(reader: VideoReader, damaged: int) -> list[str]:
    notes = []
    if damaged:
        notes.append(f"{damaged} damaged packets or pictures of the source were skipped")
    if reader.missing:
        notes.append(f"the source ends {float(reader.missing):.1f} s early, it seems cut off")
    if reader.retimed:
        notes.append(
            f"{reader.retimed} pictures had no usable time and follow the one before at the usual step"
        )
    return notes


class _Sample:
    """Keeps one frame and its painting: the first at or after a wanted time.

    A cut-off film may end before that time, so until then the frames 0, 1, 2, 4, 8... are kept in turn.
    """

    def __init__(self, wanted: Fraction) -> None:
        self._wanted = wanted
        self._next = 0
        self._settled = False
        self._offered: dict[int, Frame] = {}
        self._pair: tuple[Frame, Frame] | None = None

    def offer(self, frame: Frame) -> None:
        """See a frame on its way to the stylizer."""
        reached = frame.pts >= self._wanted
        if not self._settled and (reached or frame.index >= self._next):
            self._settled = reached
            self._next = max(1, 2 * frame.index)
            self._offered[frame.index] = frame

    def match(self, painted: Frame) -> None:
        """See a frame that comes from the stylizer."""
        original = self._offered.pop(painted.index, None)
        if original is not None:
            self._pair = original, painted

    @property
    def pair(self) -> tuple[Frame, Frame]:
        """The kept frame and its painting."""
        if self._pair is None:
            raise RuntimeError("the stylizer gave back none of the frames it was given")
        return self._pair


class _Stopwatch:
    """Adds up the seconds spent inside `with`."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._began = 0.0

    def __enter__(self) -> None:
        self._began = time.perf_counter()

    def __exit__(self, *_: object) -> None:
        self.seconds += time.perf_counter() - self._began

    def over(self, items: Iterable[T]) -> Iterator[T]:
        """The items, counting the time it takes to get each."""
        iterator = iter(items)
        while True:
            with self:
                try:
                    item = next(iterator)
                except StopIteration:
                    return
            yield item

    def waiting_for(self, items: Iterable[T]) -> Iterator[T]:
        """The items, taking off the time it takes to get each: that is somebody else's work."""
        iterator = iter(items)
        while True:
            began = time.perf_counter()
            try:
                item = next(iterator)
            except StopIteration:
                return
            finally:
                self.seconds -= time.perf_counter() - began
            yield item
