"""Whether somebody sits before this machine."""

from __future__ import annotations

import os
import sys


def has_desktop() -> bool:
    """Whether a program that is started would have a window."""
    if sys.platform in ("win32", "darwin"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
