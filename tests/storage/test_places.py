"""What is taken for a URL, what is shown of one, and what becomes of storage that is not there."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO

import fsspec
import pytest
from fsspec.registry import _registry

from stylize_live import file_locks
from stylize_live.concurrency.channel import Closed
from stylize_live.errors import SinkError, SourceError
from stylize_live.storage import fetching, remote
from stylize_live.storage.fetching import fetched, remove_copies
from stylize_live.storage.places import StorageUrl, local_path, mask_secrets, place_of
from stylize_live.storage.remote import exists, is_folder, list_files, match_files, version_of
from stylize_live.storage.uploading import upload


@pytest.fixture
def memory() -> Iterator[fsspec.AbstractFileSystem]:
    """Storage in this process, which has no requests that put a whole file."""
    storage = fsspec.filesystem("memory")
    yield storage
    storage.store.clear()
    storage.pseudo_dirs[:] = [""]


@pytest.mark.parametrize("text", ["a.mp4", "dir/a:b.mp4", "C://videos/a.mp4", "-", "s3:/bucket/a.mp4", "~/a"])
def test_paths_stay_paths(text: str) -> None:
    assert place_of(text) == Path(text)


@pytest.mark.posix
def test_urls_of_files_are_paths() -> None:
    assert place_of("file:///tmp/a%20b.mp4") == Path("/tmp/a b.mp4")


def test_parts_of_a_url() -> None:
    url = place_of("s3://bucket/films/holiday.in.mp4/")
    assert isinstance(url, StorageUrl)
    assert (url.protocol, url.name, url.stem, url.suffix) == ("s3", "holiday.in.mp4", "holiday.in", ".mp4")
    assert url.parent == StorageUrl("s3://bucket/films")
    assert url.relative_to(StorageUrl("s3://bucket")) == PurePosixPath("films/holiday.in.mp4")
    assert url.parent.joined(PurePosixPath("x/y.mp4")).text == "s3://bucket/films/x/y.mp4"
    assert StorageUrl("https://host/a.mp4?X-Signature=b/c.d").name == "a.mp4"


def test_other_ways_to_write_a_url() -> None:
    assert place_of("S3://Bucket/a.mp4//") == StorageUrl("s3://Bucket/a.mp4")
    signed = place_of("https://host/a.mp4?X-Signature=bc/")
    assert signed == StorageUrl("https://host/a.mp4?X-Signature=bc/")


def test_secrets_are_not_shown(tmp_path: Path) -> None:
    url = StorageUrl("sftp://me:secret@host/a.mp4")
    signed = StorageUrl("https://host/a.mp4?X-Signature=secret")
    assert str(url) == "sftp://***@host/a.mp4"
    assert str(signed) == "https://host/a.mp4?***"
    for shown in (url, signed):
        assert "secret" not in f"{shown!r} {shown.joined(PurePosixPath('b'))} {local_path(shown)}"
    assert mask_secrets("is it s3://a:b@c/d?") == "is it s3://***@c/d?"
    assert mask_secrets("what? a.mp4?") == "what? a.mp4?"


@pytest.mark.parametrize("name", ["a" * 300 + ".mp4", "über?.mp4", "con.mp4", "..mp4"])
def test_every_disk_takes_the_local_name(name: str, tmp_path: Path) -> None:
    path = local_path(StorageUrl(f"s3://bucket/{name}", tmp_path))
    path.parent.mkdir(parents=True)
    path.write_bytes(b"")
    assert tmp_path in path.parents


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("tape://bucket/a.mp4", "tape:// is no storage that is known here"),
        ("s3://bucket/a.mp4", "s3:// needs s3fs: .*s3fs"),
    ],
)
def test_storage_that_is_not_known(text: str, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(_registry, "s3", raising=False)
    monkeypatch.setitem(sys.modules, "s3fs", None)
    with pytest.raises(SinkError, match=message):
        exists(StorageUrl(text))


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fsspec", None)
    with pytest.raises(SinkError, match=r"s3:// needs fsspec and s3fs: .*fsspec s3fs"):
        exists(StorageUrl("s3://bucket/a.mp4"))


def test_what_is_there(memory: fsspec.AbstractFileSystem) -> None:
    for name in ("/films/b.mp4", "/films/a.mp4", "/films/deep/c.mov"):
        memory.pipe_file(name, b"video")
    films = StorageUrl("memory://films")
    assert list_files(films) == [
        films.joined(PurePosixPath(name)) for name in ("a.mp4", "b.mp4", "deep/c.mov")
    ]
    assert match_files(StorageUrl("memory://films/?.mp4")) == list_files(films)[:2]
    with pytest.raises(SourceError, match="no such files"):
        match_files(StorageUrl("memory://films/*.avi"))
    assert is_folder(films)
    assert not exists(films)
    assert exists(StorageUrl("memory://films/a.mp4"))


def test_a_file_is_moved_into_its_place(memory: fsspec.AbstractFileSystem, tmp_path: Path) -> None:
    (tmp_path / "new").write_bytes(b"new")
    target = StorageUrl("memory://films/a.mp4")
    memory.pipe_file("/films/a.mp4", b"old")
    with pytest.raises(Closed):
        upload(tmp_path / "new", target, lambda: True)
    assert memory.find("/") == ["/films/a.mp4"]
    assert memory.cat_file("/films/a.mp4") == b"old"
    upload(tmp_path / "new", target)
    assert memory.find("/") == ["/films/a.mp4"]
    assert memory.cat_file("/films/a.mp4") == b"new"


def test_each_reader_has_its_own_copy(memory: fsspec.AbstractFileSystem, tmp_path: Path) -> None:
    memory.pipe_file("/a.mp4", b"video")
    url = StorageUrl("memory://a.mp4", tmp_path)
    with fetched(url) as first, fetched(url) as second:
        assert first.parent != second.parent
        assert first.read_bytes() == second.read_bytes() == b"video"
        assert first.stat().st_mtime == pytest.approx(memory.modified("/a.mp4").timestamp())
    assert not list((tmp_path / "sources").iterdir())


@contextmanager
def slow_copy(url: StorageUrl) -> Iterator[threading.Event]:
    """Somebody who makes a copy, and cannot finish it before the event, or the end."""
    asked, go_on, done = threading.Event(), threading.Event(), threading.Event()

    def wait(there: int, size: int) -> None:
        asked.set()
        assert go_on.wait(8)

    def read() -> None:
        with fetched(url, wait):
            assert done.wait(8)

    thread = threading.Thread(target=read)
    thread.start()
    try:
        assert asked.wait(8)
        yield go_on
    finally:
        go_on.set()
        done.set()
        thread.join()


def test_readers_share_what_one_of_them_copies(
    memory: fsspec.AbstractFileSystem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "_BETWEEN_LOOKS", 0.001)
    memory.pipe_file("/a.mp4", b"video")
    url = StorageUrl("memory://a.mp4", tmp_path)
    told: list[tuple[int, int]] = []
    with slow_copy(url) as go_on:

        def see(done: int, size: int) -> None:
            told.append((done, size))
            if len(told) == 3:
                go_on.set()

        with fetched(url, see) as copy:
            assert copy.stat().st_nlink == 2
            assert copy.read_bytes() == b"video"
    assert told[:3] == [(0, 5)] * 3  # it waited
    assert not list((tmp_path / "sources").iterdir())


def test_who_waits_may_be_stopped(
    memory: fsspec.AbstractFileSystem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory.pipe_file("/a.mp4", b"video")
    url = StorageUrl("memory://a.mp4", tmp_path)

    def stop(done: int, size: int) -> None:
        raise Closed

    with slow_copy(url), pytest.raises(Closed), fetched(url, stop):
        pass


def test_nobody_waits_for_ever(
    memory: fsspec.AbstractFileSystem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "_PATIENCE", -1.0)
    memory.pipe_file("/a.mp4", b"video")
    url = StorageUrl("memory://a.mp4", tmp_path)
    with slow_copy(url), fetched(url) as copy:
        assert copy.stat().st_nlink == 1
        assert copy.read_bytes() == b"video"


def test_disks_without_links(
    memory: fsspec.AbstractFileSystem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(fetching.os, "link", refuse)
    memory.pipe_file("/a.mp4", b"video")
    url = StorageUrl("memory://a.mp4", tmp_path)
    with fetched(url) as first, fetched(url) as second:
        assert not first.samefile(second)
        assert second.read_bytes() == b"video"


def test_a_copy_that_is_kept(memory: fsspec.AbstractFileSystem, tmp_path: Path) -> None:
    memory.pipe({"/a.mp4": b"video", "/b.mp4": b"other"})
    url = StorageUrl("memory://a.mp4", tmp_path)
    with fetched(url, keep=True), fetched(url, keep=True):
        pass
    with fetched(StorageUrl("memory://b.mp4", tmp_path), keep=True):
        pass

    def fail(done: int, size: int) -> None:
        raise AssertionError("it is there already")

    with fetched(url, fail, keep=True) as copy:
        remove_copies(url)
        assert copy.read_bytes() == b"video"
    remove_copies(url)
    assert {path.name for path in (tmp_path / "sources").rglob("*.mp4")} == {"b.mp4"}


def test_what_runs_left_makes_room(
    memory: fsspec.AbstractFileSystem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "_MOST_LEFT", 12)
    for name in "abc":
        memory.pipe_file(f"/{name}.mp4", b"video")
        with pytest.raises(KeyboardInterrupt), fetched(StorageUrl(f"memory://{name}.mp4", tmp_path)):
            raise KeyboardInterrupt
    assert {path.name for path in (tmp_path / "sources").rglob("*.mp4")} == {"b.mp4", "c.mp4"}
    told: list[tuple[int, int]] = []
    with fetched(StorageUrl("memory://c.mp4", tmp_path), lambda *seen: told.append(seen)):
        assert not told  # it is there already


def test_a_disk_without_room(
    memory: fsspec.AbstractFileSystem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory.pipe_file("/a.mp4", b"video")
    usage = fetching.shutil.disk_usage(tmp_path)
    monkeypatch.setattr(fetching.shutil, "disk_usage", lambda _: usage._replace(free=4))
    with (
        pytest.raises(SinkError, match=r"no room for a copy of memory://a\.mp4"),
        fetched(StorageUrl("memory://a.mp4", tmp_path)),
    ):
        pass


def test_bytes_that_were_not_asked_for(
    memory: fsspec.AbstractFileSystem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory.pipe_file("/a.mp4", b"video")
    monkeypatch.setattr(type(memory), "cat_ranges", lambda *_, **__: [b"vid"])
    with (
        pytest.raises(SourceError, match="gave other bytes than were asked for"),
        fetched(StorageUrl("memory://a.mp4", tmp_path)),
    ):
        pass


def test_what_a_library_says_has_no_secrets() -> None:
    url = StorageUrl("sftp://me:secret@host/a.mp4")
    with (
        pytest.raises(
            SourceError, match=r"sftp://\*\*\*@host/a\.mp4: ValueError: no sftp://\*\*\*@host/a\.mp4$"
        ),
        remote.explain_storage_errors(url, SourceError),
    ):
        raise ValueError(f"no {url.text}\nmore")


def test_secrets_of_other_shapes_are_not_shown_either() -> None:
    assert mask_secrets("sftp://me:p@ss@host/a.mp4") == "sftp://***@host/a.mp4"
    assert mask_secrets("no HTTPS://host/a.mp4?X-Signature=b/c d") == "no HTTPS://host/a.mp4?*** d"


def test_elsewhere_a_question_mark_is_part_of_a_name() -> None:
    assert str(StorageUrl("s3://bucket/what?.mp4")) == "s3://bucket/what?.mp4"


def test_names_with_empty_parts(memory: fsspec.AbstractFileSystem) -> None:
    memory.pipe({"/films//a.mp4": b"video", "/films/b//c.mp4": b"video"})
    found = list_files(StorageUrl("memory://films"))
    assert found == [StorageUrl("memory://films//a.mp4"), StorageUrl("memory://films/b//c.mp4")]
    assert all(map(exists, found))


@pytest.mark.parametrize("name", ["lock", "a." + "x" * 300, "a#1 ü.mp4"])
def test_sources_of_any_name_are_copied(memory: fsspec.AbstractFileSystem, tmp_path: Path, name: str) -> None:
    memory.pipe_file(f"/films/{name}", b"video")
    with fetched(StorageUrl(f"memory://films/{name}", tmp_path)) as copy:
        assert copy.read_bytes() == b"video"


def test_what_is_shared_needs_no_room(
    memory: fsspec.AbstractFileSystem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory.pipe_file("/a.mp4", b"video")
    usage = fetching.shutil.disk_usage(tmp_path)
    with fetched(StorageUrl("memory://a.mp4", tmp_path)) as first:
        monkeypatch.setattr(fetching.shutil, "disk_usage", lambda _: usage._replace(free=0))
        with fetched(StorageUrl("memory://a.mp4", tmp_path)) as second:
            assert first.samefile(second)


def test_disks_without_locks(
    memory: fsspec.AbstractFileSystem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two processes must not write one copy, and nobody could tell later that it is no longer used."""
    for module in (fetching, file_locks):
        monkeypatch.setattr(module, "hold_lock", lambda file: None)
    memory.pipe_file("/a.mp4", b"video")
    url = StorageUrl("memory://a.mp4", tmp_path)
    with fetched(url) as first, fetched(url) as second:
        remove_copies(url)
        assert first.parent != second.parent
        assert first.read_bytes() == second.read_bytes() == b"video"
    assert not list((tmp_path / "sources").iterdir())


