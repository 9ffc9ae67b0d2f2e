"""Whether there is a display, asked in a way that cannot end the program.

OpenCV's window toolkit aborts the process when it cannot reach the display; no exception is raised.
"""

from __future__ import annotations

import ctypes
import os
import socket
import sys
from pathlib import Path

_X11_BASE_PORT = 6000
_SECONDS = 1.0


def display_problem() -> str | None:
    """Why no window can be opened here, as part of a sentence; None if one can.

    Windows and macOS always have a display. On Linux the X server named by DISPLAY is connected
    to and left again (about a millisecond); OpenCV's windows need it under Wayland, too.
    """
    if not sys.platform.startswith("linux"):
        return None
    name = os.environ.get("DISPLAY", "")
    if not name:
        if os.environ.get("WAYLAND_DISPLAY"):
            return "DISPLAY is not set; windows need X11, or XWayland under Wayland"
        return "DISPLAY is not set"
    refused = _xcb_refuses(name)
    if refused is None:
        refused = not _socket_answers(name)
    return f"the X server {name!r} cannot be reached" if refused else None


def _xcb_refuses(name: str) -> bool | None:
    """Log in to the X server through its own library, which knows the cookies; None without it."""
    try:
        xcb = ctypes.CDLL("libxcb.so.1")
    except OSError:
        return None
    xcb.xcb_connect.restype = ctypes.c_void_p
    xcb.xcb_connection_has_error.argtypes = [ctypes.c_void_p]
    xcb.xcb_disconnect.argtypes = [ctypes.c_void_p]
    connection = xcb.xcb_connect(name.encode(), None)
    try:
        return bool(xcb.xcb_connection_has_error(connection))
    finally:
        xcb.xcb_disconnect(connection)


def _socket_answers(name: str) -> bool:
    """Whether anything listens where DISPLAY (host:number.screen) points."""
    host, _, number = name.rpartition(":")
    digits = number.partition(".")[0]
    if not digits.isdigit():
        return False
    path = Path(host) if host.startswith("/") else Path(f"/tmp/.X11-unix/X{digits}")
    try:
        if host in ("", "unix") or host.startswith("/"):
            with socket.socket(socket.AF_UNIX) as unix:  # type: ignore[attr-defined, unused-ignore]
                unix.settimeout(_SECONDS)
                unix.connect(str(path))
        else:
            socket.create_connection((host, _X11_BASE_PORT + int(digits)), _SECONDS).close()
    except OSError:
        return False
    return True
