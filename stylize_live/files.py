"""Files that appear whole or not at all; names and folders for them."""

from __future__ import annotations

import errno
import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stylize_live.errors import SinkError
from stylize_live.file_locks import LACKING, locked_folder
from stylize_live.system import folders
from stylize_live.system.names import explain_unfit
from stylize_live.system.replacing import replace

# Bytes of a name that all file systems take; most take 255, some that encrypt names far fewer.
_LONGEST_NAME = 143
_CLOSED = {errno.EACCES, errno.EPERM, errno.EISDIR}


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """Give a temporary path; rename it over the target if the block succeeds.

    The temporary file is in a hidden folder beside the target and keeps the suffix, by which writers choose
    their format. It is removed when the block raises, so that the target is either the old file or the whole
    new one; where a process is killed, the next one that writes the target removes it. Where the target is a
    symbolic link, it stays one, and the file that it leads to is replaced.

    Raises:
        OSError: the folder does not exist or cannot be written, no file can have that name, or the rename
            failed.
    """
    target = resolve_link(target)
    if why := explain_unfit(target):
        raise OSError(errno.EINVAL, why, str(target))
    numbers = ("", *(f".{number}" for number in range(2, 100)))  # where several write the same target
    names = (target.with_name(name_beside(f".{target.name}{number}", ".part")) for number in numbers)
    with locked_folder(names) as folder:
        folders.hide(folder)
        temporary = folder / f"new{target.suffix}"
        yield temporary
        replace(temporary, target)


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


def is_folder(path: Path) -> bool:
    """The same of a folder."""
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def resolve_link(path: Path) -> Path:
    """The file that a symbolic link leads to, whether it is there or not; other paths as they are."""
    return Path(os.path.realpath(path)) if path.is_symlink() else path


def name_beside(stem: str, ending: str) -> str:
    """Name a file that stands beside another: both parts, or a short name where they would be too long.

    The short one is the stem's beginning with a hash of the whole: always the same for the same stem.
    """
    if len(os.fsencode(stem + ending)) <= _LONGEST_NAME:
        return stem + ending
    return f"{stem[:16]}-{hashlib.sha256(os.fsencode(stem)).hexdigest()[:16]}{ending}"


def slug(text: str, *, keep: str = ".-", gap: str = "_") -> str:
    """A text as part of a file's name: its letters and digits.

    Args:
        text: the text.
        keep: characters that stay as well; underscores always do.
        gap: what any run of others becomes; also at the ends, where callers strip it.
    """
    return re.sub(rf"[^\w{re.escape(keep)}]+", gap, text)


def shorten_name(name: str, most: int) -> str:
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
    if path.is_dir() and not folders.CAN_BE_OPENED:
        return True
    try:
        handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        if error.errno in LACKING | _CLOSED:
            return False
        raise
    return True
