"""Names of files: which ones systems refuse, and which they take for the same."""

from __future__ import annotations

import ctypes
import os
import re
import sys
import unicodedata
from contextlib import suppress
from pathlib import Path, PurePath, PureWindowsPath

_WINDOWS = sys.platform == "win32"
# Windows' names of devices, in any folder and with any suffix.
_DEVICES = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³]) *(\..*)?", re.IGNORECASE)
_UNFIT = re.compile(r'[<>:"|?*\x00-\x1f]')
_MOST = 259  # characters of a whole path
_BESIDE = 40  # what the names of our own files beside one may have more


def is_reserved(name: str) -> bool:
    """Whether Windows takes a file's name for a device, such as nul or con.mp4."""
    return _DEVICES.fullmatch(name) is not None


def explain_unfit(path: PurePath) -> str:
    """Why this system cannot have a file of that path, for people; "" if it can."""
    return explain_unfit_on_windows(PureWindowsPath(path), longest=_longest()) if _WINDOWS else ""


def explain_unfit_on_windows(path: PureWindowsPath, *, longest: int | None = _MOST) -> str:
    """Why Windows cannot have a file of that path, in words; "" if it can.

    Args:
        path: the file; a relative one counts from the current folder.
        longest: characters of a path; None for no limit.
    """
    if is_reserved(path.name):
        return f"Windows keeps the name {path.name} for a device, choose another"
    if odd := _UNFIT.search(path.name):
        return f"no file on Windows can have {odd[0]!r} in its name"
    if path.name.endswith((".", " ")):
        return "no file's name on Windows ends in a dot or a space"
    length = len(str(path if path.is_absolute() else PureWindowsPath(Path.cwd()) / path))
    if longest is not None and length + _BESIDE > longest:
        return (
            f"the path has {length} characters, and Windows takes {longest - _BESIDE} here: choose a shorter "
            "one, or switch on its setting LongPathsEnabled"
        )
    return ""


def _longest() -> int | None:
    with suppress(OSError, AttributeError):
        if ctypes.WinDLL("ntdll").RtlAreLongPathsEnabled() & 0xFF:  # type: ignore[attr-defined, unused-ignore]
            return None
    return _MOST


def identity(path: Path) -> str:
    """One text for all the ways to write a path, also where a disk takes X.JPG for x.jpg."""
    real = os.path.realpath(path)
    return unicodedata.normalize("NFC", real).casefold() if ignores_case(Path(real)) else real


def ignores_case(path: Path) -> bool:
    """Whether the disk of a file that may not be there yet takes names in any case."""
    for place in (path, *path.parents):
        for known in (*_one_in(place), place):  # what is in a folder tells more: a disk may begin there
            swapped = known.with_name(known.name.swapcase()) if known.name else known
            if swapped != known and os.path.exists(known):  # noqa: PTH110 (no error for a name that is too long)
                return _is_same(known, swapped)
    return _WINDOWS


def _one_in(place: Path) -> list[Path]:
    """Something in a folder that has letters in its name."""
    with suppress(OSError), os.scandir(place) as entries:
        return [Path(entry.path) for entry in entries if entry.name.swapcase() != entry.name][:1]
    return []


def _is_same(path: Path, other: Path) -> bool:
    try:
        return path.samefile(other)
    except OSError:
        return False
