"""The control API's words, turned into the messages that pages send."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from stylize_live.backgrounds import parse_background
from stylize_live.errors import StyleError, StylizeError, UsageError
from stylize_live.live.hotkeys import OF_PAGES
from stylize_live.studio.messages import SIZE_WORDS, Message, SettingChanges, shares_of
from stylize_live.validation import describe_validation_error, describe_value

State = Mapping[str, Any]  # what pages are told, by the names of settings

_OTHER_NAMES = {"freeze": "frozen"}
_ON_WORDS = {"on": True, "true": True, "1": True, "off": False, "false": False, "0": False}
_TOGGLE = "toggle"
# By setting: its type and range, from the JSON schema of `SettingChanges`.
_KINDS: dict[str, dict[str, Any]] = {
    name: described.get("anyOf", [described])[0]
    for name, described in SettingChanges.model_json_schema()["properties"].items()
}
_RECORD = {"start": True, "stop": False}
STEPS = {"next": "right", "previous": "left"}  # to other styles, by the keys of the session


class UnknownError(UsageError):
    """An unknown name: of a style, a source, a setting, an address."""


class NotNowError(StylizeError):
    """What cannot be done at the moment."""


@dataclass(frozen=True, slots=True)
class Choices:
    """What can be chosen.

    Attributes:
        styles: names, in the order of their numbers.
        keys: by the name of the setting that takes one of them.
    """

    styles: Sequence[str]
    keys: Mapping[str, Sequence[str]]


def setting_kinds() -> Mapping[str, Mapping[str, Any]]:
    """Type and range of each setting, as JSON schema, by its name."""
    return _KINDS


SWITCHES = tuple(name for name, kind in _KINDS.items() if kind.get("type") == "boolean")
# Takes the present state and what can be chosen; raises `UsageError` or `NotNowError`.
Command = Callable[[State, Choices], Message]


def settings(asked: Mapping[str, object]) -> Command:
    """Any settings by name: values, steps such as "+0.1" or "-10%", "toggle".

    Raises:
        UnknownError: there is no such setting.
        UsageError: none was named.
    """
    if not asked:
        raise UsageError(f"nothing to set; settings are {', '.join(sorted(_KINDS))}")
    asked = {setting_of(name): value for name, value in asked.items()}
    for name in asked:
        if name not in _KINDS:
            raise UnknownError(f"no setting {_short(name)}{_near(name, _KINDS)}")

    def command(state: State, choices: Choices) -> Message:
        values = {name: _value(name, value, state, choices) for name, value in asked.items()}
        try:
            return Message(set=SettingChanges.model_validate(values))
        except ValidationError as error:
            raise UsageError(describe_validation_error(error, wanted=_range_words, given=asked)) from None

    return command


def setting_of(word: str) -> str:
    """A setting's name, from a word with hyphens or another name of it."""
    name = word.replace("-", "_")
    return _OTHER_NAMES.get(name, name)


def _value(name: str, value: object, state: State, choices: Choices) -> object:
    """A value for `SettingChanges`, from what was asked for."""
    if name == "style":
        return _style(value, choices.styles)
    if name == "background_style":
        return _choice(name, str(value), ["", *choices.styles])
    if name == "sound_styles":
        return _styles(str(value), choices.styles)
    if name == "background":
        return _background(str(value), choices.keys.get(name, ()))
    if name in choices.keys:
        return _choice(name, str(value), choices.keys[name])
    if not isinstance(value, str):
        return value
    kind, word = _KINDS[name].get("type"), value.strip().lower()
    if kind == "boolean":
        return not is_on(state[name]) if word == _TOGGLE else _ON_WORDS.get(word, value)
    if kind == "number":
        return _number(name, word, state)
    return value


def is_on(value: object) -> bool:
    """Whether a switch is on, or is about to be."""
    return bool(value["on"] or value["opening"]) if isinstance(value, dict) else bool(value)


def _number(name: str, word: str, state: State) -> object:
    """A value, or a step from the present one that ends where the range does."""
    text, scale = (word[:-1], 0.01) if word.endswith("%") else (word, 1.0)
    try:
        number = float(text) * scale
    except ValueError:
        return word
    if not word.startswith(("+", "-")):
        return number
    low, high = _KINDS[name]["minimum"], _KINDS[name]["maximum"]
    # Rounded, as ten steps of 0.1 are 1; a step that is no number stays none, and is refused.
    return number if number != number else min(high, max(low, round(float(state[name]) + number, 3)))


def _style(value: object, styles: Sequence[str]) -> dict[str, float]:
    """Shares of styles, from a name, a number, a blend as `--style` takes it, or the shares themselves."""
    if isinstance(value, dict):
        shares = value
    else:
        text = str(value).strip()
        number = int(text) if text.isdecimal() and len(text) < 4 else 0
        text = styles[number - 1] if 0 < number <= len(styles) else text
        shares = {text: 1.0} if text in styles else shares_of(text)
        most = max(shares.values())
        shares = {style: share / most for style, share in shares.items()} if most > 1 else shares
    for name in shares:
        if name not in styles:
            raise UnknownError(f"no style {_short(name)} is offered here{_near(name, styles)}")
    return shares


