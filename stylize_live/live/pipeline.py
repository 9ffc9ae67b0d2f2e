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
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from typing import Protocol, runtime_checkable

from stylize_live.concurrency.channel import Closed, Latest
from stylize_live.concurrency.failures import check_frame, explain_failure, explain_failures
from stylize_live.concurrency.signals import stop_on_ctrl_c
from stylize_live.concurrency.stopwatch import Stopwatch
from stylize_live.concurrency.watchdog import Patience, Watchdog
from stylize_live.concurrency.workers import WorkerGroup
from stylize_live.errors import MachineError, StyleError, UsageError, describe_error
from stylize_live.frame import Frame
from stylize_live.learning.words import describe_cost
from stylize_live.live.adaptive_resolution import AdaptiveResolution
from stylize_live.live.hotkeys import hotkey_rows
from stylize_live.live.latency import LatencyClock
from stylize_live.live.learning import LiveLearning
from stylize_live.live.painted_frame import PaintedFrame, ViewOptions, compose_view
from stylize_live.live.quality_ladder import Step
from stylize_live.live.recordings import Recordings
from stylize_live.live.report import LiveReport, Settled
from stylize_live.live.session import Figures, Remote
from stylize_live.live.sink_group import SinkGroup
from stylize_live.live.sink_switches import Openers, SinkSwitches
from stylize_live.live.sound import LiveSound
from stylize_live.live.view import LiveStylizer, View
from stylize_live.live.warm_up import Flowing, WarmUp, describe_warm_up, make_card
from stylize_live.media.image.io import Still, write_image
from stylize_live.media.protocols import LiveSink, Source
from stylize_live.media.sinks.opening import sink_address
from stylize_live.media.sinks.overlay import Caption
from stylize_live.naming import clock_time, display_name, snapshot_name
from stylize_live.options import DEFAULT_BOLDNESS
from stylize_live.system.clock import monotonic
from stylize_live.system.timers import fine_timers

log = logging.getLogger(__name__)

# As long as a camera that vanished is waited for.
USUAL_PATIENCE = Patience(note=2, end=60)
_POLL_SECONDS = 0.01
_CAPTION_SECONDS = 0.25


class LiveDisplay(Protocol):
    """Where frames go: a window, or nothing.

    Attributes:
        watched: whether anybody may be looking.
    """

    watched: bool

    def write(self, frame: Frame, caption: Caption | None = None) -> None:
        """Take a frame and what to write on it."""

    def poll(self) -> str | None:
        """Bring the frame to the screen; return the name of a key that was pressed, or "closed"."""


@runtime_checkable
class Interruptible(Protocol):
    """A source that can be woken from its waiting, and tells what it waits for."""

    trouble: str | None

    def interrupt(self) -> None:
        """End the iteration soon."""


