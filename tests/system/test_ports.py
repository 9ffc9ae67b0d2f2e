"""Ports that nobody shares."""

from __future__ import annotations

import errno
import socket
from typing import Any

import pytest

from stylize_live.errors import SinkError
from stylize_live.media.sinks.stream_server import StreamServer
from stylize_live.studio.address import listen
from stylize_live.system import ports
from stylize_live.system.ports import advise, open_listener
from stylize_live.wording import options_as_flags

ONLY_OURS = -5  # SO_EXCLUSIVEADDRUSE, which other systems have not


class Listener:
    """In place of a socket: what was set, in order."""

    def __init__(self, *_: Any) -> None:
        self.calls: list[tuple[str, tuple[Any, ...]]] = []

    def __getattr__(self, name: str) -> Any:
        return lambda *arguments: self.calls.append((name, arguments))


@pytest.fixture
def windows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "SO_EXCLUSIVEADDRUSE", ONLY_OURS, raising=False)


def test_on_windows_no_other_program_can_take_the_port(
    monkeypatch: pytest.MonkeyPatch, windows: None
) -> None:
    monkeypatch.setattr(ports.socket, "socket", Listener)
    listener: Any = open_listener(socket.AF_INET, ("127.0.0.1", 9720), waiting=7)
    assert listener.calls == [
        ("setsockopt", (socket.SOL_SOCKET, ONLY_OURS, 1)),
        ("bind", (("127.0.0.1", 9720),)),
        ("listen", (7,)),
    ]


@pytest.mark.posix
def test_elsewhere_a_port_can_be_had_again_at_once() -> None:
    with open_listener(socket.AF_INET, ("127.0.0.1", 0)) as listener:
        assert listener.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR) != 0


def test_a_port_is_taken_once() -> None:
    with open_listener(socket.AF_INET, ("127.0.0.1", 0)) as first:
        port = first.getsockname()[1]
        with pytest.raises(SinkError, match=f"port {port}: .*; use another --port"):
            listen("127.0.0.1", port, 5)
        with pytest.raises(SinkError, match="try another port"):
            StreamServer(str(port), (64, 36))


def test_a_port_is_let_go_after_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[socket.socket] = []
    really = socket.socket

    def kept(*arguments: Any) -> socket.socket:
        made.append(really(*arguments))
        return made[-1]

    monkeypatch.setattr(ports.socket, "socket", kept)
    with pytest.raises(OSError):  # noqa: PT011 (each system has its own words)
        open_listener(socket.AF_INET, ("192.0.2.1", 0))
    assert made[0].fileno() == -1


@pytest.mark.parametrize(
    ("number", "port", "words"),
    [
        (errno.EADDRINUSE, 9730, "try another port, as in --osc 9731"),
        (errno.EADDRINUSE, 9731, "try another port, as in --osc 9732"),
        (errno.EADDRINUSE, 65535, "try another port, as in --osc 9730"),
        (errno.EACCES, 80, "try another port, as in --osc 9730"),
        (errno.EADDRNOTAVAIL, 9730, "name an address of this machine, as in --osc 127.0.0.1:9730"),
    ],
)
def test_what_to_try_is_not_what_was_tried(number: int, port: int, words: str) -> None:
    with options_as_flags():
        assert advise(OSError(number, "no"), port, "osc", 9730) == words


def test_the_address_of_another_machine_needs_another_address() -> None:
    """192.0.2.0/24 belongs to nobody."""
    with pytest.raises(SinkError, match=r"name an address of this machine, as in .*127\.0\.0\.1:9710"):
        StreamServer("192.0.2.1:9710", (64, 36))
