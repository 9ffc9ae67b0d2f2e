"""Nothing phones home, and nothing is written where nobody would look for it: every command, watched."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import random_pixels
from watched import Seen, run_watched

from stylize_live.bench.film import make_film
from stylize_live.cli.app import _COMMANDS
from stylize_live.media.still import Still, write_still

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
    "convert": ["a.mp4", "b.mp4", "-o", "films/", "--end", "0.2", *SMALL],
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
}


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory, features_file: Path) -> tuple[Path, dict[str, Seen]]:
    """The folder and what each command did, all run once."""
    from conftest import make_checkpoint

    from stylize_live.nets.checkpoint import save_checkpoint

    folder = tmp_path_factory.mktemp("watched")
    work = folder / "work"
    (work / "photos").mkdir(parents=True)
    for i in range(3):
        write_still(work / "photos" / f"{i}.png", Still(random_pixels(90 + 7 * i, 80, i)))
    write_still(work / "painting.png", Still(random_pixels(100, 80, 9)))
    make_film(work / "a.mp4", (64, 48), 5)
    make_film(work / "b.mp4", (64, 48), 5)
    save_checkpoint(work / "tiny.safetensors", make_checkpoint())
    (work / "features.safetensors").symlink_to(features_file)
    found, said = run_watched([[name, *words] for name, words in WORDS.items()], folder)
    assert found[""].code == 0, said
    print(said)
    return folder, found


def test_no_command_is_forgotten() -> None:
    assert WORDS.keys() == _COMMANDS.keys()


@pytest.mark.parametrize("command", WORDS)
def test_nobody_is_called(command: str, seen: tuple[Path, dict[str, Seen]]) -> None:
    done = seen[1][command]
    assert done.code == 0
    # The page's own server asks which address it is to listen on.
    assert [call for call in done.calls if call != "socket.getaddrinfo 127.0.0.1"] == []


@pytest.mark.parametrize("command", WORDS)
def test_only_targets_are_written(command: str, seen: tuple[Path, dict[str, Seen]]) -> None:
    folder, found = seen
    home = folder / "home"
    allowed = (
        folder / "work",
        folder / "scratch",
        home / ".cache",
        home / ".local" / "share" / "stylize-live",
        Path("/dev/null"),
        Path("/dev/shm"),
    )
    elsewhere = [path for path in found[command].writes if not any(path.is_relative_to(a) for a in allowed)]
    assert elsewhere == []


def test_what_is_left(seen: tuple[Path, dict[str, Seen]]) -> None:
    folder, _ = seen
    assert {path.name for path in (folder / "home").iterdir()} <= {".cache", ".local"}
    assert {path.name for path in (folder / "home").glob(".local/share/*")} <= {"stylize-live"}
    assert list((folder / "scratch").iterdir()) == []
    assert [path.name for path in (folder / "work").rglob(".*")] == []


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
        "import stylize_live.engine.openvino_library\n"
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
