"""What can be changed while a session runs: by keys in the window, and by pages and programs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Literal, Protocol

from stylize_live.errors import SourceError, StyleError, UsageError, describe_error
from stylize_live.frame import Frame
from stylize_live.live.hotkeys import DIGITS, TOGGLES
from stylize_live.live.painted_frame import ViewOptions
from stylize_live.naming import display_name
from stylize_live.options import (
    BOLDNESS_STEP,
    Choice,
    ImageOptions,
    LayerOptions,
    PaintedPart,
    PaintingOptions,
    control_of,
    limits_of,
)
from stylize_live.system.clock import monotonic

_NOTE_SECONDS = 2.0
_DIGIT_SECONDS = 1.0
_STEP = 0.1  # of options that keys change
# Options that change how a frame by itself looks.
_OF_IMAGES = {*ImageOptions.model_fields, *LayerOptions.model_fields}
_PAINTED = {"both": "you and the background", "person": "you alone", "background": "the background alone"}
_STROKES = (0.5, 0.7, 1.0, 1.4, 2.0, 2.8, 4.0)


class LiveStylizer(Protocol):
    """Paints frames. What it shows may be set from another thread, for the next frame on: all
    `PaintingOptions` are attributes of it."""

    style: str
    strength: float
    boldness: float
    keep_colors: bool
    stroke: float
    steadiness: float
    paint: PaintedPart
    background_style: str
    background: str
    keeps_background: bool

    @property
    def background_trouble(self) -> str:
        """What is shown in place of a background's file that broke; "" while all is well."""

    @property
    def has_boldness(self) -> bool:
        """Whether boldness makes a difference to the style."""

    def takes_long(self, style: str, /) -> bool:
        """Whether setting `style` would hold up its thread, see `look_at`."""

    def look_at(self, style: str, /) -> None:
        """Prepare a style that takes long; in another thread. Raises `StyleError`."""

    def __call__(self, frame: Frame, /) -> Frame:
        """The painted frame: same size, same moment."""

    def warm_up(self, size: tuple[int, int], /) -> None:
        """Get ready for frames of this (width, height)."""


