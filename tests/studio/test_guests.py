"""The studio and the stream with guests that want nothing good, and without a file handle left."""

from __future__ import annotations

import asyncio
import logging
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from studio_show import Show, get, page, running
from waiting import eventually

from stylize_live.errors import describe_error
from stylize_live.frame import Frame
from stylize_live.media.sinks import stream_server
from stylize_live.media.sinks.stream_server import StreamServer
from stylize_live.rate_limited_log import RateLimitedFilter, RateLimitedLog
from stylize_live.studio import connections, protocols
from stylize_live.studio import thumbnails as thumbnails_module
from stylize_live.studio.connections import Connections, most_connections
from stylize_live.studio.guard import HEADERS
from stylize_live.studio.thumbnails import Thumbnails
from stylize_live.system.clock import monotonic


@pytest.fixture
def show(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Show]:
    monkeypatch.chdir(tmp_path)  # snapshots, recordings and presets go there
    with running() as found:
        yield found


def connected(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), 10)


def answer(port: int, request: bytes) -> bytes:
    """All that comes back until the studio hangs up, or the head of an answer that leaves the line open."""
    with connected(port) as line:
        line.sendall(request)
        found = b""
        while b"\r\n\r\n" not in found:
            block = line.recv(1 << 16)
            if not block:
                break
            found += block
        return found


