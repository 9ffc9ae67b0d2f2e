"""How OBS is found and let into, and what is said where it is not."""

from __future__ import annotations

import http.server
import json
import logging
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fake_obs import FakeObs, running

from stylize_live.cli import obs_words
from stylize_live.cli.app import main
from stylize_live.errors import ObsError, UsageError
from stylize_live.install_hints import install_command
from stylize_live.obs import connection, own_settings
from stylize_live.obs.addresses import check_page, find_page, find_stream
from stylize_live.obs.connection import Obs
from stylize_live.obs.own_settings import read_own_settings
from stylize_live.system import folders

pytest.importorskip("obsws_python", reason="the extra 'obs'")
pytestmark = pytest.mark.usefixtures("nothing_known")

SWITCH_ON = "in OBS: Tools > WebSocket Server Settings > Enable WebSocket server"
WHERE = "OBS shows it under Tools > WebSocket Server Settings > Show Connect Info"
NEW = "plugin_config/obs-websocket/config.json"
DRY = ["obs", "--dry-run"]


@pytest.fixture
def obs() -> Iterator[FakeObs]:
    with running(FakeObs(password="secret")) as found:
        yield found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where OBS of this user keeps its settings, on this system."""
    found = next(own_settings._folders())
    assert found.is_relative_to(tmp_path)
    (found / NEW).parent.mkdir(parents=True)
    return found


def write_new(folder: Path, port: int, password: str, *, enabled: bool = True, auth: bool = True) -> None:
    """As OBS 30.2 and newer write it."""
    values = {"server_enabled": enabled, "server_port": port, "auth_required": auth}
    text = json.dumps(values | {"server_password": password, "alerts_enabled": False})
    (folder / NEW).write_text(text, encoding="utf-8")


def write_old(folder: Path, port: int, password: str) -> None:
    """As older ones do, in the way of Windows."""
    text = (
        "[General]\nPre31Migrated=50%\n\n[OBSWebSocket]\nFirstLoad=false\nServerEnabled=true\n"
        f"ServerPort={port}\nAuthRequired=true\nServerPassword={password}\n"
    )
    (folder / "global.ini").write_text(text, encoding="utf-8-sig")


def error_of(words: list[str], capsys: pytest.CaptureFixture[str], code: int = 5) -> str:
    """One line."""
    assert main(words) == code
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("error: ")
    assert printed.err.count("\n") == 1
    return printed.err.removeprefix("error: ").strip()


@pytest.mark.parametrize("write", [write_new, write_old])
def test_port_and_password_of_obs_itself(
    write: Any, obs: FakeObs, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(folder, obs.port, "secret")
    assert main(DRY) == 0
    said = capsys.readouterr().out
    assert said.startswith(f"OBS 29.0.2 at 127.0.0.1:{obs.port} (password from {folder}")
    assert "secret" not in said


def test_what_is_given_comes_before(
    obs: FakeObs, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_new(folder, obs.port, "outdated")
    file = folder / NEW
    said = error_of(DRY, capsys)
    assert said.startswith(f"OBS at 127.0.0.1:{obs.port} refuses this password (that of {file}): {WHERE}")
    monkeypatch.setenv("OBS_WEBSOCKET_PASSWORD", "secret")
    assert main(DRY) == 0
    assert "password from" not in capsys.readouterr().out
    assert "(that of" not in error_of([*DRY, "--password", "wrong"], capsys)
    monkeypatch.setenv("OBS_WEBSOCKET_PASSWORD", "wrong")
    assert main([*DRY, "--password", "secret"]) == 0


def test_settings_of_another_obs_count_for_nothing(
    obs: FakeObs, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_new(folder, obs.port + 1, "secret")
    assert "requires a password" in error_of([*DRY, "--port", str(obs.port)], capsys)


def test_no_password(obs: FakeObs, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = error_of([*DRY, "--port", str(obs.port)], capsys)
    assert said == (
        f"OBS at 127.0.0.1:{obs.port} requires a password: {WHERE}; "
        "set OBS_WEBSOCKET_PASSWORD to it, or give --password"
    )
    obs.password = ""
    write_new(folder, obs.port, "unused", auth=False)
    assert main(DRY) == 0
    assert "password" not in capsys.readouterr().out


@pytest.mark.parametrize("outdated", [False, True])
def test_a_person_is_asked(
    outdated: bool,
    obs: FakeObs,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    if outdated:
        write_new(folder, obs.port, "outdated")
    asked = []

    def answer(prompt: str) -> str:
        asked.append(prompt)
        return "secret"

    monkeypatch.setattr(obs_words.getpass, "getpass", answer)
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(isatty=lambda: True))
    assert main([*DRY, "--port", str(obs.port)]) == 0
    assert asked == ["Password of OBS: "]
    reason = "refuses this password" if outdated else "requires a password"
    assert f"OBS at 127.0.0.1:{obs.port} {reason}. {WHERE}.\n" in capsys.readouterr().err
    obs.password = "another"
    assert "refuses this password" in last_error(obs, capsys)
    assert len(asked) == 2  # once each time


def last_error(obs: FakeObs, capsys: pytest.CaptureFixture[str]) -> str:
    assert main([*DRY, "--port", str(obs.port)]) == 5
    return capsys.readouterr().err.splitlines()[-1]


def test_nobody_answers_the_question(
    obs: FakeObs, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def end(prompt: str) -> str:
        raise EOFError

    monkeypatch.setattr(obs_words.getpass, "getpass", end)
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(isatty=lambda: True))
    assert last_error(obs, capsys) == "error: no password was given"


def test_no_password_is_logged(
    obs: FakeObs, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    """The library would, at the level that --debug shows."""
    obs.password = "correct horse"
    with caplog.at_level(logging.DEBUG):
        assert main([*DRY, "--debug", "--port", str(obs.port), "--password", "correct horse"]) == 0
        main([*DRY, "--debug", "--port", str(obs.port), "--password", "hunter2"])
    printed = capsys.readouterr()
    everything = caplog.text + printed.out + printed.err
    assert "correct horse" not in everything
    assert "hunter2" not in everything


def test_no_obs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with running(FakeObs()) as obs:
        port = obs.port
    words = [*DRY, "--port", str(port)]
    said = f"no OBS answers at 127.0.0.1:{port}: start OBS, and switch on {SWITCH_ON}"
    assert error_of(words, capsys) == said
    write_new(folder, port, "x")
    assert error_of(words, capsys) == said
    write_new(folder, port, "x", enabled=False)
    assert error_of(DRY, capsys) == f"the WebSocket server of OBS is switched off; switch on {SWITCH_ON}"


@pytest.mark.parametrize(
    ("hello", "said"),
    [
        (None, "no answer from {place} in 0.2 seconds: OBS 28 or newer is needed"),
        ({"op": 0, "d": {"rpcVersion": 0}}, "OBS at {place} is too old: OBS 28 or newer is needed"),
        ({"op": 0, "d": {}}, "the server at {place} is not OBS, which usually listens on port 4455"),
        ("hello", "the server at {place} is not OBS, which usually listens on port 4455"),
        ("[]", "the server at {place} is not OBS, which usually listens on port 4455"),
        ("{}", "the server at {place} is not OBS, which usually listens on port 4455"),
    ],
)
def test_something_else(hello: Any, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if hello is None:
        monkeypatch.setattr(connection, "_SECONDS", 0.2)
    with running(FakeObs(hello=hello)) as obs, pytest.raises(ObsError) as raised:
        Obs("127.0.0.1", obs.port, "")
    assert str(raised.value) == said.format(place=f"127.0.0.1:{obs.port}")


def test_a_web_server(capsys: pytest.CaptureFixture[str]) -> None:
    class Silent(http.server.BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Silent) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        said = error_of([*DRY, "--port", str(server.server_port)], capsys)
        server.shutdown()
        thread.join()
    assert (
        said == f"the server at 127.0.0.1:{server.server_port} is not OBS, which usually listens on port 4455"
    )


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("silence", "OBS at {place} does not answer: it may be waiting for an open dialogue, or hang"),
        ("hang up", "the connection to OBS at {place} was lost"),
        ({"code": 207}, "OBS is still starting: run this again in a moment"),
        ({"code": 203, "comment": "later"}, "OBS refuses GetVideoSettings: later"),
        ({"code": 205}, "OBS refuses GetVideoSettings: 205"),
    ],
)
def test_in_the_middle(
    answer: Any, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if answer == "silence":
        monkeypatch.setattr(connection, "_SECONDS", 0.2)
    with running(FakeObs(answers={"GetVideoSettings": answer})) as obs:
        assert error_of([*DRY, "--port", str(obs.port)], capsys) == said.format(place=f"127.0.0.1:{obs.port}")


def test_no_such_machine(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    def fail(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    said = error_of([*DRY, "--host", "studio.example"], capsys)
    assert said == "cannot reach OBS at studio.example:4455: Name or service not known"


def test_the_library_is_missing(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(connection, "find_spec", lambda name: None)
    said = f"setting up OBS needs obsws-python: {install_command('obsws-python')}"
    assert error_of(DRY, capsys, 2) == said
    assert error_of(["live", "--source", "test", "--no-window", "--obs"], capsys, 2) == said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--undo", "--scene", "x"], "--undo takes away all that was added"),
        (["--undo", "--page"], "--undo takes away all that was added"),
        (["--stream", "x"], "'x' is not a valid address for --stream"),
        (["--page", "ftp://x"], "--page: expected a port or the link"),
        (["--page", "70000"], "--page: expected a port or the link"),
        (["--port", "0"], "--port: expected a number from 1 to 65535, got 0"),
        (["--port", "65536"], "--port: expected a number from 1 to 65535, got 65536"),
    ],
)
def test_what_makes_no_sense(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert said in error_of(["obs", *words], capsys, 2)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "{}",
        '{"server_port": "x", "server_enabled": true, "auth_required": true, "server_password": "p"}',
        '{"server_port": null, "server_enabled": true, "auth_required": false, "server_password": "p"}',
        "\udcff",
    ],
)
def test_settings_that_say_nothing(text: str, folder: Path) -> None:
    (folder / NEW).write_text(text, encoding="utf-8", errors="surrogateescape")
    (folder / "global.ini").write_text("[General]\n", encoding="utf-8")
    assert read_own_settings() is None


@pytest.mark.parametrize("system", ["linux", "darwin", "win32"])
def test_where_obs_keeps_its_settings(system: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folders.sys, "platform", system)
    for name in ("HOME", "USERPROFILE"):  # the latter is Windows'
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.setenv("APPDATA", str(tmp_path / "Roaming"))
    monkeypatch.delenv("XDG_CONFIG_HOME")
    usual = {"linux": ".config", "darwin": "Library/Application Support", "win32": "Roaming"}[system]
    sealed = [
        ".var/app/com.obsproject.Studio/config/obs-studio",
        "snap/obs-studio/current/.config/obs-studio",
    ]
    places = [f"{usual}/obs-studio", *sealed]
    assert list(own_settings._folders()) == [tmp_path / place for place in places]


def at(address: str) -> Any:
    """An OBS that reaches us at this address."""
    return SimpleNamespace(own_address=address)


@pytest.mark.parametrize(
    ("own", "address", "url", "words"),
    [
        ("127.0.0.1", "auto", "tcp://127.0.0.1:9710", "--obs"),
        ("127.0.0.1", "9000", "tcp://127.0.0.1:9000", "--obs --stream 9000"),
        ("127.0.0.1", "0.0.0.0:9000", "tcp://127.0.0.1:9000", "--obs --stream 0.0.0.0:9000"),
        ("127.0.0.1", "10.0.0.5:9000", "tcp://10.0.0.5:9000", "--obs --stream 10.0.0.5:9000"),
        ("127.0.0.1", "[::1]:9000", "tcp://[::1]:9000", "--obs --stream [::1]:9000"),
        ("::1", "auto", "tcp://127.0.0.1:9710", "--obs"),
        ("10.0.0.5", "auto", "tcp://10.0.0.5:9710", "--stream 0.0.0.0:9710"),
        ("10.0.0.5", "9000", "tcp://10.0.0.5:9000", "--stream 0.0.0.0:9000"),
        ("10.0.0.5", "0.0.0.0:9000", "tcp://10.0.0.5:9000", "--stream 0.0.0.0:9000"),
        ("10.0.0.5", "10.0.0.6:9000", "tcp://10.0.0.6:9000", "--stream 10.0.0.6:9000"),
    ],
)
def test_the_stream_as_obs_reaches_it(own: str, address: str, url: str, words: str) -> None:
    served = find_stream(at(own), address)
    assert served.url == url
    assert served.command == f"stylize-live live {words}"


def test_the_page_as_obs_reaches_it() -> None:
    assert find_page(at("127.0.0.1"), "9800").command == "stylize-live studio --port 9800"
    assert find_page(at("127.0.0.1"), "9800").url == "http://127.0.0.1:9800/bare"
    link = "http://10.0.0.5:9720/bare?token=abcdefgh"
    check_page(link)
    assert find_page(at("10.0.0.5"), link).url == link
    with pytest.raises(UsageError, match="needs the link with its token"):
        find_page(at("10.0.0.5"), "auto")