@runtime_checkable
class Driven(Protocol):
    """A source that tells waiting for the next frame from waiting for a driver.

    Attributes:
        in_device: whether it is inside a driver or library now, from where it may not come back.
    """

    @property
    def in_device(self) -> bool: ...


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
        self._display = display
        self._snapshots = snapshots
        self._to_paint: Latest[Frame] = Latest()
        self._to_show: Latest[PaintedFrame] = Latest()
        self._sink_group = SinkGroup(sinks)
        self._boldness: Latest[float] = Latest()
        self._lines: Latest[int] = Latest()
        self._unseen: Latest[str] = Latest()  # styles whose paintings were not looked at yet
        self._seen = ""  # the last one that was, for the main thread
        self._asked: Step | None = None  # whose lines are being made ready
        self._warm_up = WarmUp()
        self.view = View(
            stylizer,
            styles,
            self._take_snapshot,
            self._toggle_recording,
            self._request_boldness,
            learn=self._toggle_learning,
            look_at=self._request_look,
        )
        self.switches = SinkSwitches(self._sink_group, openers, sinks, sink_address, self.view.say)
        self._workers = WorkerGroup(
            self._to_paint,
            self._to_show,
            self._boldness,
            self._lines,
            self._unseen,
            self.switches,
            self._sink_group,
            self._warm_up,
            _Waker(source),
            *(one for one in (sound, learning) if one is not None),
        )
        self._clock = LatencyClock()
        self._captured = 0
        self._paced: tuple[float, int, int] | None = (
            None  # a moment, and frames shown and captured until then
        )
        self._changed_at = -math.inf  # when a style or option was chosen that a frozen frame is to show
        self._settled: tuple[int, int] | None = None  # captured and dropped while the pace was found
        self._raw_shown: Frame | None = None
        self._raw_caption = Caption()
        self._stills = 0  # snapshots that were written
        self._frozen = 0
        self._idle = 0
        self._current: PaintedFrame | None = None
        self._caption = Caption()
        self._caption_at = 0.0
        self.shown: Frame | None = None
        self._recordings = Recordings(self._sink_group, self.view.say, microphone, sinks)
        self._remote: Remote | None = None
        self._capturing, self._painting = Stopwatch(), Stopwatch()
        self._watchdog = Watchdog()
        self._watchdog.watch("the source", self._capturing, excused=lambda: self._source_waits)
        self._watchdog.watch("painting", self._painting)
        self._loading = Stopwatch()
        # It may take as long as it needs, and the window says so.
        self._watchdog.watch("loading the style", self._loading, noted=False)
        self._changing_boldness = Stopwatch()
        self._watchdog.watch("a change of boldness", self._changing_boldness)
        self._stall = ""

    def run(self, duration: float | None, remote: Remote | None, patience: Patience) -> LiveReport:
        self._remote = remote
        with self._workers as workers, stop_on_ctrl_c(workers.stopping):
            workers.start("capture", self._capture, closes=(self._to_paint,))
            workers.start("inference", self._paint, closes=(self._to_show,))
            workers.start("boldness", self._set_boldness)
            workers.start("lines", self._make_lines_ready)
            workers.start("looking", self._look_at_paintings)
            self._sink_group.start(workers)
            self.switches.start(workers)
            if self.sound is not None:
                self.sound.start(workers, self._source, self.stylizer, self.view.say)
            if self.learning is not None:
                self.learning.start(workers, self, self.stylizer, self.view.say)
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
                if not (self._display.watched or (remote is not None and remote.shows)):
                    self._sink_group.check()
        workers.check()
        return self._report(self._warm_up.seconds(monotonic()))

    def _is_over(self, duration: float | None) -> bool:
        return duration is not None and self._warm_up.seconds(monotonic()) >= duration

    @property
    def _watched(self) -> bool:
        remote = self._remote is not None and self._remote.watched
        return remote or self._display.watched or self._sink_group.watched

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
            self._note_settled()
            self._captured += 1
            if self.view.frozen:
                self._frozen += 1  # nothing is painted, but the source is still read
            elif not self._watched:
                self._idle += 1
            else:
                self._to_paint.put(frame)

    def _note_settled(self) -> None:
        if self._settled is None and self._warm_up.settled(monotonic()):
            self._settled = self._captured, self._dropped

    @property
    def _dropped(self) -> int:
        return self._to_paint.dropped + self._to_show.dropped

    def _prepare(self) -> None:
        if self._resolution is None:
            self.stylizer.warm_up(self._source.size)
        else:
            self._resolution.start(self._source.size, self._source.rate)

    def _paint(self) -> None:
        with self._loading:
            self._warm_up.run(self._prepare)
        for frame in self._to_paint:
            if self._workers.stopping.is_set():
                return
            taken_at = monotonic()
            with self._painting:
                painted = check_frame(self.stylizer(frame), "the stylizer", frame.size)
            item = PaintedFrame(frame, painted, taken_at, monotonic())
            self._to_show.put(item)
            if self._resolution is not None:
                self._resolution.resize(frame.size, self._source.rate)
                self._adapt_resolution(self._resolution, item.painted_at - taken_at)
            if not self.view.frozen:
                # From here and not from the main thread, which a window that is dragged may hold up.
                self._publish(item)

    def _adapt_resolution(self, resolution: AdaptiveResolution, took: float) -> None:
        if resolution.note(took, self._to_paint.dropped):
            self.view.say(self.painting)
        wanted = resolution.wanted
        if wanted is not None and wanted != self._asked:
            self._lines.put(wanted.lines)
        self._asked = wanted

    def _make_lines_ready(self) -> None:
        """In a thread of its own: painting would stop for some frames."""
        for lines in self._lines:
            if self._resolution is not None:
                self._resolution.make_ready(lines)

    def _request_boldness(self, boldness: float) -> None:
        with suppress(Closed):  # the session is ending
            self._boldness.put(boldness)

    def _set_boldness(self) -> None:
        """In a thread of its own: painting would stop for some frames. The newest value wins."""
        for boldness in self._boldness:
            with self._changing_boldness:
                self.stylizer.boldness = boldness
            self.view.repaint = True

    def _request_look(self, style: str) -> None:
        with suppress(Closed):  # the session is ending
            self._unseen.put(style)

    def _look_at_paintings(self) -> None:
        """In a thread of its own: window and pages would stop for a second. The newest style wins."""
        for style in self._unseen:
            try:
                self.stylizer.look_at(style)
            except (StyleError, OSError) as error:
                self._seen = ""
                self.view.say(describe_error(error))
            else:
                self._seen = style

    def _use_seen(self) -> None:
        """Paint in a style that was awaited, unless another one was chosen meanwhile."""
        if self.view.awaited and self.view.awaited == self._seen:
            self.view.use_style(self._seen)

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

    @property
    def pace(self) -> tuple[float, float] | None:
        """See `LearningSession.pace`: since it was asked before."""
        now = monotonic(), self._clock.shown, self._captured
        before, self._paced = self._paced, now
        if before is None or now[0] <= before[0] or self.view.frozen or not self._watched:
            return None
        seconds = now[0] - before[0]
        return (now[1] - before[1]) / seconds, (now[2] - before[2]) / seconds

    def show_again(self) -> None:
        """See `LearningSession.show_again`."""
        self.view.repaint = True

    def _publish(self, item: PaintedFrame) -> None:
        """Hand a frame to the sinks beside the display."""
        if self._sink_group:
            self._sink_group.put(self._compose(item))

    def _show_next(self) -> None:
        """Wait a moment for the next frame, show it, and handle a key. Raises `Closed` at the end."""
        self._use_seen()
        fresh = self._next()
        now = monotonic()
        self._update_caption(now)
        if (fresh or self.view.changed) and self._current is not None:
            self._draw(self._current)
            if self.view.frozen:
                self._publish(self._current)  # mirrored or painted anew
        drawn_at = monotonic()
        key = self._display.poll()
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
            self._show_raw()
            return False
        again = self._current is not None and item.original.index == self._current.original.index
        if self.view.frozen and self._current is not None and not again:
            self._frozen += 1  # was under way when the frame was frozen
            return False
        self._current = item
        self.view.changed |= again
        return not again

    def _show_raw(self) -> None:
        """As long as nothing can be painted, show the frame that came, or a card.

        In the window only: pages, which others may see, and sinks get nothing that is not painted.
        """
        trouble = self.trouble
        if self._current is not None or not (self._warm_up.under_way or trouble):
            return
        caption = Caption(note=self.view.note or trouble, table=hotkey_rows() if self.view.help else ())
        raw = self._warm_up.raw or self._raw_shown
        if raw is not None and raw is self._raw_shown and caption == self._raw_caption:
            return
        if raw is None:
            raw = make_card(self._source.size)
            if self._warm_up.under_way:
                self.shown = raw
        self._raw_shown, self._raw_caption = raw, caption
        options = self.view.view_options.model_copy(update={"split": False})
        pixels = compose_view(raw.pixels, raw.pixels, options)
        self._display.write(raw.with_image(pixels), caption)

    def _draw(self, item: PaintedFrame) -> None:
        self.view.changed = False
        caption = self._caption
        if not self.view.overlay:
            caption = replace(caption, left="", right=())  # messages are shown all the same
        if self.view.help:
            caption = replace(caption, table=hotkey_rows())
        self.shown = self._compose(item)
        self._display.write(self.shown, caption)

    def _compose(self, item: PaintedFrame) -> Frame:
        return item.compose(self.view.view_options)

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

    def _update_caption(self, now: float) -> None:
        """Figures change four times a second: faster ones cannot be read. Messages come at once."""
        note = self.view.note or self.trouble
        told = (note, self._record_time())
        if now - self._caption_at < _CAPTION_SECONDS and told == (self._caption.note, self._caption.recorded):
            return
        caption = Caption(self._headline(), self._strip(now), *told)
        self._caption_at = now
        if caption != self._caption:
            self._caption = caption
            # A new frame brings new figures along; without one, the old frame is drawn again.
            self.view.changed = True

    @property
    def original(self) -> Frame | None:
        """The source's frame whose painting is shown."""
        return None if self._current is None else self._current.original

    def figures(self, now: float) -> Figures:
        """How it runs at the moment `now`, in monotonic seconds."""
        latency, fps = self._clock.recent(), self._clock.recent_fps(now)
        return Figures(self._captured, self._clock.shown, self._dropped, fps, latency, self.painting)

    @property
    def painting(self) -> str:
        """How much is painted, and why not more, in words; "" before the first frame, or if it is fixed."""
        if self._resolution is None or not self._captured:
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

    def _headline(self) -> str:
        strength, boldness = self.stylizer.strength, self.view.boldness
        followed = "" if self.sound is None else self.sound.style
        parts = [display_name(followed or self.stylizer.style)]
        if strength < 1:
            parts.append(f"{strength:.0%}")
        if boldness != DEFAULT_BOLDNESS and self.stylizer.has_boldness:
            parts.append(f"{boldness:.0%} bold")
        if self.learning is not None and (learning := self.learning.figures.words):
            parts.append(learning)
        return "  ".join(parts)

    def _record_time(self) -> str:
        seconds = self._recordings.longest
        return "" if seconds is None else clock_time(seconds)

    def _strip(self, now: float) -> tuple[str, ...]:
        if self.view.frozen:
            return ("paused",)
        figures = self.figures(now)
        fps, dropped = f"{figures.fps:.1f} fps", f"{figures.dropped} dropped"
        taken, painted, total = (figures.latency_ms[stage] for stage in ("capture", "inference", "total"))
        if total.p50 is None:
            return (fps, dropped)
        size = () if self._resolution is None else (self._resolution.short_description,)
        stages = f"taken {taken.p50:.0f}, painted {painted.p50:.0f}, shown {total.p50:.0f} ms"
        tail = f"p95 {total.p95:.0f}, p99 {total.p99:.0f} ms"
        return (fps, f"{total.p50:.0f} ms", dropped, *size, tail, stages)

    def _take_snapshot(self) -> None:
        """Write what is shown, without the overlay, in a thread: a large PNG takes a good second."""
        if self._current is None:
            return
        shown = self._compose(self._current)
        still = Still(shown.pixels, shown.alpha)
        path = self._snapshots / snapshot_name(self.stylizer.style, datetime.now(), ".png")
        try:
            self._workers.start("snapshot", lambda: self._write_snapshot(path, still))
        except RuntimeError as error:  # no more threads
            self.view.say(f"no snapshot: {error}")

    def _toggle_recording(self) -> None:
        if self._current is None:
            return
        path = self._snapshots / snapshot_name(self.stylizer.style, datetime.now(), ".mp4")
        self._recordings.on_black = self._current.painted.alpha is not None
        self._recordings.toggle(path, self._current.painted.size, self._source.rate or Fraction(30))

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
        return self._stills + self._recordings.made

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

    def _write_snapshot(self, path: Path, still: Still) -> None:
        try:
            write_image(path, still)
        except Exception as error:  # whatever it is, the session goes on
            log.debug("a snapshot failed", exc_info=True)
            self.view.say(f"no snapshot: {describe_error(explain_failure(error, path.name))}")
        else:
            self._stills += 1
            self.view.say(f"saved {path.name}")

    def _report(self, seconds: float) -> LiveReport:
        before = {"inference": self._to_paint.dropped, "display": self._to_show.dropped}
        return LiveReport(
            captured=self._captured,
            shown=self._clock.shown,
            dropped=sum(before.values()),
            dropped_before=before,
            settled=self._report_settled(),
            passed=self._warm_up.passed,
            frozen=self._frozen,
            idle=self._idle,
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

    def _report_settled(self) -> Settled | None:
        if self._settled is None:
            return None
        captured, dropped = self._settled
        return Settled(self._captured - captured, self._dropped - dropped)


class _Waker:
    """Wakes a waiting source when the threads stop; one that cannot be woken ends with its next frame."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def close(self) -> None:
        if isinstance(self._source, Interruptible):
            self._source.interrupt()