@contextmanager
def no_handles() -> Iterator[None]:
    """No file can be opened, no connection taken; those that are open stay."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (1, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


# ------------------------------------------------------------------ idle and slow ones


def test_idle_connections_lock_nobody_out(show: Show, caplog: pytest.LogCaptureFixture) -> None:
    with ExitStack() as opened:
        idle = [opened.enter_context(connected(show.port)) for _ in range(200)]
        for _ in range(3):
            assert get(show.port, "/")[0] == 200
        with page(show.port) as open_page:
            open_page.until(lambda: len(open_page.images) > 3)
        assert len(show.studio._connections) <= 64
        assert idle[0].recv(1) == b""  # the oldest made room
    assert len(caplog.records) <= 2


def test_a_request_that_never_ends_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "_SECONDS_TO_ASK", 0.2)
    begun = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    body = b"Content-Length: 100000\r\n\r\n"
    with running() as show, ExitStack() as opened:
        lines = [opened.enter_context(connected(show.port)) for _ in range(4)]
        lines[1].sendall(begun)
        lines[2].sendall(begun + body)  # is answered, and never goes on
        lines[3].sendall(b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\n" + body + b"x")
        for line in lines:
            line.settimeout(3)
            try:
                while line.recv(1 << 16):
                    pass
            except ConnectionResetError:
                pass
        assert get(show.port, "/")[0] == 200


def test_trickling_bytes_buy_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "_SECONDS_TO_ASK", 0.3)
    with running() as show, connected(show.port) as line:
        line.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ")

        def is_cut() -> bool:
            try:
                line.sendall(b"y")
            except OSError:  # reset or broken pipe
                return True
            return False

        eventually(is_cut, "the line is cut", within=4, every=0.02)


class Line:
    """A transport that remembers whether it was cut."""

    def __init__(self, address: str) -> None:
        self.address, self.cut = address, False

    def get_extra_info(self, name: str) -> tuple[str, int]:
        return self.address, 1

    def abort(self) -> None:
        self.cut = True


def test_who_makes_room_for_whom() -> None:
    async def visit() -> None:
        crowd = Connections(8)  # six of one address
        greedy: list[Any] = [Line("10.0.0.1") for _ in range(6)]
        assert all(crowd.admit(line) for line in greedy)
        crowd.asks(greedy[0])
        seventh: Any = Line("10.0.0.1")
        assert crowd.admit(seventh)
        assert [line.cut for line in greedy] == [False, True, False, False, False, False]
        others: list[Any] = [Line(f"10.0.1.{number}") for number in range(7)]
        for other in others:
            assert crowd.admit(other)
            crowd.stays(other)
        assert len(crowd) == 8
        assert not greedy[0].cut  # it is being answered: then the last one in has to go
        assert seventh.cut
        late: Any = Line("10.0.2.1")
        crowd.stays(greedy[0])
        assert not crowd.admit(late)
        assert late.cut
        for line in others:
            crowd.leaves(line)
        crowd.leaves(greedy[0])
        assert len(crowd) == 0

    asyncio.run(visit())


@pytest.mark.parametrize(("handles", "most"), [(40, 10), (8, 4), (4096, 64), (None, 64)])
def test_connections_leave_handles_to_the_show(
    monkeypatch: pytest.MonkeyPatch, handles: int | None, most: int
) -> None:
    monkeypatch.setattr(connections, "max_open_files", lambda: handles)
    assert most_connections() == most


# ------------------------------------------------------------------ nonsense

OWN = b"Host: 127.0.0.1\r\n"
KEY = b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n"
UPGRADE = b"Connection: Upgrade\r\nUpgrade: websocket\r\n"


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"GET / HTTP/1.1\r\nHost: [\r\n\r\n", 403),
        (b"GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", 403),
        (b"GET / HTTP/1.1\r\nHost: ::1]:80\r\n\r\n", 403),
        (b"GET / HTTP/1.1\r\nHost: a@[:b\r\n\r\n", 403),
        (b"GET / HTTP/1.1\r\nHost: \xff\xfe\r\n\r\n", 403),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET /thumbnails/" + b"1" * 4400 + b".jpg HTTP/1.1\r\n" + OWN + b"\r\n", 404),
        (b"GET /thumbnails/%D9%A3.jpg HTTP/1.1\r\n" + OWN + b"\r\n", 404),  # an Arabic digit
        (b"GET /%00 HTTP/1.1\r\n" + OWN + b"\r\n", 404),
        (b"GET /%zz%ff%fe HTTP/1.1\r\n" + OWN + b"\r\n", 404),
        (b"GET /static/%00 HTTP/1.1\r\n" + OWN + b"\r\n", 404),
        (b"GET /static/../guard.py HTTP/1.1\r\n" + OWN + b"\r\n", 404),
        (b"GET /bare/ HTTP/1.1\r\n" + OWN + b"\r\n", 404),
        (b"GET //[ HTTP/1.1\r\n" + OWN + b"\r\n", 404),
        (b"GET http://[/ HTTP/1.1\r\n" + OWN + b"\r\n", 404),
        (b"GET / HTTP/1.1\r\n" + OWN + b"Origin: http://[\r\n\r\n", 403),
        (b"GET / HTTP/1.1\r\n" + OWN + b'Cookie: =;\x01["\r\n\r\n', 200),
        (b"GET / HTTP/1.1\r\n" + OWN + b"Range: bytes=-99999999999999999999,x-\r\n\r\n", 200),
        (b"BREW / HTTP/1.1\r\n" + OWN + b"\r\n", 405),
        (b"TRACE / HTTP/1.1\r\n" + OWN + b"\r\n", 405),
        (b"POST / HTTP/1.1\r\n" + OWN + b"Content-Length: 5\r\n\r\nhello", 405),
        (b"POST / HTTP/1.1\r\n" + OWN + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\n" + OWN + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
        (b"GET / HTTP/1.1\r\n" + OWN + b"X: " + b"y" * 17_000, 400),
        (b"GET /\x00 HTTP/1.1\r\n" + OWN + b"\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),  # https
        (b"GET /live HTTP/1.1\r\n" + OWN + b"\r\n", 404),
        (b"GET /live HTTP/1.1\r\n" + OWN + UPGRADE + KEY + b"\r\n", 403),  # no Origin
        (b"GET /live HTTP/1.1\r\n" + OWN + UPGRADE + b"Origin: http://127.0.0.1\r\n\r\n", 400),
        (b"GET /other HTTP/1.1\r\n" + OWN + UPGRADE + KEY + b"Origin: http://127.0.0.1\r\n\r\n", 403),
        (b"GET /live HTTP/1.1\r\nHost: [\r\n" + UPGRADE + KEY + b"Origin: http://[\r\n\r\n", 403),
        (b"POST /live HTTP/1.1\r\n" + OWN + UPGRADE + KEY + b"Origin: http://127.0.0.1\r\n\r\n", 405),
        (b"GET /live HTTP/1.1\r\n" + OWN + UPGRADE + b"Sec-WebSocket-Key: \xff\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n" + OWN + b"Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n", 200),
    ],
    ids=lambda value: repr(value[:50]) if isinstance(value, bytes) else str(value),
)
def test_nonsense_is_answered_like_all_else(
    nonsense_show: Show, caplog: pytest.LogCaptureFixture, request_bytes: bytes, status: int
) -> None:
    head = answer(nonsense_show.port, request_bytes).split(b"\r\n\r\n")[0].decode("latin-1")
    first, *lines = head.split("\r\n")
    assert first.split()[1] == str(status)
    found = {name.lower(): value.strip() for name, value in (line.split(":", 1) for line in lines)}
    assert {name: found.get(name.lower()) for name in HEADERS} == HEADERS
    assert caplog.records == []


@pytest.fixture(scope="module")
def nonsense_show() -> Iterator[Show]:
    with running() as found:
        with page(found.port) as open_page:
            open_page.until(lambda: open_page.images)  # all threads are there
        yield found


def test_a_mistake_of_ours_is_one_line(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running() as show:
        monkeypatch.setattr(show.studio._thumbnails, "image", lambda style: 1 / 0)
        for _ in range(20):
            status, headers, _ = get(show.port, "/thumbnails/1.jpg")
            assert status == 500
            assert headers["content-security-policy"] == HEADERS["Content-Security-Policy"]
    (line,) = caplog.records
    assert "ZeroDivisionError" in line.getMessage()
    assert line.exc_info is None


# ------------------------------------------------------------------ pages that say too much


def frame_of(opcode: int, data: bytes = b"", *, last: bool = True) -> bytes:
    """A frame of a browser, masked with zeros."""
    return bytes([opcode | (0x80 if last else 0), 0x80 | len(data), 0, 0, 0, 0]) + data


def test_a_message_of_countless_parts_ends_the_line(show: Show) -> None:
    with page(show.port) as nasty, page(show.port) as well:
        raw = nasty._line.socket
        raw.sendall(frame_of(1, b"{", last=False) + frame_of(0, last=False) * 100)
        # 1002 is said where the page's own next message, amid the parts, is read together with them.
        assert nasty.end() in (1009, 1002)
        well.until(lambda: len(well.images) > 3)


def test_a_flood_from_one_page_starves_nobody(show: Show, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocols, "_MOST_FRAGMENTS", 10**9)  # so that the line stays open
    ending = threading.Event()
    with page(show.port) as nasty, page(show.port) as well:
        raw = nasty._line.socket
        raw.sendall(frame_of(1, b"{", last=False))
        raw.settimeout(0.2)

        def flood() -> None:
            block = frame_of(0, last=False) * 50_000
            while not ending.is_set():
                try:
                    raw.sendall(block)
                except TimeoutError:  # it is read slowly: so it should be
                    continue
                except OSError:
                    return

        thread = threading.Thread(target=flood)
        thread.start()
        try:
            seen = len(well.images)
            well.until(lambda: len(well.images) > seen + 20)
            assert get(show.port, "/")[0] == 200
        finally:
            ending.set()
            raw.shutdown(socket.SHUT_RDWR)
            thread.join()


# ------------------------------------------------------------------ no file handles left


def test_without_handles_the_show_goes_on_and_says_why(
    show: Show, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with page(show.port) as open_page:
        open_page.until(lambda: open_page.images)
        with no_handles():
            for message, note in (
                ({"do": "snapshot"}, "Too many open files"),
                ({"do": "record"}, "Too many open files"),
                ({"save": "evening"}, "evening.toml: cannot write: Too many open files"),
            ):
                open_page.say(**message)
                open_page.until(lambda note=note: note in open_page.words["state"]["note"])
                open_page.words["state"]["note"] = ""
            seen = len(open_page.images)
            open_page.until(lambda: len(open_page.images) > seen + 5)
        open_page.say(do="snapshot")
        open_page.until(lambda: "saved" in open_page.words["state"]["note"])
    assert not [record for record in caplog.records if record.exc_info]


def test_connections_without_handles_are_one_line(show: Show, caplog: pytest.LogCaptureFixture) -> None:
    assert get(show.port, "/")[0] == 200
    with ExitStack() as opened:
        lines = [opened.enter_context(socket.socket()) for _ in range(10)]
        with no_handles():
            for line in lines:
                line.connect(("127.0.0.1", show.port))
            eventually(lambda: [r for r in caplog.records if r.name.endswith("studio.server")])
        lines[0].settimeout(10)
        lines[0].sendall(b"GET / HTTP/1.1\r\n" + OWN + b"\r\n")
        assert lines[0].recv(100).startswith(b"HTTP/1.1 200")  # a second later it is looked after
    # A slow machine may count the ten as too many, too.
    (line,) = [record for record in caplog.records if record.name.endswith("studio.server")]
    assert "Too many open files" in line.getMessage()
    assert not [record for record in caplog.records if record.exc_info]


def test_a_thumbnail_that_fails_has_another_turn(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(thumbnails_module, "_PAUSE", 0.001)
    failures = 5
    told = threading.Event()

    def paint(style: str, pixels: Any) -> Any:
        nonlocal failures
        if failures:
            failures -= 1
            raise OSError(24, "Too many open files")
        return pixels

    with Thumbnails(["one", "two"], paint, lambda: True, lambda versions: told.set()) as thumbnails:
        frame = Frame(np.full((48, 64, 3), 90, np.uint8), Fraction(0), 0.0, 0)
        thumbnails.offer(frame)
        assert told.wait(8)
        assert thumbnails.image("one") or thumbnails.image("two")
    assert [record.getMessage() for record in caplog.records] == ["no thumbnail: Too many open files"]


def test_a_new_style_has_the_next_turn_and_one_that_is_gone_is_forgotten() -> None:
    styles = ["one", "two"]
    painted: list[str] = []
    told: list[dict[str, int]] = []

    def paint(style: str, pixels: Any) -> Any:
        painted.append(style)
        return pixels

    with Thumbnails(styles, paint, lambda: True, lambda versions: told.append(versions)) as thumbnails:
        thumbnails.offer(Frame(np.full((48, 64, 3), 90, np.uint8), Fraction(0), 0.0, 0))
        eventually(lambda: len(painted) >= 2)
        styles.append("three")
        thumbnails.hurry()
        eventually(lambda: thumbnails.image("three"))
        assert painted == ["one", "two", "three"]
        styles.remove("two")
        thumbnails.hurry()
        eventually(lambda: not thumbnails.image("two"))
        eventually(lambda: "two" not in told[-1])


# ------------------------------------------------------------------ the stream


def test_readers_that_are_turned_away_are_one_line(caplog: pytest.LogCaptureFixture) -> None:
    with StreamServer("0", (64, 48)) as server, ExitStack() as opened:
        port = int(server.url.rpartition(":")[2])
        for _ in range(8):
            opened.enter_context(connected(port))
        eventually(lambda: len(server._readers) == 8)
        for _ in range(60):
            with connected(port) as late:
                assert late.recv(1) == b""
    assert [record.getMessage() for record in caplog.records] == [
        "a reader of the stream was turned away: 8 are there"
    ]


def test_one_address_elsewhere_cannot_take_all_places(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_server, "is_loopback", lambda host: False)
    with StreamServer("0", (64, 48)) as server, ExitStack() as opened:
        port = int(server.url.rpartition(":")[2])
        for _ in range(4):
            opened.enter_context(connected(port))
        eventually(lambda: len(server._readers) == 4)
        with connected(port) as fifth:
            assert fifth.recv(1) == b""


def test_the_stream_outlives_a_lack_of_handles(caplog: pytest.LogCaptureFixture) -> None:
    with StreamServer("0", (64, 48)) as server, socket.socket() as late:
        port = int(server.url.rpartition(":")[2])
        with no_handles():
            late.connect(("127.0.0.1", port))
            eventually(lambda: caplog.records)
        server.write(Frame(np.zeros((48, 64, 3), np.uint8), Fraction(0), monotonic(), 0))
        late.settimeout(8)
        assert late.recv(4) == b"nut/"
    assert "Too many open files" in caplog.text


def test_a_muxer_that_fails_is_one_line(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise MemoryError("no more")

    monkeypatch.setattr(stream_server, "NutMuxer", broken)
    with StreamServer("0", (64, 48)) as server:
        port = int(server.url.rpartition(":")[2])
        for _ in range(5):
            with connected(port) as line:
                assert line.recv(1) == b""
    assert [record.getMessage() for record in caplog.records] == [
        "a reader of the stream was sent away: MemoryError: no more"
    ]


# ------------------------------------------------------------------ the log


def test_seldom_tells_how_many_it_left_out(caplog: pytest.LogCaptureFixture) -> None:
    now = 0.0
    log = RateLimitedLog(logging.getLogger("test"), lambda: now)
    for moment in (0, 1, 2, 59, 60, 61, 121):
        now = float(moment)
        log.warning("full: %d", moment)
        if moment == 1:
            log.warning("other")
    assert [record.getMessage() for record in caplog.records] == [
        "full: 0",
        "other",
        "full: 60 (and 3 more since the last of these lines)",
        "full: 121 (and 1 more since the last of these lines)",
    ]


def test_a_library_s_traceback_becomes_a_line() -> None:
    lines = RateLimitedFilter()

    def record() -> logging.LogRecord:
        try:
            raise ValueError("on purpose")
        except ValueError:
            return logging.LogRecord("x", logging.ERROR, "x", 1, "broke\n", (), sys.exc_info())

    first = record()
    assert lines.filter(first)
    assert (first.getMessage(), first.exc_info) == ("broke: ValueError('on purpose')", None)
    assert not lines.filter(record())


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(24, "Too many open files"), "Too many open files"),
        (OSError(24, "Too many open files", "a.png"), "a.png: Too many open files"),
        (ValueError("one\ntwo"), "ValueError: one"),
    ],
)
def test_errors_in_words(error: Exception, words: str) -> None:
    assert describe_error(error) == words
