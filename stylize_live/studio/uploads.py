"""Files that pages bring: paintings to paint in, images and videos that stand behind people."""

from __future__ import annotations

import asyncio
import errno
import secrets
import stat
from collections.abc import AsyncIterable, Callable, Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol, TypeVar

from stylize_live.errors import SinkError, StylizeError
from stylize_live.file_locks import locked_folder
from stylize_live.files import make_folder, shorten_name, slug
from stylize_live.system import folders
from stylize_live.system.names import explain_unfit, is_reserved
from stylize_live.system.replacing import remove, replace

MIB = 2**20
_MOST_AT_ONCE = 4
_SECONDS = 900.0  # that a whole file may take
_PORTION = MIB  # whoever sends less in the time that a part of an answer may take is too slow
_WORKING = 5.0  # seconds between two signs that we are at work
_LONGEST_STEM = 60  # bytes
_MOST_ALIKE = 1000  # files of one name
T = TypeVar("T")


class UploadError(Exception):
    """A file that is not taken.

    Args:
        status: of the answer.
        why: in one line.
    """

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status, self.why = status, why


class Shelf(Protocol):
    """A folder that takes files of one kind.

    Attributes:
        folder: where they are; it may not exist yet.
        noun: what one of them is called.
        most_bytes: of a file.
        most_together: bytes of all in the folder.
    """

    folder: Path
    noun: str
    most_bytes: int
    most_together: int

    @property
    def room(self) -> int:
        """How many more files would be offered."""

    def refresh(self) -> None:
        """Look which files there are now."""

    def suffix(self, path: Path, given: str) -> str:
        """The suffix for what a file holds; the given one, in small letters, where that fits."""

    def check(self, path: Path) -> None:
        """See that a file can be used. Raises `StylizeError` that says why not, without its path."""

    def may_be_called(self, name: str) -> bool:
        """Whether a new file may have a name."""

    def key(self, name: str) -> str:
        """What pages ask for by a file's name."""


class Uploads:
    """Takes files into a folder, a few at a time, and looks at one after the other. For one event loop.

    Args:
        shelf: whose folder it is.
    """

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._coming: list[int] = []  # bytes that each was announced with
        self._looking = asyncio.Lock()
        self._made_folder = False

    async def take(
        self, name: str, length: int | None, chunks: AsyncIterable[bytes], taken: Callable[[], None]
    ) -> str:
        """Receive a file, see that it can be used, and offer it.

        Args:
            name: that it has where it comes from; of it stays what is safe.
            length: bytes that are announced.
            chunks: what comes, never more than announced.
            taken: called when the other side may have more time.

        Returns:
            What to ask for; no file is written over.

        Raises:
            UploadError: it is not taken; nothing of it is left.
        """
        if length is None:
            raise UploadError(411, "The length of the file is missing.")
        if length > self._shelf.most_bytes:
            raise UploadError(
                413, f"A {self._shelf.noun} may have {self._shelf.most_bytes // MIB} MB at most."
            )
        if len(self._coming) >= _MOST_AT_ONCE:
            raise UploadError(429, "Other files are on their way: wait for them.")
        self._coming.append(length)
        try:
            await asyncio.to_thread(self._check_room, list(self._coming))
            return self._shelf.key(await self._receive(name, length, chunks, taken))
        except TimeoutError as error:  # before OSError, which it is
            raise UploadError(408, "The file takes too long.") from error
        except (OSError, SinkError) as error:
            full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
            why = "The disk is full." if full else f"The folder {self._shelf.folder.name} cannot be written."
            raise UploadError(507 if full else 500, why) from error
        finally:
            self._coming.remove(length)
            if self._made_folder and not self._coming:
                with suppress(OSError):  # something is in it
                    self._shelf.folder.rmdir()

    def _check_room(self, coming: list[int]) -> None:
        """See that there is room for all that is on its way."""
        shelf, folder = self._shelf, self._shelf.folder
        shelf.refresh()
        if shelf.room < len(coming):
            raise UploadError(
                507, f"There are too many {shelf.noun}s: remove one of the folder {folder.name}."
            )
        self._made_folder = self._made_folder or not folder.exists()
        make_folder(folder)
        if sum(coming) + sum(map(_size, folder.iterdir())) > shelf.most_together:
            raise UploadError(507, f"The folder {folder.name} is full: remove something in it.")

    async def _receive(
        self, name: str, length: int, chunks: AsyncIterable[bytes], taken: Callable[[], None]
    ) -> str:
        folder = self._shelf.folder
        # Under a new name each time: what is found out about a file may be remembered by its path.
        with locked_folder(folder / f".coming{number}" for number in range(_MOST_AT_ONCE)) as scratch:
            folders.hide(scratch)
            came = scratch / secrets.token_hex(8)
            async with asyncio.timeout(_SECONDS):
                count = await _write(came, chunks, taken)
            if count != length:
                raise UploadError(400, "The file did not come whole.")
            async with self._looking:
                kept = await _finish(asyncio.to_thread(self._keep, came, name), taken)
                await asyncio.to_thread(self._shelf.refresh)
        return kept

    def _keep(self, came: Path, name: str) -> str:
        given = Path(name.replace("\\", "/"))
        suffix = self._shelf.suffix(came, given.suffix.lower())
        checked = came.with_suffix(suffix)
        replace(came, checked)
        try:
            self._shelf.check(checked)
        except StylizeError as error:
            raise UploadError(415, str(error)) from None
        stem = slug(given.stem, keep=" -", gap="_").strip(" _-")
        stem = shorten_name(stem, _LONGEST_STEM).strip(" _-") or self._shelf.noun
        if is_reserved(f"{stem}{suffix}"):  # on Windows, and the folder may go there
            stem = f"{self._shelf.noun} {stem}"
        for number in range(1, _MOST_ALIKE):
            target = self._shelf.folder / f"{stem}{f' {number}' if number > 1 else ''}{suffix}"
            if why := explain_unfit(target):
                raise UploadError(400, f"The file cannot be kept: {why}.")
            if self._shelf.may_be_called(target.name) and _claim(target):
                try:
                    replace(checked, target)
                except BaseException:
                    remove(target)
                    raise
                return target.name
        raise UploadError(409, "There are too many files of this name.")


async def _write(path: Path, chunks: AsyncIterable[bytes], taken: Callable[[], None]) -> int:
    """Write what comes; how many bytes that was."""
    count = portions = 0
    with path.open("wb") as file:
        async for chunk in chunks:
            await asyncio.to_thread(file.write, chunk)
            count += len(chunk)
            if count // _PORTION > portions:
                portions = count // _PORTION
                taken()
    return count


async def _finish(work: Coroutine[Any, Any, T], taken: Callable[[], None]) -> T:
    """Wait for work of our own; however long it takes, the other side is not to blame."""
    task = asyncio.ensure_future(work)
    try:
        while not task.done():
            taken()
            await asyncio.wait({task}, timeout=_WORKING)
        return task.result()
    finally:
        task.cancel()


def _claim(path: Path) -> bool:
    """Make an empty file, so that its name is ours from now on; whether there was none."""
    with suppress(FileExistsError):
        path.open("xb").close()
        return True
    return False


def _size(path: Path) -> int:
    try:
        found = path.lstat()
        return found.st_size if stat.S_ISREG(found.st_mode) else 0
    except OSError:
        return 0
