"""Libraries that come with a system, opened without a word where they are missing."""

from __future__ import annotations

import ctypes
from typing import Any


def load_windows_library(name: str) -> Any:
    """A library of Windows, such as "winmm"; None where there is none, as on every other system."""
    try:
        return ctypes.WinDLL(name)  # type: ignore[attr-defined, unused-ignore]
    except (OSError, AttributeError):
        return None


def load_library(path: str | None) -> Any:
    """A library by its path or name, or all that this process has already; None where there is none."""
    try:
        return ctypes.CDLL(path)
    except (OSError, TypeError):  # Windows does not take None
        return None