class View:
    """What a session shows, and how; changed by the keys of `hotkeys.py` and by remotes.

    Args:
        stylizer: its style and its painting options are changed.
        styles: names that keys choose from; may be empty, and may change.
        snapshot: called when a snapshot is wanted.
        record: called when a recording is to begin or to end.
        set_boldness: called with a boldness for the stylizer; setting it takes a while.
        clock: monotonic seconds.
        learn: called when the painting is to be learnt, or that is to pause.
        look_at: called with a style that takes long, to be prepared elsewhere and used then, if it is still
            awaited. Without it, whoever chooses such a style waits.

    Attributes:
        view_options: how frames are shown.
        frozen, overlay, help: what else is switched on; `help` are the keys, shown on the frame.
        ended: whether the user wants to end.
        changed: whether the frame has to be composed again; set to False by whoever did it.
        repaint: whether a frozen frame has to be painted again; likewise.
        boldness: that was asked for last, 0 to 1.
        awaited: a style that was chosen and is being prepared, or "".
    """

    def __init__(
        self,
        stylizer: LiveStylizer,
        styles: Sequence[str],
        snapshot: Callable[[], None],
        record: Callable[[], None],
        set_boldness: Callable[[float], None],
        clock: Callable[[], float] = monotonic,
        learn: Callable[[], None] = lambda: None,
        look_at: Callable[[str], None] | None = None,
    ) -> None:
        self._clock = clock
        self._typed = ("", 0.0)  # a digit, and until when a second one makes a number of both
        self._stylizer = stylizer
        self._styles = styles
        self._steadiness = stylizer.steadiness
        self._set_boldness = set_boldness
        self._look_at = look_at
        self.awaited = ""
        self.boldness = stylizer.boldness
        self._note = ("", 0.0)
        self._named = ""  # a message that names the style
        self.view_options = ViewOptions()
        self.frozen = False
        self.overlay = True
        self.help = False
        self.ended = False
        self.changed = False
        self.repaint = False
        self._actions: dict[str, Callable[[], None]] = {
            "left": lambda: self._step_style(-1),
            "up": lambda: self._step_style(-1),
            "right": lambda: self._step_style(1),
            "down": lambda: self._step_style(1),
            "[": lambda: self._add("strength", -_STEP),
            "]": lambda: self._add("strength", _STEP),
            "-": lambda: self._add("boldness", -_STEP),
            "+": lambda: self._add("boldness", _STEP),
            "=": lambda: self._add("boldness", _STEP),
            ",": lambda: self._step_stroke(-1),
            ".": lambda: self._step_stroke(1),
            "c": self._toggle_colors,
            "t": self._toggle_steadiness,
            "b": self._step_paint,
            "l": learn,
            "h": self._toggle_overlay,
            "space": self._freeze,
            "p": snapshot,
            "r": record,
            "?": lambda: self.switch("help", not self.help),
            "escape": self._leave,
            "q": self._end,
            "closed": self._end,
        }
        self._actions |= {digit: partial(self._type, digit) for digit in DIGITS}
        self._actions |= {key: partial(self._toggle, name) for key, name in TOGGLES.items()}

    def press(self, key: str) -> None:
        """Do what a key stands for; unknown keys do nothing."""
        if key in self._actions:
            self._actions[key]()

    def say(self, text: str) -> None:
        """Show a message for two seconds."""
        self._note = (text, self._clock() + _NOTE_SECONDS)
        self.changed = True

    @property
    def note(self) -> str:
        """The message to show now, or ""."""
        text, until = self._note
        return text if self._clock() < until else ""

    def use_style(self, name: str) -> bool:
        """Change to a style or blend; whether it could be read. If not, a message says why.

        One that takes long is changed to a little later.
        """
        was_awaited, self.awaited = self.awaited == name, ""
        if self._look_at is not None and self._stylizer.takes_long(name):
            self.awaited = name
            self.say(f"looking at {display_name(name)}")
            self._look_at(name)
            return True
        try:
            self._stylizer.style = name
        except (StyleError, OSError) as error:
            self.say(describe_error(error))  # a file that broke since is no reason to end the session
            return False
        if self.note == self._named and not was_awaited:
            self._note = ("", 0.0)  # a page or a program may have chosen another style since
        self.repaint = True
        return True

    @property
    def options(self) -> dict[str, float | bool | str]:
        """The painting options as they are, or are about to be, by name."""
        return {name: self._option(name) for name in PaintingOptions.model_fields}

    def _option(self, name: str) -> Any:
        return self.boldness if name == "boldness" else getattr(self._stylizer, name)

    def use_option(self, name: str, value: float | bool | str) -> bool:
        """Paint with another value of one of `PaintingOptions`; whether it could be read.

        If not, a message says why: a style or a file may have gone since.
        """
        if name == "boldness":
            self._use_boldness(float(value))
            return True
        try:
            setattr(self._stylizer, name, value)
        except (StyleError, SourceError, UsageError, OSError) as error:
            self.say(describe_error(error))
            return False
        # A frozen frame is painted as an image: options of videos alone change nothing in it.
        self.repaint = self.repaint or name in _OF_IMAGES
        return True

    def _use_boldness(self, boldness: float) -> None:
        """In steps of the page's slider; the frame follows when the stylizer is ready for it."""
        boldness = round(round(boldness / BOLDNESS_STEP) * BOLDNESS_STEP, 2)
        if boldness != self.boldness:
            self.boldness = boldness
            self._set_boldness(boldness)

    def use_view_option(self, name: str, on: bool) -> None:
        """Switch one of `ViewOptions` on or off."""
        self.view_options = ViewOptions(**{**dict(self.view_options), name: on})
        self.changed = True

    def switch(self, what: Literal["frozen", "overlay", "help"], on: bool) -> None:
        """Switch something else on or off."""
        setattr(self, what, on)
        self.changed = True

    def _step_style(self, step: int) -> None:
        if not self._styles:
            return
        if (chosen := self.awaited or self._stylizer.style) in self._styles:
            place = self._styles.index(chosen) + step
        else:
            place = 0 if step > 0 else -1
        self._choose(self._styles[place % len(self._styles)])

    def _type(self, digit: str) -> None:
        """Choose a style by its number: at once, and another one where a second digit follows soon."""
        now = self._clock()
        before, until = self._typed
        number = int(before + digit) if now < until else 0
        second = 10 <= number <= len(self._styles)
        if not second:
            number = int(digit) or 10
        if number <= len(self._styles):
            self._choose(self._styles[number - 1])
        else:
            self.say(f"there is no style {number}")
        # From now, not from the key on: on a busy machine the style itself took a moment.
        self._typed = ("" if second else digit, self._clock() + _DIGIT_SECONDS)

    def _choose(self, name: str) -> None:
        if self.use_style(name):
            self._named = f"{self._styles.index(name) + 1}  {display_name(name)}"
            self.say(self._named)

    def _add(self, name: str, step: float) -> None:
        """Change an option that is shown in percent."""
        if name == "boldness" and not self._stylizer.has_boldness:
            self.say("this style has no boldness to change")
            return
        self.use_option(name, limits_of(name).nearest(round(self._option(name) + step, 2)))
        self.say(f"{name} {self._option(name):.0%}")

    def _step_paint(self) -> None:
        control = control_of("paint")
        assert isinstance(control, Choice)
        words = [word for word, _ in control.words]
        word = words[(words.index(self._stylizer.paint) + 1) % len(words)]
        if self.use_option("paint", word):
            self.say(f"painted: {_PAINTED[word]}")

    def _step_stroke(self, step: int) -> None:
        nearest = min(range(len(_STROKES)), key=lambda i: abs(_STROKES[i] - self._stylizer.stroke))
        stroke = _STROKES[min(len(_STROKES) - 1, max(0, nearest + step))]
        self.use_option("stroke", stroke)
        self.say(f"strokes {stroke:g}x")

    def _toggle_colors(self) -> None:
        self.use_option("keep_colors", not self._stylizer.keep_colors)
        self.say("colours of the " + ("image" if self._stylizer.keep_colors else "style"))

    def _toggle_steadiness(self) -> None:
        # Started without it, the key switches it on in full: whoever presses it wants to see a difference.
        self.use_option("steadiness", 0.0 if self._stylizer.steadiness else self._steadiness or 1.0)
        self.say(f"steadiness {'on' if self._stylizer.steadiness else 'off'}")

    def _toggle(self, name: str) -> None:
        on = not getattr(self.view_options, name)
        self.use_view_option(name, on)
        self.say(f"{name.replace('_', ' ')} {'on' if on else 'off'}")

    def _toggle_overlay(self) -> None:
        self.switch("overlay", not self.overlay)
        self.say(f"overlay {'on' if self.overlay else 'off'}")

    def _freeze(self) -> None:
        self.switch("frozen", not self.frozen)
        self.say("paused; press space to resume" if self.frozen else "live")

    def _leave(self) -> None:
        """Hide the table of keys if it is shown, else end the session."""
        if self.help:
            self.switch("help", False)
        else:
            self._end()

    def _end(self) -> None:
        self.ended = True
