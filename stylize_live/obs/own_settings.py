"""OBS's WebSocket server, from the settings files of this user's OBS.

OBS makes up a password at first. The user would otherwise have to copy it from OBS's window, which shows the
same file. So we read it, on this machine alone, and say so.
"""

from __future__ import annotations

import configparser
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stylize_live.system.folders import roaming_settings

_MOST_BYTES = 1 << 20
_NEW = Path("plugin_config", "obs-websocket", "config.json")  # from OBS 30.2 on
_OLD = Path("global.ini")
# By the names in the new file: those in the old one.
_OLD_NAMES = {
    "server_enabled": "ServerEnabled",
    "server_port": "ServerPort",
    "auth_required": "AuthRequired",
    "server_password": "ServerPassword",
}


@dataclass(frozen=True)
class OwnSettings:
    """OBS's WebSocket server, as OBS has it in its settings.

    Attributes:
        file: where they stand.
        enabled: whether the server is switched on.
        port: its port.
        password: "" where none is asked for.
    """

    file: Path
    enabled: bool
    port: int
    password: str


def read_own_settings() -> OwnSettings | None:
    """The settings of this user's OBS; None where none are found, or none that can be read."""
    for folder in _folders():
        for name in (_NEW, _OLD):
            found = _read(folder / name)
            if found is not None:
                return found
    return None


def _folders() -> Iterator[Path]:
    """Where OBS keeps its settings, however it was installed."""
    yield roaming_settings() / "obs-studio"
    yield Path.home() / ".var" / "app" / "com.obsproject.Studio" / "config" / "obs-studio"  # Flatpak
    yield Path.home() / "snap" / "obs-studio" / "current" / ".config" / "obs-studio"


def _read(file: Path) -> OwnSettings | None:
    try:
        with file.open("rb") as stream:
            text = stream.read(_MOST_BYTES).decode("utf-8-sig")
        values: dict[str, Any] = json.loads(text) if file.suffix == ".json" else _old_values(text)
        secret = str(values["server_password"]) if values["auth_required"] else ""
        port = int(values["server_port"])
        return OwnSettings(file, bool(values["server_enabled"]), port, secret)
    except (OSError, ValueError, LookupError, TypeError, configparser.Error):
        return None  # not there, or another OBS's


def _old_values(text: str) -> dict[str, Any]:
    parser = configparser.ConfigParser(interpolation=None, strict=False, delimiters=("=",))
    parser.optionxform = str  # type: ignore[assignment, method-assign]  # as it is spelt
    parser.read_string(text)
    section = parser["OBSWebSocket"]
    return {
        name: section.getboolean(old) if name in ("server_enabled", "auth_required") else section[old]
        for name, old in _OLD_NAMES.items()
    }
