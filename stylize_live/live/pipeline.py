"""The live pipeline: capture, paint, show; the newest frame wins.

    capture thread -> [Latest] -> inference thread -> [Latest] -> display, on the main thread
                                                  +-> [Latest] -> each other sink, on a thread of its own

Until the network is ready, frames are shown as they come, or a dark card where the source can wait.

Nothing waits for anything slower: a frame that was not taken in time is replaced by the next one
and counted as dropped. No frame is shown twice, except that one redrawn because its caption or
the view changed, which is not counted.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from datetime import datetime
from fractions import Fraction
from pathlib import Path

from stylize_live.concurrency.channel import Closed, Latest
from stylize_live.concurrency.failures import check_frame, explain_failures
from stylize_live.concurrency.signals import stop_on_ctrl_c
from stylize_live.concurrency.stopwatch import Stopwatch
from stylize_live.concurrency.watchdog import Patience, Watchdog
from stylize_live.concurrency.workers import WorkerGroup
from stylize_live.errors import MachineError, UsageError
from stylize_live.frame import Frame
from stylize_live.learning.words import describe_cost
from stylize_live.live.adaptive_resolution import AdaptiveResolution
from stylize_live.live.captions import CaptionWriter
from stylize_live.live.frame_counts import FrameCounts
from stylize_live.live.inference import Inference
from stylize_live.live.latency import LatencyClock
from stylize_live.live.learning import LiveLearning
from stylize_live.live.painted_frame import PaintedFrame, ViewOptions
from stylize_live.live.protocols import Driven, Interruptible, LiveDisplay
from stylize_live.live.recordings import Recordings
from stylize_live.live.report import LiveReport
from stylize_live.live.screen import Screen
from stylize_live.live.session import Figures, Remote
from stylize_live.live.sink_group import SinkGroup
from stylize_live.live.sink_switches import Openers, SinkSwitches
from stylize_live.live.slow_changes import SlowChanges
from stylize_live.live.snapshots import Snapshots
from stylize_live.live.sound import LiveSound
from stylize_live.live.view import LiveStylizer, View
from stylize_live.live.warm_up import Flowing, WarmUp, describe_warm_up
from stylize_live.media.protocols import LiveSink, Source
from stylize_live.media.sinks.opening import sink_address
from stylize_live.naming import snapshot_name
from stylize_live.system.clock import monotonic
from stylize_live.system.timers import fine_timers

log = logging.getLogger(__name__)

# As long as a camera that vanished is waited for.
USUAL_PATIENCE = Patience(note=2, end=60)
_POLL_SECONDS = 0.01


def run_live(
    source: Source,
    stylizer: LiveStylizer,
    display: LiveDisplay,
    *,
    sinks: Sequence[LiveSink] = (),
    styles: Sequence[str] = (),
    mirror: bool = False,
    split: bool = False,
    duration: float | None = None,
    snapshots: Path | None = None,
    microphone: str | None = None,
    remote: Remote | None = None,
    openers: Openers | None = None,
    adaptive_resolution: AdaptiveResolution | None = None,
    patience: Patience = USUAL_PATIENCE,
    sound: LiveSound | None = None,
    learning: LiveLearning | None = None,
) -> LiveReport:
    """Paint and show a source until it ends, the time is over, or the user ends the session.

    Call it from the main thread. The first Ctrl-C ends the run as if the user had pressed q, the
    second one kills the process. Source, display and sinks stay open, apart from
    sinks that are switched off; whoever opened them closes them.

    Args:
        source: live frames; one with an `interrupt` method is woken by it at the end.
        stylizer: paints in a thread of its own.
        display: polled about a hundred times a second.
        sinks: get every frame that is shown, without overlay, or the newest they have time for. One
            that fails is reported and left out; the run ends only where nothing else is left.
        styles: names that keys choose from; may change while it runs.
        mirror: start mirrored.
        split: start with the split view.
        duration: seconds of painting after which the run ends, or None.
        snapshots: folder for snapshots and recordings that keys ask for; default is the current one.
        microphone: name or number of the one that such recordings have their sound from.
        remote: controls the session beside the display; called as often as that is polled.
        openers: of sinks that the remote can switch on and off, by name; it closes those that it had opened.
        adaptive_resolution: chooses the size that the stylizer paints at.
        patience: how long one frame may take. Whoever takes longer is named first; in the end a sink is left
            out, and a source or stylizer ends the run.
        sound: listens, and has the stylizer follow what it hears.
        learning: learns the painting that is the style, beside the session.

    Raises:
        MachineError: no memory is left, or source or stylizer do not answer.
        StylizeError: the first error of any stage, within two seconds; also any other exception of theirs.
    """
    folder = snapshots or Path()
    pipeline = _LivePipeline(
        source,
        stylizer,
        display,
        sinks,
        styles,
        folder,
        microphone,
        openers or {},
        adaptive_resolution,
        sound,
        learning,
    )
    pipeline.view.view_options = ViewOptions(mirror=mirror, split=split)
    with fine_timers():
        return pipeline.run(duration, remote, patience)


class _LivePipeline:
    def __init__(
        self,
        source: Source,
        stylizer: LiveStylizer,
        display: LiveDisplay,
        sinks: Sequence[LiveSink],
        styles: Sequence[str],
        snapshots: Path,
        microphone: str | None,
        openers: Openers,
        adaptive_resolution: AdaptiveResolution | None,
        sound: LiveSound | None,
        learning: LiveLearning | None,
    ) -> None:
        self._source = source
        self._resolution = adaptive_resolution
        self.sound, self.learning = sound, learning
        self.stylizer = stylizer
        stylizer.keeps_background = True  # who is hidden stays hidden, and the session goes on
        self._to_paint: Latest[Frame] = Latest()
        self._to_show: Latest[PaintedFrame] = Latest()
        self._sink_group = SinkGroup(sinks)
        self._changes = SlowChanges(stylizer, adaptive_resolution)
        self._inference = Inference(stylizer, source, adaptive_resolution, self._changes.request_lines)
        self._warm_up = WarmUp()
        self.view = View(
            stylizer,
            styles,
            self._take_snapshot,
            self._toggle_recording,
            self._changes.request_boldness,
            learn=self._toggle_learning,
            look_at=self._changes.request_look,
        )
        self.switches = SinkSwitches(self._sink_group, openers, sinks, sink_address, self.view.say)
        self._workers = WorkerGroup(
            self._to_paint,
            self._to_show,
            self._changes,
            self.switches,
            self._sink_group,
            self._warm_up,
            _Waker(source),
            *(one for one in (sound, learning) if one is not None),
        )
        self._clock = LatencyClock()
        self._counts = FrameCounts(lambda: self._to_paint.dropped + self._to_show.dropped)
        self._current: PaintedFrame | None = None
        self._changed_at = -math.inf  # when a style or option was chosen that a frozen frame is to show
        self._screen = Screen(display, self.view)
        self._captions = CaptionWriter(self)
        self._folder = snapshots
        self._snapshots = Snapshots(snapshots, self.view.say)
        self._recordings = Recordings(self._sink_group, self.view.say, microphone, sinks)
        self._remote: Remote | None = None
        self._capturing = Stopwatch()
        self._watchdog = self._make_watchdog()
        self._stall = ""

    def _make_watchdog(self) -> Watchdog:
        watchdog = Watchdog()
        watchdog.watch("the source", self._capturing, excused=lambda: self._source_waits)
        watchdog.watch("painting", self._inference.painting)
        # It may take as long as it needs, and the window says so.
        watchdog.watch("loading the style", self._inference.loading, noted=False)
        watchdog.watch("a change of boldness", self._changes.changing_boldness)
        return watchdog

    def run(self, duration: float | None, remote: Remote | None, patience: Patience) -> LiveReport:
        self._remote = remote
        with self._workers as workers, stop_on_ctrl_c(workers.stopping):
            self._start(workers)
            while not self.view.ended and not workers.stopping.is_set() and not self._is_over(duration):
                try:
                    with explain_failures("display"):
                        self._show_next()
                except Closed:
                    break
                self._check_stalls(patience)
                if remote is not None:
                    with explain_failures("remote"):
                        remote.attend(self)
                if not (self._screen.watched or (remote is not None and remote.shows)):
                    self._sink_group.check()
        workers.check()
        return self._report(self._warm_up.seconds(monotonic()))

    def _start(self, workers: WorkerGroup) -> None:
        workers.start("capture", self._capture, closes=(self._to_paint,))
        workers.start("inference", self._paint, closes=(self._to_show,))
        self._changes.start(workers, self.view)
        self._sink_group.start(workers)
        self.switches.start(workers)
        if self.sound is not None:
            self.sound.start(workers, self._source, self.stylizer, self.view.say)
        if self.learning is not None:
            self.learning.start(workers, self, self.stylizer, self.view.say)

    def _is_over(self, duration: float | None) -> bool:
        return duration is not None and self._warm_up.seconds(monotonic()) >= duration

    @property
    def _watched(self) -> bool:
        remote = self._remote is not None and self._remote.watched
        return remote or self._screen.watched or self._sink_group.watched

    def _check_stalls(self, patience: Patience) -> None:
        """Warn of what hangs, and give up in the end. Raises `MachineError`."""
        self._sink_group.check_stalls(patience)
        if self.switches.update(patience):
            self.view.changed = True  # a frozen frame is sent to it, too
        stalls = list(self._watchdog.stalls(patience))
        for stall in stalls:
            if stall.seconds > patience.end:
                raise MachineError(str(stall))
            if stall.is_new:
                log.warning("%s", stall)
        self._stall = str(stalls[0]) if stalls else ""

    @property
    def _source_waits(self) -> bool:
        """Whether the source says that it waits; then it may take as long as it likes."""
        told = isinstance(self._source, Interruptible) and bool(self._source.trouble)
        return told or (isinstance(self._source, Driven) and not self._source.in_device)

    def _capture(self) -> None:
        if not (isinstance(self._source, Flowing) and self._source.flows):
            self._warm_up.wait()
        for given in self._capturing.over(self._source):
            if self._workers.stopping.is_set():
                return
            frame = check_frame(given, "the source")
            if self._warm_up.under_way:
                self._warm_up.see(frame)
                continue
            if self._warm_up.settled(monotonic()):
                self._counts.settle()
            self._counts.captured += 1
            if self.view.frozen:
                self._counts.frozen += 1  # nothing is painted, but the source is still read
            elif not self._watched:
                self._counts.idle += 1
            else:
                self._to_paint.put(frame)

    def _paint(self) -> None:
        self._inference.load(self._warm_up)
        for frame in self._to_paint:
            if self._workers.stopping.is_set():
                return
            item = self._inference.paint(frame)
            self._to_show.put(item)
            if self._inference.adapt(item, self._to_paint):
                self.view.say(self.painting)
            if not self.view.frozen:
                # From here and not from the main thread, which a window that is dragged may hold up.
                self._publish(item)

    def _publish(self, item: PaintedFrame) -> None:
        """Hand a frame to the sinks beside the display."""
        if self._sink_group:
            self._sink_group.put(item.compose(self.view.view_options))

    def _show_next(self) -> None:
        """Wait a moment for the next frame, show it, and handle a key. Raises `Closed` at the end."""
        self._changes.use_seen(self.view)
        fresh = self._next()
        if self._captions.update(monotonic()):
            # A new frame brings new figures along; without one, the old frame is drawn again.
            self.view.changed = True
        if (fresh or self.view.changed) and self._current is not None:
            self._screen.show(self._current, self._captions.shown())
            if self.view.frozen:
                self._publish(self._current)  # mirrored or painted anew
        drawn_at = monotonic()
        key = self._screen.poll()
        if fresh and self._current is not None:
            self._count(self._current, drawn_at)
        if key is not None:
            self.view.press(key)
        self._repaint_frozen()

    def _next(self) -> bool:
        """Take a new frame if one comes in time; whether one came that was not shown before."""
        try:
            item = self._to_show.get(_POLL_SECONDS)
        except TimeoutError:
            trouble = self.trouble
            if self._current is None and (self._warm_up.under_way or trouble):
                self._screen.show_raw(self._warm_up, self._source.size, trouble)
            return False
        again = self._current is not None and item.original.index == self._current.original.index
        if self.view.frozen and self._current is not None and not again:
            self._counts.frozen += 1  # was under way when the frame was frozen
            return False
        self._current = item
        self.view.changed |= again
        return not again

    def _count(self, item: PaintedFrame, drawn_at: float) -> None:
        finished = {
            "capture": item.taken_at,
            "inference": item.painted_at,
            "display": drawn_at,
            "total": monotonic(),
        }
        self._clock.record(item.original.captured_at, finished)

    def _repaint_frozen(self) -> None:
        """Show a frozen frame in the style that was just chosen, also if it froze after that."""
        if self.view.repaint:
            self.view.repaint, self._changed_at = False, monotonic()
        if self.view.frozen and self._current is not None and self._current.taken_at < self._changed_at:
            self._changed_at = -math.inf
            self._to_paint.put(self._current.original)

    def _take_snapshot(self) -> None:
        if self._current is not None:
            shown = self._current.compose(self.view.view_options)
            self._snapshots.take(self._workers, shown, self.stylizer.style)

    def _toggle_recording(self) -> None:
        if self._current is None:
            return
        path = self._folder / snapshot_name(self.stylizer.style, datetime.now(), ".mp4")
        self._recordings.on_black = self._current.painted.alpha is not None
        self._recordings.toggle(path, self._current.painted.size, self._source.rate or Fraction(30))

    def _toggle_learning(self) -> None:
        if self.learning is None:
            self.view.say("start with --learn to learn a painting")
            return
        begins = self.learning.figures.state in ("off", "done")
        try:
            self.learning.turn(not self.learning.on)
        except UsageError as error:
            self.view.say(str(error))
        else:
            cost = f": {describe_cost(self.learning.period)}" if begins else ""
            self.view.say(f"learning{cost}" if self.learning.on else "learning paused")

    # What the learner asks, see `LearningSession`.

    @property
    def pace(self) -> tuple[float, float] | None:
        """Since it was asked before."""
        pace = self._counts.pace(monotonic(), self._clock.shown)
        return None if self.view.frozen or not self._watched else pace

    def show_again(self) -> None:
        """Paint a frozen frame once more."""
        self.view.repaint = True

    # What remotes see, see `LiveSession`.

    @property
    def shown(self) -> Frame | None:
        """The frame that was shown last, without overlay."""
        return self._screen.shown

    @property
    def original(self) -> Frame | None:
        """The source's frame whose painting is shown."""
        return None if self._current is None else self._current.original

    def figures(self, now: float) -> Figures:
        """How it runs at the moment `now`, in monotonic seconds."""
        counts, resolution = self._counts, self._resolution
        return Figures(
            captured=counts.captured,
            shown=self._clock.shown,
            dropped=counts.dropped,
            fps=self._clock.recent_fps(now),
            latency_ms=self._clock.recent(),
            painting=self.painting,
            size="" if resolution is None or not counts.captured else resolution.short_description,
        )

    @property
    def painting(self) -> str:
        """How much is painted, and why not more, in words; "" before the first frame, or if it is fixed."""
        if self._resolution is None or not self._counts.captured:
            return ""
        return self._resolution.describe(min(self._source.size))

    @property
    def trouble(self) -> str:
        """What the session or its source waits for, what hangs, or what failed; "" while all is well."""
        waiting = isinstance(self._source, Interruptible) and self._source.trouble
        ready = not self._warm_up.under_way
        stalled = self._stall or self.switches.trouble or self._sink_group.trouble
        stalled = stalled or self.stylizer.background_trouble
        return waiting or stalled or ("" if ready else describe_warm_up(self.stylizer.style))

    @property
    def recorded(self) -> float | None:
        """Seconds since a recording began, or None while there is none."""
        return self._recordings.seconds

    @property
    def video(self) -> Path | None:
        """The recording that is being made, or None."""
        return self._recordings.path

    @property
    def saved(self) -> int:
        """How many snapshots and recordings were made."""
        return self._snapshots.made + self._recordings.made

    @property
    def on_record(self) -> float | None:
        """Seconds since the longest recording began, one of the whole session included; None without one."""
        return self._recordings.longest

    @property
    def lines(self) -> int | None:
        """Lines that were asked for, or None for as many as fit; may be set, if `can_resize`."""
        return None if self._resolution is None else self._resolution.held

    @lines.setter
    def lines(self, wanted: int | None) -> None:
        if self._resolution is not None:
            self._resolution.held = wanted

    @property
    def can_resize(self) -> bool:
        """Whether the lines can be changed."""
        return self._resolution is not None

    @property
    def microphone(self) -> str | None:
        """Microphone of recordings begun from now on: its name or number, or None; may be set."""
        return self._recordings.microphone

    @microphone.setter
    def microphone(self, wanted: str | None) -> None:
        self._recordings.microphone = wanted

    def _report(self, seconds: float) -> LiveReport:
        before = {"inference": self._to_paint.dropped, "display": self._to_show.dropped}
        return LiveReport(
            captured=self._counts.captured,
            shown=self._clock.shown,
            dropped=sum(before.values()),
            dropped_before=before,
            settled=self._counts.settled,
            passed=self._warm_up.passed,
            frozen=self._counts.frozen,
            idle=self._counts.idle,
            fps=round(self._clock.fps(), 3),
            seconds=round(seconds, 3),
            latency_ms=self._clock.latency(),
            outputs=self._sink_group.report(),
            painting=self.painting,
            paint=self.stylizer.paint,
            background_style=self.stylizer.background_style,
            background=self.stylizer.background,
            steps=[] if self._resolution is None else self._resolution.report(),
            sound=None if self.sound is None else self.sound.report,
            learning=None if self.learning is None else self.learning.report,
        )


class _Waker:
    """Wakes a waiting source when the threads stop; one that cannot be woken ends with its next frame."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def close(self) -> None:
        if isinstance(self._source, Interruptible):
            self._source.interrupt()
