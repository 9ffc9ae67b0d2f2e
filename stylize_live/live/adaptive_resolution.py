"""`--size auto`: paints live frames as well as the source's rate allows.

At the start a few frames are painted at some sizes, from the largest down, until a step of the ladder
leaves room for the rest of the work. While the session goes on, what frames take is watched. When some are
dropped, because something else needs the machine, the best step is taken that fits; a better one is tried
after three seconds without a drop, if it is expected to fit; each try that fails makes the next one wait
twice as long. A program that starts has more to do, and takes its first step for a machine that is slower:
so the first tries come soon.

Lines that a user asks for are held, however slow the machine is, until "auto" is chosen again.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

from stylize_live.engine.core.economy import Economy
from stylize_live.frame import Pixels
from stylize_live.live.quality_ladder import Step, build_ladder, describe_step, describe_step_briefly
from stylize_live.live.report import StepReport
from stylize_live.media.sources.test_pattern import PatternSource
from stylize_live.system.clock import LEAST, monotonic

USUAL_RATE = Fraction(30)
_ROOM = 0.74  # share of the time that painting may take
_ROOM_TO_RISE = 0.7  # the same, for a better step than the present one
_MUCH_ROOM = 0.55  # the same, up to which less will hardly be needed
# Times between two frames that painting one may take where others are moved along: the next one waits for
# as long, the one after it would be too much.
_LONGEST = 1.6
_IMAGES = 8  # painted at most to measure a size; the quickest counts, as a program that starts has more to do
_LEAST_IMAGES = 3  # one whose graph is made first, one that is moved, one that is painted
# Times more than fits: no need to measure exactly. Twice as much may be a hiccup, until two were painted.
_HOPELESS, _HOPELESS_AT_ONCE = 1.5, 3.0
_SURE_IMAGES = 5
_WINDOW = 0.5  # seconds over which drops are counted
_FORGET = 0.84  # of dropped frames, each window; half in two seconds
_BAD_DROPS = 2.0  # of them, not yet forgotten, from which on a step is given up
_CALM_DROPS = 0.5  # up to which all is well
_STALL = 3.0  # times between two frames: one that takes longer was held up, say by a change of style
_PATIENCE, _MOST_PATIENCE = 3.0, 300.0  # seconds of calm before a better step is tried


class Sizable(Protocol):
    """What is adapted: a `stylize_live.engine.Stylizer`.

    Attributes:
        lines: at which frames with more of them are painted; may be set while others paint.
        economy: which frames are moved along instead; likewise.
    """

    lines: int
    economy: Economy | None

    @property
    def device(self) -> str:
        """ "cpu" or "cuda"."""

    @property
    def can_save(self) -> bool:
        """Whether `economy` makes a difference."""

    @property
    def carried(self) -> bool:
        """Whether the last frame was not painted but moved along."""

    def is_ready(self, lines: int) -> bool:
        """Whether so many lines can be painted without a pause before the first frame."""

    def make_ready(self, lines: int) -> None:
        """Make that so, in whatever thread; takes a while."""

    def __call__(self, image: Pixels, /) -> Pixels:
        """The painted frame: (H, W, 3) uint8 to the same."""

    def reset(self) -> None:
        """Take the next frame as the first of a video."""

    def warm_up(self, size: tuple[int, int], /) -> None:
        """Get ready for frames of this (width, height)."""


@dataclass(frozen=True, slots=True)
class PaintingCost:
    """Seconds that a frame takes.

    Attributes:
        painted: one that is painted.
        carried: one that is moved along instead.
    """

    painted: float
    carried: float

    def times(self, factor: float) -> PaintingCost:
        """Both, changed alike."""
        return PaintingCost(self.painted * factor, self.carried * factor)

    def at_most(self, other: PaintingCost) -> PaintingCost:
        """Of each the smaller."""
        return PaintingCost(min(self.painted, other.painted), min(self.carried, other.carried))

    def of(self, every: int) -> float:
        """Seconds of a frame on average, where one in `every` frames is painted."""
        return (self.painted + (every - 1) * self.carried) / every


class AdaptiveResolution:
    """Chooses how many lines are painted, and how many frames.

    Args:
        stylizer: whose lines and economy are set.
        clock: monotonic seconds.
        held: lines to hold from the beginning, or None to choose.

    Attributes:
        held: lines that were asked for, or None; any thread may set it, `note` does it.
        wanted: the step that is to be taken as soon as its lines are ready, or None. Somebody else has to
            make them ready, as that takes a while.
        chosen: all steps that were taken, one after the other, and when, in seconds since the first.
    """

    def __init__(
        self,
        stylizer: Sizable,
        clock: Callable[[], float] = monotonic,
        *,
        held: int | None = None,
    ) -> None:
        self._stylizer, self._clock = stylizer, clock
        self.held = held
        self._holds: int | None = None  # what of `held` is done
        self._size = (1, 1)
        self._ladder: list[Step] = []
        self._costs: dict[int, PaintingCost] = {}  # by lines, as things are now
        self._period = 0.0
        self._patience = _PATIENCE
        self._rose_at = float("-inf")
        self._began = 0.0
        self.wanted: Step | None = None
        self.chosen: list[tuple[Step, float]] = []
        # Of the window under way: its begin, drops before it, times of its frames.
        self._since, self._dropped_before = 0.0, 0
        self._painted: list[float] = []
        self._carried: list[float] = []
        self._stalled = False  # whether the last window had a frame that was held up
        self._drops = 0.0  # not yet forgotten
        self._calm_since = 0.0

    @property
    def step(self) -> Step:
        """The present step."""
        return self.chosen[-1][0]

    @property
    def short_description(self) -> str:
        """The present step, in very few words."""
        return describe_step_briefly(self.step)

    def report(self) -> list[StepReport]:
        """All steps that were taken."""
        return [StepReport(step.lines, step.every, at) for step, at in self.chosen]

    def describe(self, shorter: int) -> str:
        """The present step for people, and why it is not a better one.

        Args:
            shorter: lines of the source's frames.
        """
        if not self.chosen:
            return ""
        best = self.step if self._holds else self._ladder[0]  # held, it is not the machine's doing
        return describe_step(self.step, best, shorter, self._stylizer.device)

    def start(self, size: tuple[int, int], rate: Fraction | None) -> None:
        """Measure and choose; in place of `warm_up`, and like it without a trace.

        Args:
            size: (width, height) of the source's frames.
            rate: of them, frames a second; None is taken for 30.
        """
        self._fit(size, rate)
        if self.held is None:
            step = self._find_step(size)
        else:
            self._holds, step = self.held, Step(self.held)
        now = self._began = self._clock()
        self._choose(step, now)
        if self._holds is not None:
            self._stylizer.warm_up(size)
        self._stylizer.reset()
        self._begin(now, 0)

    def _fit(self, size: tuple[int, int], rate: Fraction | None) -> None:
        self._size = size
        self._period = float(1 / (rate or USUAL_RATE))
        self._ladder = build_ladder(min(size), can_save=self._stylizer.can_save)

    def _find_step(self, size: tuple[int, int]) -> Step:
        """The best step that leaves room, or the last."""
        pattern = PatternSource(size, 30)
        images = [pattern.image(tick) for tick in range(_IMAGES)]
        self._costs = {}
        for step in self._ladder:
            # An estimate by area is too low for smaller sizes, as some work is the same for all: what does
            # not fit even so need not be tried. The smallest has to do in any case.
            if self._costs and step != self._ladder[-1] and not self._fits(step):
                continue
            if step.lines not in self._costs:
                self._measure(step, images)
            if self._fits(step):
                self._make_ready_for_less(step, images)
                break
        return step

    def resize(self, size: tuple[int, int], rate: Fraction | None) -> None:
        """Go on with a source of another (width, height) or rate; passed over where they are the same."""
        if (size, float(1 / (rate or USUAL_RATE))) == (self._size, self._period):
            return
        self._fit(size, rate)
        self.wanted = None
        if self._holds is None and self.step not in self._ladder:
            self._choose(self._nearest(self.step.lines), self._clock())

    def _nearest(self, lines: int) -> Step:
        """The best step of no more lines, or the last."""
        return next((step for step in self._ladder if step.lines <= lines), self._ladder[-1])

    def _make_ready_for_less(self, step: Step, images: Iterable[Pixels]) -> None:
        """Paint at the next step's size too, unless there is so much room that it will hardly be needed."""
        below = self._ladder[self._ladder.index(step) + 1 :]
        if below and below[0].lines not in self._costs and self._load(step) > _MUCH_ROOM:
            self._measure(below[0], images)

    def _fits(self, step: Step, room: float = _ROOM) -> bool:
        longest = room if step.every == 1 else _LONGEST * room / _ROOM
        return self._load(step) <= room and self._cost(step.lines).painted <= longest * self._period

    def _load(self, step: Step) -> float:
        """Share of the time that a step takes."""
        return self._cost(step.lines).of(step.every) / self._period

    def _cost(self, lines: int) -> PaintingCost:
        """Of a frame; those of sizes that were not measured go by their area."""
        if lines in self._costs:
            return self._costs[lines]
        nearest = min(self._costs, key=lambda known: abs(known - lines))
        return self._costs[nearest].times((lines / nearest) ** 2)

    def _measure(self, step: Step, images: Iterable[Pixels]) -> None:
        """Note what frames take with so many lines."""
        self._use(Step(step.lines, 2))  # some of each kind
        self._stylizer.reset()
        painted: list[float] = []
        carried: list[float] = []
        for number, image in enumerate(images, 1):
            started = self._clock()
            self._stylizer(image)
            (carried if self._stylizer.carried else painted).append(max(LEAST, self._clock() - started))
            self._costs[step.lines] = PaintingCost(min(painted), min(carried, default=0.0))
            hopeless = _HOPELESS if number >= _SURE_IMAGES else _HOPELESS_AT_ONCE
            if number >= _LEAST_IMAGES and (self._fits(step) or self._load(step) > hopeless * _ROOM):
                break

    def _use(self, step: Step) -> None:
        self._stylizer.lines = step.lines
        # Whoever asks for so many lines wants every frame painted.
        self._stylizer.economy = Economy(step.every) if self._holds is None else None

    def _choose(self, step: Step, now: float) -> None:
        self._use(step)
        self.chosen.append((step, round(now - self._began, 2)))

    def note(self, took: float, dropped: int) -> bool:
        """See a frame painted, and perhaps take another step from the next one on; whether it did.

        Args:
            took: seconds that painting it took, or moving it along.
            dropped: frames that were not painted since the start because newer ones were there.
        """
        now = self._clock()
        if self.held != self._holds:
            self._hold(self.held, took, now)
        if self.wanted is not None:
            return self._take_wanted(now, dropped)
        if self._holds is not None:
            return False
        (self._carried if self._stylizer.carried else self._painted).append(max(LEAST, took))
        if now - self._since < _WINDOW:
            return False
        missed = self._missed(dropped)
        self._learn()
        self._drops = self._drops * _FORGET + missed
        self._calm_since = now if missed > _CALM_DROPS else self._calm_since
        self._begin_window(now, dropped)
        step = self.step
        if self._drops >= _BAD_DROPS:
            self._step_down(now, dropped)
        elif now - self._calm_since >= self._patience:
            self._step_up(now, dropped)
        return self.step != step

    def _hold(self, lines: int | None, took: float, now: float) -> None:
        """Want the lines that are asked for; or choose from here on, beginning with what is painted now."""
        self._holds = lines
        self.wanted = self._nearest(self.step.lines) if lines is None else Step(lines)
        if lines is None and not self._costs:  # nothing was ever measured
            self._costs = {self.step.lines: PaintingCost(took, 0.0)}
        self._patience, self._rose_at = _PATIENCE, float("-inf")

    def make_ready(self, lines: int) -> None:
        """Make so many lines ready; in a thread of its own, while frames are painted."""
        self._stylizer.make_ready(lines)

    def _missed(self, dropped: int) -> int:
        """Frames that were dropped in the window, without those that a single one held up."""
        missed = dropped - self._dropped_before
        held_up = [took for took in self._painted + self._carried if took > _STALL * self._period]
        stalled, self._stalled = self._stalled, bool(held_up)
        if len(held_up) != 1 or stalled:
            return missed
        return max(0, missed - int(held_up[0] / self._period))

    def _learn(self) -> None:
        """Update the costs; all change by the same factor as those of the present size.

        More lines take at most as much more as they have area, some work being the same for all: what was
        measured when the machine was busy is not believed for ever.
        """
        if not self._painted or (self.step.every > 1 and not self._carried):
            return
        before = self._cost(self.step.lines)
        painted = statistics.median(self._painted)
        factor = painted / max(before.painted, LEAST)
        carried = statistics.median(self._carried) if self._carried else before.carried * factor
        now = PaintingCost(painted, carried)
        for lines, cost in self._costs.items():
            changed, by_area = cost.times(factor), now.times((lines / self.step.lines) ** 2)
            larger = lines > self.step.lines
            self._costs[lines] = changed.at_most(by_area) if larger else changed
        self._costs[self.step.lines] = now

    def _begin(self, now: float, dropped: int) -> None:
        """Forget what was seen at another step."""
        self._drops, self._calm_since = 0.0, now
        self._begin_window(now, dropped)

    def _begin_window(self, now: float, dropped: int) -> None:
        self._since, self._dropped_before = now, dropped
        self._painted, self._carried = [], []

    def _step_down(self, now: float, dropped: int) -> None:
        """Take the best step below that fits, or the last."""
        if now - self._rose_at < self._patience:
            self._patience = min(_MOST_PATIENCE, 2 * self._patience)
        below = self._ladder[self._ladder.index(self.step) + 1 :]
        if below:
            self._want(next((step for step in below if self._fits(step)), below[-1]), now, dropped)
        else:
            self._begin(now, dropped)

    def _step_up(self, now: float, dropped: int) -> None:
        """Try the next better step, if it is expected to leave room."""
        place = self._ladder.index(self.step)
        self._calm_since = now
        if place == 0 or not self._fits(self._ladder[place - 1], _ROOM_TO_RISE):
            return
        self._rose_at = now
        self._want(self._ladder[place - 1], now, dropped)

    def _want(self, step: Step, now: float, dropped: int) -> None:
        self.wanted = step
        self._take_wanted(now, dropped)

    def _take_wanted(self, now: float, dropped: int) -> bool:
        """Take the step that is wanted, if its lines are ready; whether that was so."""
        step = self.wanted
        if step is None or not self._stylizer.is_ready(step.lines):
            return False
        self.wanted = None
        self._choose(step, now)
        self._begin(now, dropped)
        return True


def adapt_resolution(stylizer: Sizable, size: str, *, changeable: bool = False) -> AdaptiveResolution | None:
    """Set the lines of a stylizer by a `size` setting: "auto", or lines such as "360p".

    Args:
        stylizer: what is adapted.
        size: the setting.
        changeable: whether it may change while the session runs.

    Returns:
        An `AdaptiveResolution` for "auto" and for what is changeable, else None.

    Raises:
        UsageError: no lines are left.
    """
    lines = parse_lines(size)
    if lines is not None:
        stylizer.lines = lines
    return AdaptiveResolution(stylizer, held=lines) if lines is None or changeable else None


def parse_lines(size: str) -> int | None:
    """The lines of a `size` setting, or None for "auto"."""
    return None if size == "auto" else int(size.removesuffix("p"))
