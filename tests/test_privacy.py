"""Nothing phones home, and nothing is written where nobody would look for it: every command, watched."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import pytest
from fake_obs import FakeObs, running
from tiny import make_checkpoint, random_pixels
from watched import Seen, run_watched

from stylize_live.bench.video import make_video
from stylize_live.cli.app import _COMMANDS
from stylize_live.media.image.io import Still, write_image
from stylize_live.nets.checkpoint import save_checkpoint
from stylize_live.privacy import disable_telemetry

pytestmark = pytest.mark.linux

SMALL = ["--style", "tiny.safetensors", "--device", "cpu"]
# `train` without --features downloads them, once, as its help says.
WORDS: dict[str, list[str]] = {
    "live": [
        "--source",
        "test",
        "--no-window",
        "--width",
        "64",
        "--height",
        "48",
        "--duration",
        "0.5",
        *SMALL,
    ],
    "studio": [
        "--source",
        "test",
        "--port",
        "0",
        "--width",
        "64",
        "--height",
        "48",
        "--duration",
        "1",
        *SMALL,
    ],
    "convert": ["a.mp4", "b.mp4", "-o", "videos/", "--end", "0.2", *SMALL],
    "image": ["photos/0.png", "-o", "out/painted.png", *SMALL],
    "train": [
        *(
            "painting.png",
            "-o",
            "mine.safetensors",
            "--photos",
            "photos",
            "--features",
            "features.safetensors",
        ),
        *(
            "--start",
            "tiny.safetensors",
            "--steps",
            "1",
            "--crop",
            "64",
            "--batch",
            "1",
            "--painting-size",
            "64",
        ),
        *("--device", "cpu"),
    ],
    "evaluate": ["tiny.safetensors", "--photos", "photos", "-o", "report", "--size", "64", "--device", "cpu"],
    "styles": ["tiny.safetensors", "--sheet", "sheet.png", "--photos", "photos/0.png"],
    "export": ["tiny.safetensors", "-o", "tiny.onnx"],
    "bench": ["--seconds", "1", "--size", "64x48", "--json", "bench.json", *SMALL],
    "devices": [],
    "obs": [],  # told the port of one on this machine
}


SLOW = {"bench", "export"}  # half a minute: programs are started, a network is traced
Watched = tuple[Path, dict[str, Seen]]


def watch(folder: Path, features: Path, commands: Iterable[str]) -> Watched:
    """The folder and what each command did, in one process."""
    work = folder / "work"
    (work / "photos").mkdir(parents=True)
    for i in range(3):
        write_image(work / "photos" / f"{i}.png", Still(random_pixels(90 + 7 * i, 80, i)))
    write_image(work / "painting.png", Still(random_pixels(100, 80, 9)))
    make_video(work / "a.mp4", (64, 48), 5)
    make_video(work / "b.mp4", (64, 48), 5)
    save_checkpoint(work / "tiny.safetensors", make_checkpoint())
    (work / "features.safetensors").symlink_to(features)
    with running(FakeObs()) as obs:
        words = WORDS | {"obs": ["--port", str(obs.port)]}
        found, said = run_watched([[name, *words[name]] for name in commands], folder)
    assert found[""].code == 0, said
    return folder, found


def check(seen: Watched, command: str) -> None:
    """Nobody was called, and what was written lies where it belongs."""
    folder, done = seen[0], seen[1][command]
    assert done.code == 0
    # The page's own server asks which address it is to listen on; OBS is called on this machine.
    calls = [call for call in done.calls if call != "socket.getaddrinfo 127.0.0.1"]
    if command == "obs":
        calls = [call for call in calls if not call.startswith("socket.connect ('127.0.0.1', ")]
    assert calls == []
    home = folder / "home"
    allowed = (
        folder / "work",
        folder / "scratch",
        home / ".cache",
        home / ".local" / "share" / "stylize-live",
        Path("/dev/null"),
        Path("/dev/shm"),
    )
    assert [path for path in done.writes if not any(path.is_relative_to(a) for a in allowed)] == []


def check_what_is_left(folder: Path) -> None:
    """Also by libraries in C."""
    assert {path.name for path in (folder / "home").iterdir()} <= {".cache", ".local"}
    assert {path.name for path in (folder / "home").glob(".local/share/*")} <= {"stylize-live"}
    assert not list((folder / "home").glob(".cache/Microsoft"))
    assert list((folder / "scratch").iterdir()) == []
    assert [path.name for path in (folder / "work").rglob(".*")] == []


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory, features_file: Path) -> Watched:
    """The quick ones, all run once."""
    return watch(tmp_path_factory.mktemp("watched"), features_file, WORDS.keys() - SLOW)


def test_no_command_is_forgotten() -> None:
    assert WORDS.keys() == _COMMANDS.keys()


@pytest.mark.parametrize("command", sorted(WORDS.keys() - SLOW))
def test_commands_call_nobody_and_write_what_was_asked_for(command: str, seen: Watched) -> None:
    if command == "obs":
        pytest.importorskip("obsws_python", reason="the extra 'obs'")
    check(seen, command)


def test_nothing_else_is_left(seen: Watched) -> None:
    check_what_is_left(seen[0])


@pytest.mark.slow
@pytest.mark.parametrize("command", sorted(SLOW))
def test_slow_commands(command: str, tmp_path: Path, features_file: Path) -> None:
    pytest.importorskip("onnxruntime")
    check(watch(tmp_path, features_file, [command]), command)
    check_what_is_left(tmp_path)


def test_children_find_it_shut_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ORT_DISABLE_TELEMETRY", raising=False)
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "1")
    disable_telemetry()
    assert os.environ["ORT_DISABLE_TELEMETRY"] == "1"
    assert os.environ["RAY_USAGE_STATS_ENABLED"] == "0"


def test_the_watch_sees(tmp_path: Path) -> None:
    code = (
        "import os, subprocess, sys\n"
        "subprocess.run([sys.executable, '-c', 'import socket; socket.getaddrinfo(\"localhost\", 9)'])\n"
        "open(os.path.expanduser('~/left'), 'w')\n"
        "import openvino_telemetry\n"
    )
    found, said = run_watched([], tmp_path, code)
    assert said == ""
    assert len(found[""].calls) == 2
    assert found[""].writes == [tmp_path / "home" / "left"]


def test_telemetry_is_shut_out_for_good(tmp_path: Path) -> None:
    """Also where it was imported before, and from parts of OpenVINO that come later."""
    pytest.importorskip("openvino")
    code = (
        "import openvino_telemetry\n"
        "import stylize_live.engine.cpu.openvino_library\n"
        "import openvino.tools.ovc\n"
        "import openvino.tools.ovc.telemetry_utils as utils\n"
        "assert utils.tm.__name__ == 'openvino.tools.ovc.telemetry_stub', utils.tm\n"
        "try:\n    import openvino_telemetry\n"
        "except ImportError: print(end='shut')\n"
    )
    found, said = run_watched([], tmp_path, code)
    assert (said, found[""].code) == ("", 0)
    assert len(found[""].calls) == 1  # of the first line
    assert list((tmp_path / "home").iterdir()) == []
    assert list((tmp_path / "work").iterdir()) == []
