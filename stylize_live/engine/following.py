"""How a stylizer's options and style follow something from frame to frame, such as the sound."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Protocol

from stylize_live.engine.core.render_options import RenderOptions
from stylize_live.engine.style_loading import load_style
from stylize_live.engine.style_set import StyleSet
from stylize_live.nets.catalogue import style_names
from stylize_live.nets.checkpoint import Checkpoint, blend
from stylize_live.options import BOLDNESS_STEP, change_options, limits_of
from stylize_live.sound.follower import Movement

# Steps of a fade from one style to the next: each has weights, and under OpenVINO a graph, of its own.
FADE_STEPS = 8
_LEAST_STRENGTH = 0.01  # at none at all, nothing would be painted, and smoothing would begin anew
_KEPT = 32  # sets of weights
_LIMITS = {name: limits_of(name) for name in ("strength", "boldness", "stroke", "steadiness")}


class FrameFollower(Protocol):
    """Says how far options are moved for each frame.

    Attributes:
        waits: whether a frame waits for what its movement needs, so that it always looks the same. If not, it
            is painted as the one before until `Stylizer.make_movement_ready` has made that.
        fingerprint: names everything that movements depend on.
    """

    waits: bool
    fingerprint: str

    def at(self, when: Fraction) -> Movement:
        """The movement of a frame of this time."""


@dataclass(frozen=True, slots=True)
class Look:
    """What has weights or a size, and so a graph, of its own.

    Attributes:
        boldness, stroke: as they are painted with.
        place: changes of style so far, in `FADE_STEPS` of one.
    """

    boldness: float
    stroke: float
    place: int = 0


@dataclass(frozen=True, slots=True)
class Wanted:
    """A look that has to be made ready: its weights, and the kind of images."""

    checkpoint: Checkpoint
    size: tuple[int, int]
    itemsize: int


class Following:
    """What a stylizer paints with while something is followed.

    Args:
        follower: gives the movements.
        names: of styles that follow each other, as `load_style` takes them. The chosen one is the first,
            those behind it come next; other networks than its are left out.

    Attributes:
        follower: as given.
        shown: the look that is painted with now, or None before the first frame.
        wanted: what has to be made ready before another look can be taken, or None.

    Raises:
        StyleError: a style is unknown or unusable.
    """

    def __init__(self, follower: FrameFollower, names: Sequence[str] = ()) -> None:
        self.follower = follower
        self._names = tuple(names)
        self._loaded = {name: load_style(name) for name in self._names}
        self.shown: Look | None = None
        self.wanted: Wanted | None = None
        self._base: StyleSet | None = None
        self._row: list[Checkpoint] = []
        self._row_names: list[str] = []
        self._begun_at = 0  # changes of style, when the chosen one was chosen
        self._kept: OrderedDict[tuple[int, float], StyleSet] = OrderedDict()

    @property
    def fingerprint(self) -> str:
        """Names everything that painting depends on beside the stylizer's own."""
        ends = (end.digest() for one in self._loaded.values() for end in (one.at(0), one.at(1)))
        return f"{self.follower.fingerprint}, styles {' '.join(ends)}"

    @property
    def style(self) -> str:
        """Name of the style that is shown, or that another one fades in over; "" before the first frame."""
        if self.shown is None or not self._row_names:
            return ""
        return self._row_names[self.shown.place // FADE_STEPS % len(self._row_names)]

    def begin(self, base: StyleSet, movement: Movement) -> None:
        """Follow from these styles on, as they were chosen; the same ones again change nothing."""
        if self._base is not None and base.timeline is self._base.timeline:
            return
        chosen = base.timeline.styles
        # A function of time alone where frames wait; else whoever chooses a style sees that one first.
        self._begun_at = 0 if self.follower.waits else math.ceil(movement.changes)
        self._base, self.shown = base, None
        self._kept.clear()
        self._row, self._row_names = [base.checkpoints[0]], [chosen[0]]
        if len(chosen) == 1:
            at = self._names.index(chosen[0]) if chosen[0] in self._names else -1
            others = (*self._names[at + 1 :], *self._names[: max(0, at)])
            network = base.checkpoints[0].architecture
            fitting = [name for name in others if self._loaded[name].architecture == network]
            self._row += [self._loaded[name] for name in fitting]
            self._row_names += fitting

    def refine(self, base: StyleSet) -> None:
        """Take other weights of the chosen style, with the next look."""
        if self._base is not None and base.timeline is self._base.timeline:
            self._base = base
            self._row[0] = base.checkpoints[0]
            self._kept.clear()

    def look(self, movement: Movement, options: RenderOptions) -> Look:
        """The look that a movement asks for."""
        boldness = options.boldness
        if "boldness" in movement.offsets:
            moved = _move("boldness", boldness, movement.offsets["boldness"])
            boldness = round(round(moved / BOLDNESS_STEP) * BOLDNESS_STEP, 2)
        stroke = _move("stroke", options.stroke, movement.offsets.get("stroke", 0.0))
        place = 0 if len(self._row) < 2 else int((movement.changes - self._begun_at) * FADE_STEPS + 1e-6)
        return Look(boldness, stroke, max(0, place))

    def next_look(self, look: Look, options: RenderOptions) -> Look:
        """The next look on the way to one.

        A frame that waits has it at once. Else what was chosen comes first, which is there; fades go step by
        step, and all else waits for their end.
        """
        shown = self.shown
        if self.follower.waits:
            return look
        if shown is None:
            return Look(options.boldness, options.stroke)
        return replace(shown, place=shown.place + 1) if look.place > shown.place else look

    def styles(self, look: Look) -> StyleSet:
        """The styles of a look; asked again, the same objects."""
        key = look.place, look.boldness
        if key not in self._kept:
            self._kept[key] = self._make_styles(look)
            if len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        return self._kept[key]

    def _make_styles(self, look: Look) -> StyleSet:
        assert self._base is not None
        if not look.place:
            return self._base.at(look.boldness)
        number, share = divmod(look.place, FADE_STEPS)
        first, second = (self._row[n % len(self._row)] for n in (number, number + 1))
        if not share:
            return replace(self._base, checkpoints=(first.at(look.boldness),))
        shares = {"first": 1 - share / FADE_STEPS, "second": share / FADE_STEPS}
        bold, faithful = blend({"first": first, "second": second}, shares)
        between = Checkpoint(second.info, second.architecture, bold, faithful=faithful)
        return replace(self._base, checkpoints=(between.at(look.boldness),))


def row_of_styles(text: str | None) -> Sequence[str]:
    """The styles that follow each other: those of a text, parted by commas, or all there are."""
    if text is None:
        return style_names()
    return [name.strip() for name in text.split(",") if name.strip()]


def move_options(options: RenderOptions, movement: Movement, look: Look) -> RenderOptions:
    """The options of a frame: strength as it is moved, strokes as the look has them."""
    strength = options.strength
    if strength and "strength" in movement.offsets:
        strength = max(_LEAST_STRENGTH, _move("strength", strength, movement.offsets["strength"]))
    if (strength, look.stroke) == (options.strength, options.stroke):
        return options
    return change_options(options, strength=strength, stroke=look.stroke)


def move_steadiness(steadiness: float, movement: Movement) -> float:
    """The steadiness of a frame; none stays none."""
    offset = movement.offsets.get("steadiness", 0.0)
    return _move("steadiness", steadiness, offset) if steadiness else steadiness


def _move(name: str, value: float, offset: float) -> float:
    return _LIMITS[name].nearest(value * 2**offset if name == "stroke" else value + offset)
