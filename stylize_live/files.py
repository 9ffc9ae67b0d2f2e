"""Files that appear whole or not at all, and stay."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from stylize_live.errors import SinkError

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """Give a temporary path beside the target; rename it over the target if the block succeeds.

    The temporary name keeps the suffix (writers choose their format by it) and is removed when
    the block raises, so that the target is either the old file or the whole new one.

    Raises:
        OSError: the folder does not exist or cannot be written, or the rename failed.
    """
    temporary = target.with_name(f".{target.stem}.{os.getpid()}.part{target.suffix}")
    try:
        yield temporary
        os.replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)


def path_of(text: str) -> Path:
    """The path that somebody wrote, a home folder's ~ spelt out; "~draft.mp4" is a name like any other."""
    path = Path(text)
    try:
        return path.expanduser()
    except RuntimeError:  # nobody of that name has a home
        return path


def make_folder(folder: Path) -> None:
    """Make a folder, and those above it, where they are missing.

    Raises:
        SinkError: it cannot be made, or is a file.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SinkError(f"{folder}: cannot make this folder: {error.strerror or error}") from None


def sync(path: Path) -> None:
    """Wait until a file or folder is on the disk, so that it outlives a power cut.

    Raises:
        OSError: it is not there, or the disk failed.
    """
    if path.is_dir() and os.name == "nt":  # cannot be opened there, and need not
        return
    handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def lock(file: IO[bytes]) -> bool:
    """Claim an open file for this process until it is closed or the process ends, however it ends.

    Returns:
        False if another process has it.
    """
    if sys.platform == "win32":
        with suppress(OSError):
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
            return True
    else:
        with suppress(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
    return False
