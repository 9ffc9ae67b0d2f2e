"""What OSC messages mean: addresses and arguments, turned into commands of the control API."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from stylize_live.errors import UsageError
from stylize_live.studio.control import Command, UnknownError, setting_of
from stylize_live.studio.controls import ROOT, Control, command_of, list_controls
from stylize_live.validation import describe_value

# What is asked of the connection, not of the session.
GET, SUBSCRIBE, UNSUBSCRIBE = "get", "subscribe", "unsubscribe"
QUERIES = (GET, SUBSCRIBE, UNSUBSCRIBE)
_RECORDING = {True: "start", False: "stop"}


def name_of(address: str) -> str:
    """The name behind an address: of a control, or one of `QUERIES`.

    Raises:
        UnknownError: there is no such address.
    """
    name = setting_of(address.removeprefix(ROOT))
    if address.startswith(ROOT) and (name in list_controls() or name in QUERIES):
        return name
    words = [*(one.address for one in list_controls().values()), *(ROOT + word for word in QUERIES)]
    near = difflib.get_close_matches(address[:60], words, 1)
    hint = f"; did you mean {near[0]}?" if near else ""
    raise UnknownError(f"no address {address[:60]!r}{hint}")


def translate(one: Control, arguments: Sequence[object]) -> Command | None:
    """What a message to a control asks for; None where a button was let go.

    Raises:
        UsageError: too many arguments, or one that makes no sense.
    """
    if len(arguments) > 1:
        raise UsageError(f"{one.word} takes one argument, got {len(arguments)}")
    value = arguments[0] if arguments else None
    if one.kind in ("action", "record"):
        return _done_once(one, value)
    if value is None and one.kind != "switch":
        raise UsageError(f"{one.word} takes an argument")
    return command_of(one, _checked(one, value))


def is_absolute(one: Control, arguments: Sequence[object]) -> bool:
    """Whether nothing of before counts any more, so that of several such messages the last one is enough."""
    if one.kind in ("action", "record", "text") or not arguments:
        return False
    value = arguments[0]
    return not isinstance(value, str) or not (value.startswith(("+", "-")) or value == "toggle")


def _done_once(one: Control, value: object) -> Command | None:
    """Buttons send 1 when they are pressed and 0 when they are let go."""
    if one.kind == "record" and isinstance(value, str):
        return command_of(one, value)
    pressed = True if value is None else _on_or_off(one, value)
    if one.kind == "record":
        return command_of(one, "toggle" if value is None else _RECORDING[pressed])
    return command_of(one, None) if pressed else None


def _checked(one: Control, value: object) -> object:
    """A value of the control's type."""
    if one.kind == "switch":
        return "toggle" if value is None else value if isinstance(value, str) else _on_or_off(one, value)
    if isinstance(value, bool):
        raise UsageError(f"{one.word} is not switched on or off")
    if one.kind == "number" or isinstance(value, str):
        return value
    whole = _whole(one, value)
    if one.kind == "choice":
        if not 1 <= whole <= len(one.choices):
            raise UsageError(f"{one.word} has the choices 1 to {len(one.choices)}, got {whole}")
        return one.choices[whole - 1]
    return str(whole)


def _on_or_off(one: Control, value: object) -> bool:
    if value in (0, 1):  # also True and False, 0.0 and 1.0
        return bool(value)
    raise UsageError(f"{one.word} takes 0 or 1, {describe_value(value)}")


def _whole(one: Control, value: object) -> int:
    if isinstance(value, int) or (isinstance(value, float) and value.is_integer()):
        return int(value)
    raise UsageError(f"{one.word} takes a name or a whole number, {describe_value(value)}")
