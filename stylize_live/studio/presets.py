"""What is set on the page, as files that `live --config` takes: saved, listed, read and renamed."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import tomli_w
from pydantic import TypeAdapter

from stylize_live.config import NOT_IN_PRESETS, LiveSettings, merge_config
from stylize_live.errors import SinkError, SourceError
from stylize_live.files import replacing
from stylize_live.system.names import is_reserved
from stylize_live.system.replacing import remove

NAME = r"^\w[\w .-]{0,39}$"  # of a preset; it leads to no other folder
_SUFFIX = ".toml"
_MARK = "# stylize-live live --config "  # begins the first line of every preset, and of no other file
_MOST_BYTES = 65536
_MOST_LISTED = 100

_VALUES = TypeAdapter(dict[str, object])
_KEPT = [name for name, field in LiveSettings.model_fields.items() if NOT_IN_PRESETS not in field.metadata]


def save_preset(path: Path, settings: LiveSettings, changed: dict[str, object]) -> None:
    """Write a TOML file that does not exist yet.

    Args:
        path: where.
        settings: what the program was started with; what was given there is kept.
        changed: present values by the names of settings.

    Raises:
        SinkError: the file exists, or it or a value cannot be written.
    """
    _check_new(path)
    given = settings.model_dump(include=settings.model_fields_set & set(LiveSettings.model_fields))
    values = given | changed
    kept = {name: values[name] for name in _KEPT if values.get(name) is not None}
    _write(path, f"{_MARK}{path.name}\n{_dump(path, kept)}")


def _dump(path: Path, values: dict[str, object]) -> str:
    """TOML of values; what it has no type for, as paths, becomes the text that settings are read from."""
    try:
        text = tomli_w.dumps(_VALUES.dump_python(values, mode="json"))
        text.encode()  # a path of the command line may hold bytes that are no text
    except (TypeError, ValueError) as error:
        raise SinkError(f"{path}: cannot write a setting: {error}") from None
    return text


def list_presets(folder: Path) -> list[str]:
    """Names of the presets in a folder, by the alphabet; [] where it cannot be read."""
    return sorted(_names(folder), key=str.casefold)[:_MOST_LISTED]


def _names(folder: Path) -> Iterator[str]:
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            name = entry.name.removesuffix(_SUFFIX)
            if name == entry.name or not re.fullmatch(NAME, name):
                continue
            with suppress(OSError, SourceError):  # gone meanwhile, or another kind of file
                _read(folder / entry.name)
                yield name


def _read(path: Path) -> str:
    """The text of a preset. Raises `SourceError` where it is none, `OSError` where it cannot be read."""
    if path.is_symlink() or not path.is_file() or path.stat().st_size > _MOST_BYTES:
        raise SourceError(f"{path.name} is not a preset")
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        text = ""
    if not text.startswith(_MARK):
        raise SourceError(f"{path.name} is not a preset")
    return text


def load_preset(path: Path) -> dict[str, object]:
    """What a preset sets, by the names of settings.

    Raises:
        ConfigError: it has an unknown key, or a value out of range.
        SourceError: it is not a preset.
        OSError: it cannot be read.
    """
    _read(path)
    return merge_config(LiveSettings(), path).model_dump(exclude_unset=True)


def rename_preset(path: Path, to: Path) -> None:
    """Give a preset another name.

    Raises:
        SinkError: such a file already exists, or it cannot be written.
        SourceError: it is not a preset.
        OSError: it cannot be read or removed.
    """
    text = _read(path)
    _check_new(to)
    _write(to, "\n".join([_MARK + to.name, *text.split("\n")[1:]]))
    remove(path)


def _check_new(path: Path) -> None:
    """Raise `SinkError` where a preset cannot have a name; wherever it is made, Windows shall take it."""
    if path.exists():
        raise SinkError(f"{path.name} already exists, choose another name")
    if is_reserved(path.name):
        raise SinkError(f"{path.stem} is a device on Windows, choose another name")


def _write(path: Path, text: str) -> None:
    try:
        with replacing(path) as temporary:
            temporary.write_text(text, encoding="utf-8")
    except OSError as error:
        raise SinkError(f"{path}: cannot write: {error.strerror}") from None
