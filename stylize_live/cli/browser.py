"""A page in a browser of this machine."""

from __future__ import annotations

import os
import sys
import threading
import webbrowser

from stylize_live.cli.console import warn


def open_in_browser(url: str) -> None:
    """Open a page, or say that it cannot be; in a thread, as some browsers take seconds to answer."""
    threading.Thread(target=_open, args=(url,), name="stylize-open", daemon=True).start()


def _open(url: str) -> None:
    try:
        opened = _has_screen() and webbrowser.open(url)
    except (OSError, webbrowser.Error):
        opened = False
    if not opened:
        warn("no browser could be opened: open the link yourself")


def _has_screen() -> bool:
    """Whether a browser would have a window; one that has none would take over the terminal."""
    if sys.platform in ("win32", "darwin"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