def _styles(text: str, styles: Sequence[str]) -> str:
    """Names of styles, parted by commas; none are all."""
    names = [name.strip() for name in text.split(",") if name.strip()]
    for name in names:
        _choice("style", name, styles)
    return ",".join(names)


def _choice(name: str, key: str, keys: Sequence[str]) -> str:
    if key in keys:
        return key
    raise UnknownError(f"no {name} {_short(key)} is offered here; there is {', '.join(map(repr, keys))}")


def _background(text: str, files: Sequence[str]) -> str:
    """A word, a color or the name of a file that is offered."""
    try:
        is_file = parse_background(text).kind == "file"
    except ValueError as error:
        raise UsageError(f"background: {error}, {describe_value(text)}") from None
    if is_file and not files:
        raise UnknownError(
            f"no background {_short(text)} is offered here: put images and videos into the folder backgrounds"
        )
    return _choice("background", text, files) if is_file else text


def toggle_or(name: str, word: str) -> Command:
    """A switch: "on", "off" or "toggle"."""
    if word not in (*_ON_WORDS, _TOGGLE):
        raise UnknownError(f"{name} takes on, off or toggle, {describe_value(word)}")
    return settings({name: word})


def snapshot(state: State, choices: Choices) -> Message:
    """Save a snapshot. Raises `NotNowError` before there is a painted frame."""
    _need_image(state)
    return Message(do="snapshot")


def do_once(name: str) -> Command:
    """One of `ACTIONS`; a snapshot as `snapshot` does, a recording begins or ends."""
    if name == "snapshot":
        return snapshot
    return record(_TOGGLE) if name == "record" else lambda state, choices: Message(do=name)


def record(word: str) -> Command:
    """Begin or end a recording: "start", "stop" or "toggle"; what is so already stays so."""
    if word not in (*_RECORD, _TOGGLE):
        raise UnknownError(f"record takes start, stop or toggle, {describe_value(word)}")

    def command(state: State, choices: Choices) -> Message:
        wanted = _RECORD.get(word, state["recorded"] is None)
        if wanted == (state["recorded"] is not None):
            return Message()
        _need_image(state)
        return Message(do="record")

    return command


def press_key(key: str) -> Command:
    """Press a key of the session, by its name. Raises `UnknownError` if pages may not press it."""
    if key not in OF_PAGES:
        raise UnknownError(f"no key {_short(key)}; there are {' '.join(sorted(OF_PAGES))}")
    return lambda state, choices: Message(press=key)


def load_preset_by_name(name: str) -> Command:
    """Load a preset. Raises `UnknownError` if the name cannot be a preset's."""
    try:
        message = Message(load=name)
    except ValidationError:
        raise UnknownError(f"no preset {_short(name)}") from None
    return lambda state, choices: message


def keep_as(name: str) -> Command:
    """Keep what was learnt as a style. Raises `UsageError` if the name cannot be a style's."""
    try:
        message = Message(keep=name)
    except ValidationError:
        raise UsageError(f"no name for a style: {_short(name)}") from None
    return lambda state, choices: message


def check(message: Message, before: State, after: State, note: str) -> None:
    """Check that a message had its effect.

    Args:
        message: that was applied.
        before, after: the state as pages are told it.
        note: what the session says.

    Raises:
        StyleError: a style could not be read.
        NotNowError: a recording did not begin, or had failed; a file or style of the background is gone.
    """
    changes = message.set or SettingChanges()
    for name in ("background", "background_style"):
        if name in changes.new_options and after[name] != changes.new_options[name]:
            raise NotNowError(note or f"the {name.replace('_', ' ')} cannot be read")
    style = changes.style
    if style is not None and not after["style"].keys() <= style.keys():
        raise StyleError(note or "the style cannot be read")
    if message.do == "record" and (before["recorded"] is None) == (after["recorded"] is None):
        raise NotNowError(note or "nothing is recorded")


def _need_image(state: State) -> None:
    if not state["has_image"]:
        raise NotNowError("there is no painted frame yet: nobody watches, or the source sends none")


def _range_words(name: str) -> str:
    if name == "size":
        return SIZE_WORDS
    kind = _KINDS.get(name, {})
    if kind.get("type") == "number":
        return f"expected a number from {kind['minimum']:g} to {kind['maximum']:g}, or a step such as +0.1"
    return "expected on, off or toggle" if kind.get("type") == "boolean" else ""


def _near(name: object, names: Sequence[str] | Mapping[str, object]) -> str:
    near = difflib.get_close_matches(str(name)[:40], names, 1)
    return f"; did you mean {near[0]!r}?" if near else ""


def _short(name: object) -> str:
    return repr(str(name)[:60])
