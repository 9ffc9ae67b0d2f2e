"""Films through pipes: what comes out is a film, what is said goes elsewhere."""

from __future__ import annotations

import errno
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from clips import CFR, Film, content

from stylize_live.errors import SinkError, SourceError, UsageError
from stylize_live.media.pipes import PIPE, spooled
from stylize_live.media.reader import VideoReader
from stylize_live.media.target import check_target

ROOT = Path(__file__).parent.parent


@pytest.fixture
def fed(monkeypatch: pytest.MonkeyPatch) -> object:
    """Lets a test say what standard input holds."""

    def feed(data: bytes) -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))

    return feed


def test_standard_input_becomes_a_file_for_a_while(tmp_path: Path, fed: object) -> None:
    source = Film(CFR).write(tmp_path / "in.mp4")  # its index stands at the end
    assert callable(fed)
    fed(source.read_bytes())
    with spooled(PIPE) as path, VideoReader(path) as reader:
        assert len(list(reader)) == len(CFR)
    assert not path.exists()
    with spooled(source) as same:
        assert same == source


def test_nonsense_is_called_by_a_known_name(fed: object) -> None:
    assert callable(fed)
    fed(b"this is no video" * 100)
    with pytest.raises(SourceError, match=r"^standard input: not a video"), spooled(PIPE) as path:
        VideoReader(path)


def test_a_full_folder_for_temporary_files(fed: object, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    assert callable(fed)
    fed(b"a film")
    monkeypatch.setattr("stylize_live.media.pipes.shutil.copyfileobj", full)
    with pytest.raises(SinkError, match=r"No space left on device; TMPDIR"), spooled(PIPE):
        pass


def test_terminals_are_no_pipes(monkeypatch: pytest.MonkeyPatch) -> None:
    master, slave = os.openpty()
    with os.fdopen(slave, "r") as terminal:
        monkeypatch.setattr(sys, "stdin", terminal)
        with pytest.raises(UsageError, match="from a pipe"), spooled(PIPE):
            pass
    os.close(master)

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stdout", Terminal())
    with pytest.raises(UsageError, match="into a pipe"):
        check_target(PIPE)


def test_through_the_command(tmp_path: Path, tiny_style: Path) -> None:
    source = Film(CFR, sound="aac").write(tmp_path / "in.mp4")
    words = ["convert", "-", "-", "--style", str(tiny_style), "--device", "cpu", "--preset", "ultrafast"]
    words.append("--json")
    with source.open("rb") as film, (tmp_path / "out.mkv").open("wb") as out:
        command = [sys.executable, "-m", "stylize_live.cli.app", *words]
        # Through a second process, so that standard output really cannot seek.
        done = subprocess.Popen(command, stdin=film, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT)
        data, said = done.communicate()
        out.write(data)
    assert done.returncode == 0, said
    assert b"\n12 frames in" in said
    assert json.loads(said.splitlines()[-1])["files"][0]["frames"] == 12
    after = content(tmp_path / "out.mkv")
    assert len(after.times) == len(CFR)
    assert after.sounds == content(source).sounds
