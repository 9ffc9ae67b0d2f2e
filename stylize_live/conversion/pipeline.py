"""One conversion: three threads that decode, paint and encode at the same time."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from fractions import Fraction

from stylize_live.concurrency.channel import Bounded
from stylize_live.concurrency.failures import check_frame
from stylize_live.concurrency.stopwatch import Stopwatch
from stylize_live.concurrency.watchdog import Patience, Watchdog
from stylize_live.concurrency.workers import WorkerGroup
from stylize_live.conversion.output import FrameOutput
from stylize_live.conversion.progress import ConvertProgress, Sample
from stylize_live.conversion.segments import SegmentBoundary, SegmentSplitter, boundary_at
from stylize_live.conversion.stylizers import FrameStylizer, save_state
from stylize_live.errors import MachineError, SourceError
from stylize_live.frame import Frame
from stylize_live.media.decode.reader import VideoReader
from stylize_live.media.shots import ShotMarker
from stylize_live.system.clock import monotonic

log = logging.getLogger(__name__)

# A network disk may come back after minutes; a video left alone overnight should not wait till morning.
USUAL_PATIENCE = Patience(note=10, end=300)
_FRAMES_BETWEEN_STAGES = 2  # enough to even out their paces; 12 MB for each stage at 1080p
_SECONDS_BETWEEN_REPORTS = 0.2


class ConvertPipeline:
    """Frames from a reader, through a stylizer, into an output; nothing is dropped.

    Attributes:
        reader: the opened video.
        frames: written so far, earlier runs included.
        resumed: of them, those of earlier runs.
        seconds: wall clock, once it ran.
        sample: one frame before and after.

    Args:
        reader: the opened video.
        frames: what is still to be painted of it, counted from the video's beginning.
        shots: marks them; it has seen what comes before.
        stylizer: paints, in a thread of its own.
        output: where painted frames go.
        resumed: frames that earlier runs have written.
        unchanged: whether the source still is the file that it was.
        until: frames of the video after which the work ends: a segment begins there. None is its end.
        endless: stages that may wait for as long as they like, such as one that writes into a pipe.
    """

    def __init__(
        self,
        reader: VideoReader,
        frames: Iterator[Frame],
        shots: ShotMarker,
        stylizer: FrameStylizer,
        output: FrameOutput,
        *,
        resumed: int,
        unchanged: Callable[[], bool],
        until: int | None = None,
        endless: Collection[str] = (),
    ) -> None:
        self.reader, self._frames_to_come, self._stylizer, self._output = reader, frames, stylizer, output
        self._shots, self._unchanged, self._until = shots, unchanged, until
        self._decoded: Bounded[Frame | SegmentBoundary] = Bounded(_FRAMES_BETWEEN_STAGES)
        self._painted: Bounded[Frame | SegmentBoundary] = Bounded(_FRAMES_BETWEEN_STAGES)
        self._stages = WorkerGroup(self._decoded, self._painted)
        self._clocks = {name: Stopwatch() for name in ("decode", "inference", "encode")}
        self._watchdog = Watchdog()
        for name, clock in self._clocks.items():
            if name not in endless:
                self._watchdog.watch(name, clock)
        self.sample = Sample((reader.duration or Fraction(0)) / 3)
        self.frames = self.resumed = resumed
        self._began = self.seconds = 0.0

    @property
    def busy(self) -> dict[str, float]:
        """Seconds that each stage worked, without its waits."""
        return {name: clock.seconds for name, clock in self._clocks.items()}

    def run(
        self, on_progress: Callable[[ConvertProgress], None] | None, patience: Patience = USUAL_PATIENCE
    ) -> None:
        """Work until the video is in its place; this thread only waits, so that it hears Ctrl-C."""
        for progress in self.steps(patience):
            if on_progress is not None:
                on_progress(progress)

    def steps(self, patience: Patience = USUAL_PATIENCE) -> Iterator[ConvertProgress]:
        """Work until the video is in its place, and say how far it is now and then.

        Closing the generator stops everything.
        """
        self._began = monotonic()
        with self._stages as stages:
            stages.start("decode", self._decode, closes=(self._decoded,))
            stages.start("inference", self._paint, closes=(self._painted,))
            stages.start("encode", self._encode)
            yield self._progress()
            while stages.running:
                stages.join(min(_SECONDS_BETWEEN_REPORTS, patience.note))
                self._check_stalls(patience)
                yield self._progress()
            stages.check()
        self.seconds = monotonic() - self._began

    def _check_stalls(self, patience: Patience) -> None:
        """Say which stage does not answer; give up in the end. Raises `MachineError`."""
        for stall in self._watchdog.stalls(patience):
            if stall.seconds > patience.end:
                raise MachineError(f"{self.reader.path}: {stall}, is the disk still connected?")
            if stall.is_new:
                log.warning("%s: %s", self.reader.path, stall)

    def _progress(self) -> ConvertProgress:
        seconds = monotonic() - self._began
        return ConvertProgress(self.frames, self.reader.frames, seconds, self.resumed)

    def _decode(self) -> None:
        clock, splitter = self._clocks["decode"], SegmentSplitter()
        any_frames = False
        for given in clock.over(self._frames_to_come):
            frame = check_frame(given, "the source", self.reader.size)
            with clock:
                frame = self._shots.mark(frame)
                begins = splitter.begins_segment(frame)
            if begins:
                self._decoded.put(boundary_at(splitter, frame.pts, self.reader, self._shots))
                if frame.index == self._until:
                    return
            with clock:
                splitter.remember(frame)
            any_frames = True
            self.sample.offer(frame)
            self._decoded.put(frame)
        if any_frames:
            self._check_source()
            self._decoded.put(boundary_at(splitter, None, self.reader, self._shots))

    def _check_source(self) -> None:
        """A disk that was pulled out looks like a damaged video, and must not end as one."""
        reader = self.reader
        if (reader.missing or reader.damaged) and not self._unchanged():
            raise SourceError(f"{reader.path}: vanished or changed while it was read")

    def _paint(self) -> None:
        clock, feed = self._clocks["inference"], _Feed(self._until_stopped())
        while feed.more():
            for frame in clock.over(self._stylizer.stream(clock.waiting_for(feed.segment()))):
                self._painted.put(check_frame(frame, "the stylizer"))
            if feed.boundary is not None:
                ends = feed.boundary.next_pts is None
                state = None if ends else save_state(self._stylizer)
                self._painted.put(replace(feed.boundary, state=state))

    def _until_stopped(self) -> Iterator[Frame | SegmentBoundary]:
        """What was decoded; what waits in the channel when all stop is not worth painting."""
        for item in self._decoded:
            if self._stages.stopping.is_set():
                return
            yield item

    def _encode(self) -> None:
        clock = self._clocks["encode"]
        for item in self._painted:
            with clock:
                if isinstance(item, SegmentBoundary):
                    self._output.end_segment(item)
                    continue
                self._output.write(item)
            self.sample.match(item)
            self.frames += 1
        if not self._stages.stopping.is_set():
            self._output.finish(self._stages.stopping, clock)


class _Feed:
    """Splits what comes out of a channel into the frames of each segment and the boundary behind them."""

    def __init__(self, items: Iterator[Frame | SegmentBoundary]) -> None:
        self._items = items
        self._first: Frame | SegmentBoundary | None = None
        self.boundary: SegmentBoundary | None = None

    def more(self) -> bool:
        """Wait for the next segment; False if there is none."""
        self.boundary = None
        self._first = next(self._items, None)
        return self._first is not None

    def segment(self) -> Iterator[Frame]:
        """Frames up to the next boundary, which then is in `boundary`, or up to the end of all."""
        item, self._first = self._first, None
        while item is not None:
            if isinstance(item, SegmentBoundary):
                self.boundary = item
                return
            yield item
            item = next(self._items, None)
