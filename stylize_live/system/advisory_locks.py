"""Claims on open files that end with the process that has them."""

from __future__ import annotations

import sys
from typing import IO

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

# Whether a file must be closed before it can be removed.
OPEN_FILES_STAY = sys.platform == "win32"


def claim(file: IO[bytes]) -> None:
    """Claim a file for this process alone, without waiting.

    Raises:
        OSError: another process has it (EAGAIN, EACCES or EDEADLK), the file system knows no claims, or the
            disk failed.
    """
    if sys.platform == "win32":
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    else:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
