"""Snapshots and recordings on the page: listed, sent whole and in parts, and nothing else is."""

from __future__ import annotations

import http.client
import json
import os
import sys
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

import pytest
from studio_show import Show, get, page, running
from waiting import eventually

from stylize_live.naming import is_snapshot_name, snapshot_name
from stylize_live.studio import connections
from stylize_live.studio.saved_files import SavedFiles

NAME = "first-20250131-201502-125.mp4"
BYTES = bytes(range(256)) * 8  # 2048


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shows") / "evening"
    folder.mkdir()
    (folder / NAME).write_bytes(BYTES)
    return folder


@pytest.fixture(scope="module")
def show(folder: Path) -> Iterator[Show]:
    before = Path.cwd()
    os.chdir(folder)
    with running() as found:
        with page(found.port) as open_page:
            open_page.until(lambda: open_page.images)  # all threads are there
        yield found
    os.chdir(before)


@pytest.mark.parametrize(
    ("style", "suffix"), [("starry-night", ".png"), ("a:0.6,b:0.4", ".mp4"), ("/x/ü y.safetensors", ".png")]
)
def test_names_that_are_given_are_known(style: str, suffix: str) -> None:
    assert is_snapshot_name(snapshot_name(style, datetime(2025, 1, 31, 20, 15, 2), suffix))


def test_what_is_made_is_listed_and_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with running() as show, page(show.port) as open_page:
        open_page.until(lambda: open_page.images)
        assert get(show.port, "/saved")[2] == b"[]"
        open_page.say(do="snapshot")
        open_page.until_state(saved=1)
        open_page.say(do="record")
        open_page.until_state(recorded=1)
        listed = [file["name"] for file in json.loads(get(show.port, "/saved")[2])]
        assert [name[-3:] for name in listed] == ["png"]  # the video is not ended yet
        open_page.say(do="record")
        open_page.until_state(saved=2)
        video, still = json.loads(get(show.port, "/saved")[2])
        status, headers, body = get(show.port, f"/saved/{still['name']}")
        assert (status, headers["content-type"], len(body)) == (200, "image/png", still["size"])
        assert body == (tmp_path / still["name"]).read_bytes()
        assert headers["content-security-policy"].startswith("default-src 'self'")
        assert get(show.port, f"/saved/{video['name']}")[1]["content-type"] == "video/mp4"


@pytest.mark.parametrize(
    ("asked", "status", "start", "end"),
    [
        (None, 200, 0, 2048),
        ("bytes=0-", 206, 0, 2048),
        ("bytes=100-199", 206, 100, 200),
        ("bytes=2000-9999", 206, 2000, 2048),
        ("bytes=-48", 206, 2000, 2048),
        ("bytes=-9999", 206, 0, 2048),
        ("bytes=0-0,5-6", 200, 0, 2048),  # several parts: the whole, as HTTP allows
        ("bytes=-", 200, 0, 2048),
        ("bytes=x-y", 200, 0, 2048),
        ("pages=1-2", 200, 0, 2048),
        ("bytes=2048-", 416, 0, 0),
        ("bytes=-0", 416, 0, 0),
        ("bytes=9-5", 416, 0, 0),
    ],
)
def test_parts(show: Show, asked: str | None, status: int, start: int, end: int) -> None:
    found, headers, body = get(show.port, f"/saved/{NAME}", **({} if asked is None else {"Range": asked}))
    assert found == status
    if status == 416:
        assert headers["content-range"] == "bytes */2048"
        return
    assert body == BYTES[start:end]
    assert headers["accept-ranges"] == "bytes"
    assert headers.get("content-range") == (f"bytes {start}-{end - 1}/2048" if status == 206 else None)


def test_a_part_of_a_file_that_has_changed_is_the_whole(show: Show) -> None:
    tag = get(show.port, f"/saved/{NAME}")[1]["etag"]
    same = {"Range": "bytes=0-9", "If-Range": tag}
    assert get(show.port, f"/saved/{NAME}", **same)[0] == 206
    assert get(show.port, f"/saved/{NAME}", **(same | {"If-Range": '"other"'}))[0] == 200


@pytest.mark.parametrize(
    "name",
    [
        f"../{NAME}",
        f"..%2F{NAME}",
        f"%2e%2e%2f{NAME}",
        f"sub%2F{NAME}",
        f"sub/{NAME}",
        f"%2Fetc%2F{NAME}",
        f"..%5C{NAME}",
        f"{NAME}%00",
        f"{NAME}%0A",
        f".{NAME}",
        "secret.png",
        "%2Fetc%2Fpasswd",
        "x" * 3000,
        f"link-{NAME}",
        f"pipe-{NAME}",
        f"folder-{NAME}",
        f"gone-{NAME}",
        "",
    ],
)
def test_nothing_else_is_opened(show: Show, folder: Path, name: str) -> None:
    outside = folder.parent / NAME
    outside.write_bytes(b"outside")
    (folder / "secret.png").write_bytes(b"secret")
    (folder / f".{NAME}").write_bytes(b"hidden")
    (folder / "sub").mkdir(exist_ok=True)
    (folder / "sub" / NAME).write_bytes(b"below")
    (folder / f"folder-{NAME}").mkdir(exist_ok=True)
    if sys.platform != "win32" and not (folder / f"pipe-{NAME}").exists():
        (folder / f"link-{NAME}").symlink_to(outside)
        os.mkfifo(folder / f"pipe-{NAME}")
    assert get(show.port, f"/saved/{name}")[0] == 404
    assert [file.name for file in SavedFiles(folder).list_files()] == [NAME]


def test_the_token_is_asked_for(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    with running(token="a-long-secret") as show:
        for path in ("/saved", f"/saved/{NAME}"):
            assert get(show.port, path)[0] == 401
            assert get(show.port, path, Origin="http://evil.example")[0] == 403
            cookie = get(show.port, "/?token=a-long-secret")[1]["set-cookie"].split(";")[0]
            assert get(show.port, path, Cookie=cookie)[0] == 200


def test_a_long_download_may_take_longer_than_any_other_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(connections, "_SECONDS_TO_TAKE", 0.25)
    (tmp_path / NAME).write_bytes(bytes(24 << 20))  # more than the system's buffers hold
    with running() as show:
        line = http.client.HTTPConnection("127.0.0.1", show.port, timeout=10)
        line.request("GET", f"/saved/{quote(NAME)}")
        answer, taken, began = line.getresponse(), 0, time.monotonic()
        while block := answer.read(2 << 20):
            taken += len(block)
            time.sleep(0.06)
        line.close()
        assert taken == 24 << 20
        assert time.monotonic() - began > 0.5
        line.request("GET", f"/saved/{quote(NAME)}")  # and one that takes nothing is ended
        eventually(lambda: not len(show.studio._connections), "it is ended")
        line.close()
