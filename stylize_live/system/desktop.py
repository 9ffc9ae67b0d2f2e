"""Whether somebody sits before this machine, and how its windows behave."""

from __future__ import annotations

import os
import sys


def has_desktop() -> bool:
    """Whether a program that is started would have a window."""
    if sys.platform in ("win32", "darwin"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def minimised_is_invisible() -> bool:
    """Whether OpenCV calls a window invisible that is only minimised or hidden, as on macOS.

    Its windows have no button that closes them there; they are gone when OpenCV raises an error.
    """
    return sys.platform == "darwin"
