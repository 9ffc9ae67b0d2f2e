"""Which knob or key of a MIDI device does what: the usual bindings, and the user's own, kept as TOML."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import tomli_w

from stylize_live.errors import ConfigError, SinkError, UsageError
from stylize_live.files import replacing
from stylize_live.nets.style_folders import own_folder
from stylize_live.studio.control import setting_of
from stylize_live.studio.controls import Control, list_controls
from stylize_live.studio.presets import NAME
from stylize_live.validation import describe_value

_MOST_BYTES = 65536
_MOST_BINDINGS = 500
_KEY = re.compile(r"(?:(?:cc|note) (?:\d|[1-9]\d|1[01]\d|12[0-7])|program)(?: channel (?:[1-9]|1[0-6]))?")
_KNOB_GROUPS = (1, 16, 70)  # first controllers of the knobs of common boxes
_KNOBS_OF_A_BOX = 8
_FIRST_PAD, _PADS = 36, 16
_HEADER = "# Which knob or key of a MIDI device does what. Written by the studio's page, read at the start.\n"


@dataclass(frozen=True, slots=True)
class Target:
    """What a knob or key does.

    Attributes:
        control: that it moves or does.
        value: that it sets: a style's number or name, a preset's name; "" where it moves the control itself.
    """

    control: Control
    value: str = ""


def parse_target(text: str) -> Target:
    """What a binding names: a control such as "strength", or one with a value: "style 3", "preset calm".

    Raises:
        UsageError: there is no such thing, or no knob can do it.
    """
    name, _, value = text.strip().partition(" ")
    one = list_controls().get(setting_of(name))
    takes_value = one is not None and one.name in ("style", "preset")
    if one is None or (value and not takes_value) or (one.kind == "text" and not value):
        raise UsageError(f"no knob or key can do {text[:60]!r}")
    if one.name == "preset" and not re.fullmatch(NAME, value):
        raise UsageError(f"no preset can be called {value[:60]!r}")
    return Target(one, value)


def usual_bindings() -> dict[str, str]:
    """For boxes as they come: knobs move the numbers in their order, pads choose the first styles."""
    numbers = [one.word for one in list_controls().values() if one.kind == "number"][:_KNOBS_OF_A_BOX]
    knobs = {f"cc {first + i}": word for first in _KNOB_GROUPS for i, word in enumerate(numbers)}
    pads = {f"note {_FIRST_PAD + i}": f"style {i + 1}" for i in range(_PADS)}
    # The keys of a recorder, as Korg's boxes have them, and the pedal.
    keys = {"cc 41": "frozen", "cc 43": "previous", "cc 44": "next", "cc 45": "record", "cc 46": "mirror"}
    return {**knobs, **keys, "cc 64": "next", **pads, "program": "style"}


def usual_file() -> Path:
    """Where the user's own bindings are; it may not exist yet."""
    return own_folder().parent / "midi.toml"


class Bindings:
    """Targets by knob or key, such as "cc 21 channel 1", "note 36" on any channel, "program".

    Args:
        path: the user's own, where there are any; changes are written there at once.

    Attributes:
        path: likewise.

    Raises:
        ConfigError: the file cannot be read, or names what there is not.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._targets = {key: parse_target(text) for key, text in _read(path).items()}

    def find(self, key: str, channel: int) -> tuple[str, Target] | None:
        """The binding of a knob or key: of its channel, 1 to 16, else of any."""
        for name in (f"{key} channel {channel}", key):
            if name in self._targets:
                return name, self._targets[name]
        return None

    def words(self) -> dict[str, str]:
        """Targets by knob or key, as the file has them."""
        return {key: _word(target) for key, target in self._targets.items()}

    def bind(self, key: str, channel: int, target: Target) -> str:
        """Have a knob or key do something, and nothing else; its name.

        Raises:
            SinkError: that cannot be kept.
        """
        name = f"{key} channel {channel}"
        kept = {other: one for other, one in self._targets.items() if other not in (key, name)}
        self._keep({**kept, name: target})
        return name

    def forget(self, name: str) -> None:
        """Have a knob or key do nothing. Raises `SinkError` if that cannot be kept."""
        if name in self._targets:
            self._keep({other: one for other, one in self._targets.items() if other != name})

    def _keep(self, targets: dict[str, Target]) -> None:
        if len(targets) > _MOST_BINDINGS:
            raise SinkError(f"more than {_MOST_BINDINGS} MIDI knobs and keys cannot be bound")
        text = tomli_w.dumps({"bindings": {key: _word(target) for key, target in targets.items()}})
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with replacing(self.path) as temporary:
                temporary.write_text(_HEADER + text, encoding="utf-8")
        except OSError as error:
            raise SinkError(f"{self.path.name}: cannot write: {error.strerror}") from None
        self._targets = targets


def _word(target: Target) -> str:
    return f"{target.control.word} {target.value}".strip()


def _read(path: Path) -> Mapping[str, str]:
    """The user's own bindings; the usual ones as long as there is no file."""
    try:
        content = path.read_bytes()[: _MOST_BYTES + 1]
    except FileNotFoundError:
        return usual_bindings()
    except OSError as error:
        raise ConfigError(f"{path}: cannot read MIDI bindings: {error.strerror}") from None
    try:
        if len(content) > _MOST_BYTES:
            raise ValueError(f"more than {_MOST_BYTES} bytes")
        found = tomllib.loads(content.decode("utf-8-sig")).get("bindings")
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from None
    if not isinstance(found, dict) or len(found) > _MOST_BINDINGS:
        raise ConfigError(f'{path}: expected a table [bindings] of lines such as "cc 21" = "strength"')
    for key, text in found.items():
        _check(path, key, text)
    return found


def _check(path: Path, key: str, text: object) -> None:
    if not _KEY.fullmatch(key):
        raise ConfigError(
            f"{path}: {key[:60]!r} is no knob or key; expected cc 0 to 127, note 0 to 127 or program, "
            "with or without a channel, such as cc 21 channel 1"
        )
    if not isinstance(text, str):
        raise ConfigError(f"{path}: {key}: expected the name of a control, {describe_value(text)}")
    try:
        parse_target(text)
    except UsageError as error:
        raise ConfigError(f"{path}: {key}: {error}") from None
