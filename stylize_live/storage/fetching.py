"""A file on shared storage as a file of this machine.

    WORK/sources/KEY/    one for each version of a file; KEY.2 while another process reads the same
        lock             held by the process that uses the copy, or makes it: others wait for that
        holiday.mp4      the copy, dated as the original
        holiday.mp4.part as much as there is of one, from which a later run goes on

A process that finds a copy in use has a hard link to it in its own folder, which the other may then leave. On
disks without locks, each has a folder of its own, which ends with it.

Whole copies instead of reading across the network: a conversion reads its source twice and at several places
at once, and what breaks off there must not look like a damaged video.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import secrets
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from stylize_live.errors import SinkError, SourceError
from stylize_live.file_locks import hold_lock, is_at, remove_dead
from stylize_live.storage.places import StorageUrl, work_folder_of
from stylize_live.storage.remote import (
    Info,
    describe_file,
    explain_storage_errors,
    open_storage,
    seconds_of_change,
    version_of,
)
from stylize_live.storage.uploading import check_bucket
from stylize_live.system.clock import monotonic
from stylize_live.system.permissions import make_private
from stylize_live.system.replacing import replace
from stylize_live.wording import option

_BLOCK = 8 << 20  # bytes: large enough that the way there and back does not matter
_TOGETHER = 4  # blocks that are read at the same time, and held in memory
# Bytes of copies that killed and failed runs have left, for runs that go on; older ones make room.
_MOST_LEFT = 20 << 30
_BETWEEN_LOOKS = 0.2  # seconds, at a copy that another process makes
_PATIENCE = 120.0  # seconds in which that has not grown, until this process makes its own

OnFetch = Callable[[int, int], None]
"""Told how many bytes of how many are there; what it raises stops everything."""


@contextmanager
def fetched(
    url: StorageUrl, on_fetch: OnFetch = lambda done, size: None, *, keep: bool = False
) -> Iterator[Path]:
    """A copy of a file for as long as the block lasts; if that is interrupted, it is kept for the next run.

    Args:
        url: the file.
        on_fetch: see `OnFetch`.
        keep: leave the copy to whoever needs it next, until `remove_copies`, or until others need the room.

    Raises:
        SourceError: no such file, no access, no answer, or the file changed meanwhile.
        SinkError: this machine has no room for it.
    """
    info = describe_file(url, SourceError)
    size = _size(url, info)
    with _own_folder(url, info or {}, size, on_fetch, keep) as folder:
        copy = folder / url.local_name
        if not copy.is_file():
            _fetch(url, copy, size, on_fetch)
        yield copy


def size_of(url: StorageUrl) -> int:
    """Bytes of a file. Raises `SourceError` if there is none, or an empty one."""
    return _size(url, describe_file(url, SourceError))


def check_source(url: StorageUrl) -> None:
    """Refuse what this machine may not read, or a bucket that is not there, before any work.

    A file that is missing is no reason yet. Raises `SourceError`.
    """
    if describe_file(url, SourceError) is None:
        check_bucket(url, SourceError)


def remove_copies(url: StorageUrl) -> None:
    """Remove the copies of a file that nobody uses."""
    for folder in (work_folder_of(url) / "sources").glob(f"{url.key}-*"):
        remove_dead(folder)


def _key(url: StorageUrl, info: Info) -> str:
    return f"{url.key}-{hashlib.sha256(version_of(info).encode()).hexdigest()[:12]}"


def _size(url: StorageUrl, info: Info | None) -> int:
    if info is None:
        raise SourceError(f"{url}: no such file")
    if info["type"] == "directory":
        raise SourceError(f"{url}: is a folder, expected a video file")
    if info.get("size") is None:
        raise SourceError(f"{url}: the storage does not say how long this file is")
    if info["size"] == 0:
        raise SourceError(f"{url}: the file is empty (0 bytes)")
    return int(info["size"])


@contextmanager
def _own_folder(url: StorageUrl, info: Info, size: int, on_fetch: OnFetch, keep: bool) -> Iterator[Path]:
    """A folder that no other process uses, with what there is of this version of the file."""
    sources = work_folder_of(url) / "sources"
    leave, keep = keep, True
    try:
        sources.mkdir(parents=True, exist_ok=True)
        folder, lock = _claim(sources / _key(url, info), url.local_name, size, on_fetch)
    except OSError as error:
        raise _no_room(url, sources, error) from None
    try:
        _share(folder, url.local_name)
        if not (folder / url.local_name).is_file():
            _make_room(url, folder, size)
        yield folder
        keep = leave
    except SourceError:
        keep = any(folder.glob("*.part"))  # else the file itself is no good
        raise
    finally:
        if lock is None:
            shutil.rmtree(folder, ignore_errors=True)
        else:
            lock.close()
            if not keep:
                remove_dead(folder)


def _claim(place: Path, name: str, size: int, on_fetch: OnFetch) -> tuple[Path, IO[bytes] | None]:
    """A folder and its lock; without one, the folder is to be removed: nobody could tell that it is dead."""
    for number in itertools.count(1):
        folder = place if number == 1 else place.with_name(f"{place.name}.{number}")
        for _ in _while_it_grows(folder / name, size, on_fetch):
            with suppress(FileExistsError):
                make_private(folder)
            with suppress(FileNotFoundError):  # somebody removed it just now
                lock = (folder / "lock").open("ab")
                held = hold_lock(lock)
                if held and is_at(lock, folder / "lock"):
                    os.utime(folder / "lock")  # the newest are kept longest
                    return folder, lock
                lock.close()
                if held is None:
                    return _folder_without_locks(folder), None
    raise AssertionError("numbers end never")


def _folder_without_locks(tried: Path) -> Path:
    with suppress(OSError):
        (tried / "lock").unlink()
        tried.rmdir()
    folder = tried.with_name(f"{tried.name}.{secrets.token_hex(8)}")
    make_private(folder)
    (folder / "lock").touch()  # else it would be taken for one that nobody came to use
    return folder


def _while_it_grows(copy: Path, size: int, on_fetch: OnFetch) -> Iterator[None]:
    """Again and again, until a copy that another process makes is there, or will not be."""
    part, done, grew_at = copy.with_name(f"{copy.name}.part"), -1, monotonic()
    while True:
        yield
        if copy.exists() or monotonic() - grew_at > _PATIENCE:
            return
        with suppress(FileNotFoundError):
            if (there := part.stat().st_size) != done:
                done, grew_at = there, monotonic()
        on_fetch(max(0, done), size)
        time.sleep(_BETWEEN_LOOKS)


def _share(folder: Path, name: str) -> None:
    """Have the copy of another process, if there is a whole one, and the disk has links."""
    key = folder.name.partition(".")[0]
    for other in folder.parent.glob(f"{key}*/{name}"):
        if (folder / name).exists():
            return
        with suppress(OSError):
            os.link(other, folder / name)


def _make_room(url: StorageUrl, folder: Path, size: int) -> None:
    """Remove the oldest copies that nobody uses, and see that the disk has place for another one."""
    others = [other for other in folder.parent.iterdir() if other != folder]
    others.sort(key=_age)
    left = sum(map(_bytes_in, others))
    free = shutil.disk_usage(folder).free + _bytes_in(folder)
    for other in others:
        if left + size <= _MOST_LEFT and free >= size:
            break
        there = _bytes_in(other)
        remove_dead(other)
        if not other.exists():
            left, free = left - there, free + there
    if free < size:
        raise SinkError(
            f"{folder.parent}: no room for a copy of {url}, {size / 1e9:.1f} GB: free some space, or name "
            f"another folder with {option('work_folder')}"
        )


def _age(folder: Path) -> float:
    try:
        return (folder / "lock").stat().st_mtime
    except OSError:
        return 0.0


def _bytes_in(folder: Path) -> int:
    with suppress(OSError):  # another process removes it
        found = [path.stat() for path in folder.iterdir()]
        return sum(one.st_size // max(1, one.st_nlink) for one in found)
    return 0


def _fetch(url: StorageUrl, copy: Path, size: int, on_fetch: OnFetch) -> None:
    file_system, path = open_storage(url, SourceError)
    part = copy.with_name(f"{copy.name}.part")
    try:
        with part.open("ab") as file:
            while (done := file.tell()) < size:
                on_fetch(done, size)
                for block in _read(url, file_system, path, done, size):
                    file.write(block)
        on_fetch(size, size)
        when = _same_version(url, file_system, path, copy.parent)
        os.utime(part, (when, when))  # segments of an earlier run go by it
        replace(part, copy)
    except OSError as error:
        raise _no_room(url, copy.parent, error) from None


def _read(url: StorageUrl, file_system: Any, path: str, done: int, size: int) -> list[bytes]:
    """The next blocks."""
    starts = list(range(done, min(size, done + _BLOCK * _TOGETHER), _BLOCK))
    ends = [min(size, start + _BLOCK) for start in starts]
    with _explain_reading(url):
        blocks: list[bytes] = file_system.cat_ranges([path] * len(starts), starts, ends, on_error="raise")
    if [len(block) for block in blocks] != [end - start for start, end in zip(starts, ends, strict=True)]:
        raise SourceError(f"{url}: the storage gave other bytes than were asked for")
    return blocks


def _same_version(url: StorageUrl, file_system: Any, path: str, folder: Path) -> float:
    """When the file was changed. Raises `SourceError` if that was while it was read."""
    file_system.invalidate_cache()
    with _explain_reading(url):
        info, when = file_system.info(path), seconds_of_change(file_system, path)
    if not folder.name.startswith(_key(url, info)):
        shutil.rmtree(folder, ignore_errors=True)
        raise SourceError(f"{url}: changed while it was read, run the command again")
    return when


@contextmanager
def _explain_reading(url: StorageUrl) -> Iterator[None]:
    with explain_storage_errors(url, SourceError):
        try:
            yield
        except FileNotFoundError:
            raise SourceError(f"{url}: was removed while it was read") from None


def _no_room(url: StorageUrl, folder: Path, error: OSError) -> SinkError:
    reason = error.strerror or error
    return SinkError(
        f"{folder}: cannot keep a copy of {url} here: {reason}; {option('work_folder')} names another folder"
    )
