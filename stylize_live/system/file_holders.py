"""Which programs have a file open, as Windows' Restart Manager tells."""

from __future__ import annotations

import ctypes
from contextlib import suppress
from pathlib import Path
from typing import Any

_MOST = 8  # programs
_MORE_DATA = 234
_KEY = 33  # characters of a session's key, with the closing zero


class _Process(ctypes.Structure):
    """RM_PROCESS_INFO, of which the name is all that we read."""

    _fields_ = (
        ("id", ctypes.c_uint32),
        ("started", ctypes.c_uint32 * 2),
        ("name", ctypes.c_uint16 * 256),  # UTF-16, as Windows has it, closed by a zero
        ("service", ctypes.c_uint16 * 64),
        ("kind", ctypes.c_uint32),
        ("status", ctypes.c_uint32),
        ("session", ctypes.c_uint32),
        ("restartable", ctypes.c_int32),
    )


def programs_using(path: Path, library: Any = None) -> list[str]:
    """Names of the programs that have a file open; none where the system does not tell. Never raises.

    Args:
        path: the file.
        library: Windows' rstrtmgr.dll; loaded if it is None.
    """
    with suppress(OSError, AttributeError, ValueError):  # another system, or another Windows
        library = library or ctypes.CDLL("rstrtmgr.dll")
        session, key = ctypes.c_uint32(), (ctypes.c_uint16 * _KEY)()
        if library.RmStartSession(ctypes.byref(session), 0, key):
            return []
        try:
            return _ask(library, session, path)
        finally:
            library.RmEndSession(session)
    return []


def _ask(library: Any, session: ctypes.c_uint32, path: Path) -> list[str]:
    text = ctypes.create_string_buffer(f"{path.absolute()}\0".encode("utf-16-le"))
    files = (ctypes.c_void_p * 1)(ctypes.addressof(text))
    if library.RmRegisterResources(session, 1, files, 0, None, 0, None):
        return []
    found = (_Process * _MOST)()
    needed, given, reasons = ctypes.c_uint32(), ctypes.c_uint32(_MOST), ctypes.c_uint32()
    failed = library.RmGetList(
        session, ctypes.byref(needed), ctypes.byref(given), found, ctypes.byref(reasons)
    )
    if failed not in (0, _MORE_DATA):
        return []
    names = (_text(found[number].name) for number in range(min(given.value, _MOST)))
    return list(dict.fromkeys(name for name in names if name))


def _text(units: Any) -> str:
    return bytes(units).decode("utf-16-le", "replace").partition("\0")[0]
