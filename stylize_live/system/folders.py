"""Folders that are not meant for people, and what systems do with folders."""

from __future__ import annotations

import ctypes
import os
import stat
import sys
from contextlib import suppress
from pathlib import Path

_WINDOWS = sys.platform == "win32"
_HIDDEN = 0x2  # FILE_ATTRIBUTE_HIDDEN
_HAS_MARKS = any(hasattr(os.stat_result, name) for name in ("st_file_attributes", "st_flags"))

# Whether a folder can be opened, to wait until its entries are on the disk; Windows writes them by itself.
CAN_BE_OPENED = not _WINDOWS


def hide(folder: Path) -> None:
    """Keep a folder out of sight whose name begins with a dot: Windows goes by a mark. Never raises."""
    if _WINDOWS:
        with suppress(OSError, AttributeError):
            ctypes.WinDLL("kernel32").SetFileAttributesW(str(folder), _HIDDEN)  # type: ignore[attr-defined, unused-ignore]


def is_hidden(path: Path) -> bool:
    """Whether the system shows a file or folder only to those who ask for what is hidden."""
    if path.name.startswith("."):
        return True
    if not _HAS_MARKS:  # nothing to ask for
        return False
    with suppress(OSError):
        return is_marked(path.stat())
    return False


def is_marked(status: os.stat_result) -> bool:
    """Whether a file is hidden by a mark, as Windows and macOS know it."""
    return bool(
        getattr(status, "st_file_attributes", 0) & _HIDDEN or getattr(status, "st_flags", 0) & stat.UF_HIDDEN
    )


def roaming_settings() -> Path:
    """Where programs of this system keep a user's settings."""
    home = Path.home()
    if sys.platform == "win32":
        return Path(os.environ.get("APPDATA", home / "AppData" / "Roaming"))
    if sys.platform == "darwin":
        return home / "Library" / "Application Support"
    return Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config")
