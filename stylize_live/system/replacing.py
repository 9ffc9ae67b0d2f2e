"""Replacing and removing files that other programs may have open.

Windows refuses both for as long as a player, a virus scanner or a synchronised folder looks at a file. The
latter two let go within moments, so that it is tried for two seconds before anybody is told.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

from stylize_live.system.file_holders import programs_using

_WINDOWS = sys.platform == "win32"
_PAUSES = (0.01, 0.02, 0.04, 0.08, 0.15, 0.3, 0.6, 0.8)  # seconds; two in all


def replace(source: Path, target: Path) -> None:
    """Rename a file over another; the target is the old file or the new one at any moment.

    Raises:
        PermissionError: another program has one of them open (its `strerror` says which to close), or the
            folder is closed to us.
        OSError: as `os.replace` does.
    """
    _patiently(lambda: os.replace(source, target), target, source)


def remove(path: Path) -> None:
    """Remove a file that may be gone already. Raises as `replace` does."""
    _patiently(lambda: path.unlink(missing_ok=True), path)


def _patiently(act: Callable[[], None], path: Path, *others: Path) -> None:
    if not _WINDOWS:  # elsewhere open files are no hindrance, and a refusal is for good
        act()
        return
    for pause in _PAUSES:
        try:
            act()
        except PermissionError:
            time.sleep(pause)
        else:
            return
    try:
        act()
    except PermissionError as error:
        raise PermissionError(error.errno, _whom_to_close(path, *others), str(path)) from error


def _whom_to_close(*paths: Path) -> str:
    programs = list(dict.fromkeys(name for path in paths for name in programs_using(path)))
    if programs:
        return f"it is open in {' and '.join(programs)}, close that"
    return "access is denied: close programs that have it open, or choose a folder that you may write into"
