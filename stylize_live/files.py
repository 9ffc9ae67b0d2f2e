"""Files that appear whole or not at all, and stay."""

from __future__ import annotations

import errno
import hashlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from stylize_live.errors import SinkError

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

# Bytes of a name that all file systems take; most take 255, some that encrypt names far fewer.
_LONGEST_NAME = 143
# What file systems answer that have no locks, or do not sync this kind of file: network folders, as a rule.
_LACKING = {errno.EINVAL, errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EBADF}
_CLOSED = {errno.EACCES, errno.EPERM, errno.EISDIR}


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """Give a temporary path beside the target; rename it over the target if the block succeeds.

    The temporary name keeps the suffix (writers choose their format by it) and is removed when
    the block raises, so that the target is either the old file or the whole new one. Where the target is
    a symbolic link, it stays one, and the file that it leads to is replaced.

    Raises:
        OSError: the folder does not exist or cannot be written, or the rename failed.
    """
    target = linked(target)
    temporary = target.with_name(short_name(f".{target.stem}.{os.getpid()}", f".part{target.suffix}"))
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


def is_file(path: Path) -> bool:
    """Whether a file is there; False, too, for what can be no name: with a NUL, or too long."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def linked(path: Path) -> Path:
    """The file that a symbolic link leads to, whether it is there or not; other paths as they are."""
    return Path(os.path.realpath(path)) if path.is_symlink() else path


def short_name(stem: str, ending: str) -> str:
    """A name for a file that comes from another's, and must not be the one that is too long.

    Both parts; a stem with which they would be long is replaced by a short one, always the same.
    """
    if len(os.fsencode(stem + ending)) <= _LONGEST_NAME:
        return stem + ending
    return f"{stem[:16]}-{hashlib.sha256(os.fsencode(stem)).hexdigest()[:16]}{ending}"


def cut(name: str, most: int) -> str:
    """The beginning of a name, in so many bytes at most."""
    return os.fsencode(name)[:most].decode(errors="ignore")


def make_folder(folder: Path) -> None:
    """Make a folder, and those above it, where they are missing.

    Raises:
        SinkError: it cannot be made, or is a file.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SinkError(f"{folder}: cannot make this folder: {error.strerror or error}") from None


def sync(path: Path) -> bool:
    """Wait until a file or folder is on the disk, so that it outlives a power cut.

    Returns:
        False where the file system cannot wait for this.

    Raises:
        OSError: it is not there, or the disk failed.
    """
    if path.is_dir() and os.name == "nt":  # cannot be opened there, and need not
        return True
    try:
        handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        if error.errno in _LACKING | _CLOSED:
            return False
        raise
    return True


def lock(file: IO[bytes]) -> bool | None:
    """Claim an open file for this process until it is closed or the process ends, however it ends.

    Returns:
        False if another process has it; None where the file system has no locks.

    Raises:
        OSError: the disk failed.
    """
    try:
        _claim(file)
    except OSError as error:
        if error.errno in (errno.EAGAIN, errno.EACCES, errno.EDEADLK):
            return False
        if error.errno in _LACKING:
            return None
        raise
    return True


def _claim(file: IO[bytes]) -> None:
    if sys.platform == "win32":
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    else:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
