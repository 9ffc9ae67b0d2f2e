"""What this process may have, and what is its user's own."""

from __future__ import annotations

import os
import sys
from pathlib import Path

if sys.platform != "win32":
    import resource


def is_own(status: os.stat_result) -> bool:
    """Whether a file belongs to the user of this process; Windows keeps others out by itself."""
    if sys.platform == "win32":
        return True
    return status.st_uid == os.geteuid()


def make_private(folder: Path) -> None:
    """Make a folder that other users cannot look into, where that does no harm.

    On Windows, files keep the permissions of the folder in which they were made: a finished video would be
    moved out of it and stay private. Folders for temporary files are private there already.

    Raises:
        OSError: it cannot be made.
    """
    folder.mkdir(mode=0o777 if sys.platform == "win32" else 0o700)


def max_open_files() -> int | None:
    """How many files and connections this process may have open; None where there is no such limit."""
    if sys.platform == "win32":
        return None
    else:  # noqa: RET505 (what a type checker leaves out for Windows)
        handles, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        return None if handles == resource.RLIM_INFINITY else handles
