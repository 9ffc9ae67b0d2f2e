"""A page in a browser of this machine."""

from __future__ import annotations

import threading
import webbrowser

from stylize_live.cli.console import warn
from stylize_live.system.desktop import has_desktop


def open_in_browser(url: str) -> None:
    """Open a page, or say that it cannot be; in a thread, as some browsers take seconds to answer."""
    threading.Thread(target=_open, args=(url,), name="stylize-open", daemon=True).start()


def _open(url: str) -> None:
    try:
        # A browser that has no window would take over the terminal.
        opened = has_desktop() and webbrowser.open(url)
    except (OSError, webbrowser.Error):
        opened = False
    if not opened:
        warn("no browser could be opened: open the link yourself")