def test_a_folder_that_another_process_replaced_is_not_claimed(
    memory: fsspec.AbstractFileSystem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between opening its lock and holding it, its owner may remove it and a third one make it anew."""
    monkeypatch.setattr(fetching, "_BETWEEN_LOOKS", 0.001)
    tried: list[Path] = []

    def hold(file: IO[bytes]) -> bool | None:
        lock = Path(file.name)
        tried.append(lock)
        if len(tried) == 1:
            lock.unlink()
            lock.touch()
        return file_locks.hold_lock(file)

    monkeypatch.setattr(fetching, "hold_lock", hold)
    memory.pipe_file("/a.mp4", b"video")
    with fetched(StorageUrl("memory://a.mp4", tmp_path)):
        assert len(tried) == 2


@pytest.mark.parametrize("error", [TimeoutError("slow"), type("EndpointConnectionError", (Exception,), {})])
def test_storage_that_falls_silent_behind_the_last_block(
    memory: fsspec.AbstractFileSystem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """Without the right time of change, the segments of an earlier run would be of no use."""

    def refuse(*_: object) -> None:
        raise error

    memory.pipe_file("/a.mp4", b"video")
    with monkeypatch.context() as patched:
        patched.setattr(type(memory), "modified", refuse)
        with (
            pytest.raises(SourceError, match=r"memory://a\.mp4: the storage does not answer"),
            fetched(StorageUrl("memory://a.mp4", tmp_path)),
        ):
            pass
    told: list[int] = []
    with fetched(StorageUrl("memory://a.mp4", tmp_path), lambda done, _: told.append(done)) as copy:
        assert copy.stat().st_mtime == pytest.approx(memory.modified("/a.mp4").timestamp())
    assert told == [5]  # what was read stayed


def test_a_source_that_is_removed_while_it_is_read(memory: fsspec.AbstractFileSystem, tmp_path: Path) -> None:
    memory.pipe_file("/a.mp4", b"video")
    with (
        pytest.raises(SourceError, match=r"memory://a\.mp4: was removed while it was read"),
        fetched(StorageUrl("memory://a.mp4", tmp_path), lambda *_: memory.rm_file("/a.mp4")),
    ):
        pass


@pytest.mark.parametrize("name", ["ETag", "LastModified", "Last-Modified", "updated", "mtime", "modify"])
def test_versions_differ_by_what_libraries_tell(name: str) -> None:
    versions = {version_of({"size": 5, "type": "file", name: told}) for told in ("one", "two")}
    assert len(versions) == 2
