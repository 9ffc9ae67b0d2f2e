"""Everything that can be controlled, in one list: made from the settings and actions that pages and the
control API have. OSC's addresses, MIDI's targets and the page of both come from it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Literal

from stylize_live.config import LiveSettings
from stylize_live.options import PaintingOptions, Slider, control_of
from stylize_live.studio import control
from stylize_live.studio.actions import ACTIONS
from stylize_live.studio.control import State

Kind = Literal["number", "switch", "choice", "style", "text", "action", "record"]
ROOT = "/stylize/"  # of OSC's addresses
_PRESET, _PRESS, _KEEP = "preset", "press", "keep"
# Of what has another meaning here than as a setting of the command line, or is none.
_DOES = {
    "style": "The style, or a blend such as “great-wave:0.4,starry-night:0.6”.",
    "background_style": "Paint the background in another style, by its name; “” for the same one.",
    "background": "What stands in place of the background: blur, transparent, a colour such as #00ff00 or "
    "navy, or the name of an image or video in the folder “backgrounds”; “” for what is there.",
    "next": "The next style.",
    "previous": "The style before.",
    "frozen": "Pause.",
    "source": "Where frames come from: a key of those that the page offers.",
    "size": "Lines to paint, such as “360p”, or “auto”.",
    "resolution": "Asked of the camera, such as “1280x720”, of those that the page offers.",
    "microphone": "Of recordings begun from now on; “” for none.",
    "stream": "The stream for OBS.",
    "virtual_camera": "The virtual camera.",
    "ndi": "NDI, for programs in the local network.",
    "snapshot": "Save an image.",
    "record": "A recording.",
    "look": "List cameras, microphones, backgrounds and paintings anew.",
    "learning": "Learn the painting that is the style, or pause that.",
    "end_learning": "End learning; what was learnt stays.",
    "undo_learning": "Back to the first look, and pause.",
    _KEEP: "Keep what was learnt as a style of this name.",
    _PRESET: "The look of a preset that was saved on the page.",
    _PRESS: "A key of the show, such as “m”.",
}


@dataclass(frozen=True, slots=True)
class Control:
    """Something that can be controlled.

    Attributes:
        name: of the setting or action.
        kind: what values it takes: a number, on or off, one of `choices`, a style, a text, or none.
        low, high: ends of a number's range; 0 and 0 of all else.
        doublings: whether a knob moves a number in doublings, as its slider does.
        choices: words to choose from, where they never change.
        does: what it does, in words for people.
    """

    name: str
    kind: Kind
    low: float = 0.0
    high: float = 0.0
    doublings: bool = False
    choices: tuple[str, ...] = ()
    does: str = ""

    @property
    def word(self) -> str:
        """Its name in addresses and for people."""
        return self.name.replace("_", "-")

    @property
    def address(self) -> str:
        """Where OSC sets it."""
        return ROOT + self.word

    @property
    def takes(self) -> str:
        """What OSC sends there, in words for people."""
        return {
            "number": f"{self.low:g} to {self.high:g}, or a step such as “+0.1”",
            "switch": "1 or 0; without, the other way round",
            "style": "a name, a number or a blend",
            "choice": f"{', '.join(self.choices)}, or a number from 1",
            "record": "1 or 0; without, the other way round",
            "action": "nothing, or 1; 0 does nothing",
            "text": "a text",
        }[self.kind]

    def value_at(self, position: float) -> float:
        """The number at a knob's position, 0 to 1."""
        if not self.doublings:
            return round(self.low + position * (self.high - self.low), 4)
        low, high = math.log2(self.low), math.log2(self.high)
        return round(2 ** (low + position * (high - low)), 4)

    def position_of(self, value: float) -> float:
        """Where a knob stands for a number, 0 to 1."""
        low, high = self.low, self.high
        if self.doublings:
            low, high, value = math.log2(low), math.log2(high), math.log2(value)
        return min(1.0, max(0.0, (value - low) / (high - low)))


@cache
def list_controls() -> Mapping[str, Control]:
    """All controls by name: settings first, then what is done once."""
    found = [_setting(name, kind) for name, kind in control.setting_kinds().items()]
    actions = (*control.STEPS, *ACTIONS)
    found += [Control(name, "record" if name == "record" else "action") for name in actions]
    found += [Control(name, "text") for name in (_PRESET, _PRESS, _KEEP)]
    described = (replace(one, does=_DOES.get(one.name) or _description(one.name)) for one in found)
    return {one.name: one for one in described}


def _description(name: str) -> str:
    """What the settings say of it."""
    said = control.setting_kinds().get(name, {}).get("description")
    field = LiveSettings.model_fields.get(name)
    return str(said or (field.description if field is not None else "") or "")


def describe_controls() -> list[dict[str, str]]:
    """What pages show of each control; `bindable` ones have a knob or key."""
    return [
        {"name": one.name, "address": one.address, "takes": one.takes, "does": one.does}
        | {"bindable": "" if one.kind == "text" else one.word}
        for one in list_controls().values()
    ]


def _setting(name: str, kind: Mapping[str, Any]) -> Control:
    if name == "style":
        return Control(name, "style")
    if "enum" in kind:
        return Control(name, "choice", choices=tuple(map(str, kind["enum"])))
    if kind.get("type") == "boolean":
        return Control(name, "switch")
    if kind.get("type") == "number" and {"minimum", "maximum"} <= kind.keys():
        shown = control_of(name) if name in PaintingOptions.model_fields else None
        doublings = isinstance(shown, Slider) and shown.scale == "doublings"
        return Control(name, "number", float(kind["minimum"]), float(kind["maximum"]), doublings)
    return Control(name, "text")


def command_of(one: Control, value: object) -> control.Command:
    """What sets a control to a value, or does it.

    Args:
        one: the control.
        value: as the control API takes it; of an action nothing, of a recording "start", "stop" or "toggle".

    Raises:
        UsageError: it does not take such a value.
    """
    if one.name in control.STEPS:
        return control.press_key(control.STEPS[one.name])
    if one.kind == "action":
        return control.do_once(one.name)
    if one.kind == "record":
        return control.record(str(value))
    if one.name == _PRESET:
        return control.load_preset_by_name(str(value))
    if one.name == _KEEP:
        return control.keep_as(str(value))
    if one.name == _PRESS:
        return control.press_key(str(value))
    return control.settings({one.name: value})


def values_of(state: State) -> dict[str, float | int | str]:
    """How all is set, by the names of controls: numbers, 1 or 0 of switches and recordings, and words."""
    found = {name: _value(one, state) for name, one in list_controls().items()}
    return {name: value for name, value in found.items() if value is not None}


def _value(one: Control, state: State) -> float | int | str | None:
    if one.kind == "record":
        return int(state["recorded"] is not None)
    if one.name not in state:
        return None
    value = state[one.name]
    if one.kind == "number":
        return float(value)
    if one.kind == "switch":
        return int(control.is_on(value))
    if one.kind == "style":
        shares = value.items()
        return ",".join(name if len(shares) < 2 else f"{name}:{share:g}" for name, share in shares)
    return str(value)
