"""Locks that end with the process that holds them, and folders that tell by one whether it still lives."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import stat
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from stylize_live.system import advisory_locks
from stylize_live.system.permissions import is_own, make_private

# What file systems answer that have no locks: network folders, as a rule.
LACKING = frozenset({errno.EINVAL, errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EBADF})
_TRIES = 100
_LOCK = "lock"
_SCRATCH = "stylize-live-"


def hold_lock(file: IO[bytes]) -> bool | None:
    """Claim an open file for this process until it is closed or the process ends, however it ends.

    Returns:
        False if another process has it; None where the file system has no locks.

    Raises:
        OSError: the disk failed.
    """
    try:
        advisory_locks.claim(file)
    except OSError as error:
        if error.errno in (errno.EAGAIN, errno.EACCES, errno.EDEADLK):
            return False
        if error.errno in LACKING:
            return None
        raise
    return True


@contextmanager
def locked_folder(names: Iterable[Path]) -> Iterator[Path]:
    """A new folder, for this process alone, removed when left with all that is in it.

    A process that is killed leaves its folder behind. Its lock tells: whoever wants the same name removes
    the folder of a dead one, and takes the next name where a living one is at work.

    Args:
        names: where it may be, by preference.

    Raises:
        OSError: it cannot be made.
    """
    with _open_locked(names) as (folder, file):
        try:
            yield folder
        finally:
            with suppress(OSError):
                _remove(folder, file)


@contextmanager
def _open_locked(names: Iterable[Path]) -> Iterator[tuple[Path, IO[bytes]]]:
    for folder, _ in zip(names, range(_TRIES), strict=False):
        remove_dead(folder)
        try:
            make_private(folder)
            file = (folder / _LOCK).open("ab")
        except (FileExistsError, FileNotFoundError):
            if not folder.parent.is_dir():
                raise
            continue  # somebody lives there, or took it for dead before it was locked
        with file:
            if hold_lock(file) is not False and is_at(file, folder / _LOCK):
                yield folder, file
                return
    raise FileExistsError(errno.EEXIST, "others are at work on this file", str(folder))


def is_at(file: IO[bytes], path: Path) -> bool:
    """Whether an open file is the one that a path leads to, and was not removed meanwhile."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except OSError:
        return False


def _remove(folder: Path, file: IO[bytes]) -> None:
    for path in folder.iterdir():
        if path.name != _LOCK:  # the last to go: without it, nobody could tell
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    if advisory_locks.OPEN_FILES_STAY:
        file.close()
    shutil.rmtree(folder, ignore_errors=True)


def remove_dead(folder: Path) -> None:
    """Remove what `locked_folder` made for a process that was killed since; nothing else."""
    with suppress(OSError):
        status = folder.lstat()
        if not (stat.S_ISDIR(status.st_mode) and is_own(status)):
            return
        try:
            file = (folder / _LOCK).open("r+b")
        except FileNotFoundError:  # it died at once
            folder.rmdir()
            return
        with file:
            if hold_lock(file) and is_at(file, folder / _LOCK):
                _remove(folder, file)


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A folder for temporary files; those of runs that were killed are removed first.

    Raises:
        OSError: there is no room for one; TMPDIR names another place.
    """
    place = Path(tempfile.gettempdir())
    for left in place.glob(f"{_SCRATCH}*"):
        remove_dead(left)
    names = (place / f"{_SCRATCH}{secrets.token_hex(4)}" for _ in range(_TRIES))
    with locked_folder(names) as folder:
        yield folder
