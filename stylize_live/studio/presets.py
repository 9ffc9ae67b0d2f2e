"""What is set on the page, as a file that `live --config` takes."""

from __future__ import annotations

import json
from pathlib import Path

from stylize_live.config import LiveSettings
from stylize_live.errors import SinkError
from stylize_live.files import replacing

# What belongs to one evening or to the page, not to a preset.
_LEFT_OUT = {"record", "microphone", "duration", "window", "port", "host", "token"}


def save_preset(path: Path, settings: LiveSettings, changed: dict[str, object]) -> None:
    """Write a TOML file that does not exist yet.

    Args:
        path: where.
        settings: what the program was started with; what was given there is kept.
        changed: values of today by the names of settings.

    Raises:
        SinkError: the file exists, or cannot be written.
    """
    if path.exists():
        raise SinkError(f"{path.name} exists already, choose another name")
    given = settings.model_dump(include=settings.model_fields_set & set(LiveSettings.model_fields))
    values = given | changed
    lines = [f"# stylize-live live --config {path.name}"]
    lines += [
        f"{name} = {_toml(values[name])}"
        for name in LiveSettings.model_fields
        if name not in _LEFT_OUT and values.get(name) is not None
    ]
    try:
        with replacing(path) as temporary:
            temporary.write_text("\n".join(lines) + "\n", encoding="utf-8")
    except OSError as error:
        raise SinkError(f"{path}: cannot write: {error.strerror}") from None


def _toml(value: object) -> str:
    """A flat value; JSON's and TOML's are the same but for characters that JSON would spell in two halves."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
