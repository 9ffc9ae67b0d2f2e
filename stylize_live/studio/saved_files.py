"""Snapshots and recordings in the folder that they are written to, for pages to list, play and keep."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from stylize_live.naming import is_snapshot_name

_MOST_LISTED = 200
# Never a link, which may lead elsewhere, and never waiting for whoever writes into a pipe.
_FLAGS = (
    os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
)


@dataclass(frozen=True, slots=True)
class SavedFile:
    """A file as pages list it.

    Attributes:
        name: of the file, without a folder.
        size: in bytes.
        at: seconds since 1970 at which it was changed last.
    """

    name: str
    size: int
    at: float


class SavedFiles:
    """The snapshots and recordings in one folder; only names that the program itself gives them.

    Args:
        folder: where they are.

    Attributes:
        growing: name of the recording that is being made, or None; it is not listed yet.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder.absolute()
        self.growing: str | None = None

    def list_files(self) -> list[SavedFile]:
        """The newest files, newest first; [] where the folder cannot be read."""
        files = (saved for saved in self._all() if saved.name != self.growing)
        return sorted(files, key=lambda saved: saved.at, reverse=True)[:_MOST_LISTED]

    def _all(self) -> Iterator[SavedFile]:
        with suppress(OSError), os.scandir(self._folder) as entries:
            for entry in entries:
                if not is_snapshot_name(entry.name):
                    continue
                with suppress(OSError):  # gone meanwhile
                    if entry.is_file(follow_symlinks=False):
                        found = entry.stat(follow_symlinks=False)
                        yield SavedFile(entry.name, found.st_size, found.st_mtime)

    def open(self, name: str) -> BinaryIO:
        """A file for reading.

        Raises:
            FileNotFoundError: there is none, it has another kind of name, or it is a link or no file.
            OSError: it cannot be opened.
        """
        path = self._folder / name
        if not is_snapshot_name(name) or path.is_symlink():
            raise FileNotFoundError(name)
        descriptor = os.open(path, _FLAGS)
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise FileNotFoundError(name)
            return os.fdopen(descriptor, "rb")
        except BaseException:
            os.close(descriptor)
            raise
