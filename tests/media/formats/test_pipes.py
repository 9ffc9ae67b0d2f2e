"""Videos through pipes: what comes out is a video, what is said goes elsewhere."""

from __future__ import annotations

import errno
import io
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from clips import CFR, Video, content, patches
from inverters import Inverter
from places import ROOT

from stylize_live.cli.app import main
from stylize_live.conversion.convert import convert
from stylize_live.errors import SinkError, SourceError, UsageError
from stylize_live.media.decode.reader import VideoReader
from stylize_live.media.formats.containers import check_target
from stylize_live.media.formats.pipes import PIPE, spool
from stylize_live.media.image.io import Still, read_image, write_image
from stylize_live.media.sources.realtime_file import open_file


@pytest.fixture
def fed(monkeypatch: pytest.MonkeyPatch) -> object:
    """Lets a test say what standard input holds."""

    def feed(data: bytes) -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))

    return feed


def test_standard_input_becomes_a_file_for_a_while(tmp_path: Path, fed: object) -> None:
    source = Video(CFR).write(tmp_path / "in.mp4")  # its index stands at the end
    assert callable(fed)
    fed(source.read_bytes())
    with spool(PIPE) as path, VideoReader(path) as reader:
        assert len(list(reader)) == len(CFR)
    assert not path.exists()
    with spool(source) as same:
        assert same == source


def test_nonsense_is_called_by_a_known_name(fed: object) -> None:
    assert callable(fed)
    fed(b"this is no video" * 100)
    with pytest.raises(SourceError, match=r"^standard input: not a video"), spool(PIPE) as path:
        VideoReader(path)


@pytest.mark.linux
def test_a_full_folder_for_temporary_files(fed: object, monkeypatch: pytest.MonkeyPatch) -> None:
    assert callable(fed)
    fed(b"a video")
    really_open = Path.open
    with monkeypatch.context() as patch:
        full = Path("/dev/full")
        patch.setattr(
            Path, "open", lambda path, mode: really_open(full if path.name == "video" else path, mode)
        )
        with pytest.raises(SinkError, match=r"No space left on device; TMPDIR"), spool(PIPE):
            pass


def test_a_pipe_that_breaks(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken(io.RawIOBase):
        def readable(self) -> bool:
            return True

        def readinto(self, buffer: object) -> int:
            raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(Broken())))
    with pytest.raises(SourceError, match=r"^standard input: cannot be read: Input"), spool(PIPE):
        pass


@pytest.mark.posix
def test_terminals_are_no_pipes(monkeypatch: pytest.MonkeyPatch) -> None:
    master, slave = os.openpty()
    with os.fdopen(slave, "r") as terminal:
        monkeypatch.setattr(sys, "stdin", terminal)
        with pytest.raises(UsageError, match="from a pipe"), spool(PIPE):
            pass
    os.close(master)

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stdout", Terminal())
    with pytest.raises(UsageError, match="into a pipe"):
        check_target(PIPE)


def test_through_the_command(tmp_path: Path, tiny_style: Path) -> None:
    source = Video(CFR, sound="aac").write(tmp_path / "in.mp4")
    words = ["convert", "-", "-", "--style", str(tiny_style), "--device", "cpu", "--preset", "ultrafast"]
    words.append("--json")
    with source.open("rb") as video, (tmp_path / "out.mkv").open("wb") as out:
        command = [sys.executable, "-m", "stylize_live.cli.app", *words]
        # Through a second process, so that standard output really cannot seek.
        done = subprocess.Popen(
            command, stdin=video, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT
        )
        data, said = done.communicate()
        out.write(data)
    assert done.returncode == 0, said
    assert b"\n12 frames in" in said
    assert json.loads(said.splitlines()[-1])["files"][0]["frames"] == 12
    after = content(tmp_path / "out.mkv")
    assert len(after.times) == len(CFR)
    assert after.sounds == content(source).sounds


@contextmanager
def named_pipe(path: Path, data: bytes) -> Iterator[Path]:
    """One that gives these bytes, once, as a shell's <(...) does."""
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_bytes, args=(data,), name="stylize-test-pipe")
    writer.start()
    yield path
    writer.join(5)


@pytest.mark.posix
def test_named_pipes_are_videos(tmp_path: Path) -> None:
    data = Video(CFR).write(tmp_path / "in.mp4").read_bytes()
    with named_pipe(tmp_path / "pipe", data) as pipe:
        assert convert(pipe, tmp_path / "out.mp4", Inverter()).frames == len(CFR)
    for name, data, words in (("a", b"no video" * 100, "not a video"), ("b", b"", "the file is empty")):
        refused = pytest.raises(SourceError, match=f"/{name}: {words}")
        with named_pipe(tmp_path / name, data) as pipe, refused:
            convert(pipe, tmp_path / "out2.mp4", Inverter())
    assert not (tmp_path / "out2.mp4").exists()


def test_a_named_pipe_is_read_once_by_the_command(
    tmp_path: Path, tiny_style: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = Video(CFR).write(tmp_path / "in.mp4")
    with named_pipe(tmp_path / "pipe", source.read_bytes()) as pipe:
        words = ["convert", str(pipe), str(source), str(tmp_path / "out"), "--style", str(tiny_style)]
        assert main(words) == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["in.mp4", "pipe.mp4"]


def test_named_pipes_can_be_shown_and_hold_images(tmp_path: Path) -> None:
    data = Video(CFR).write(tmp_path / "in.mkv").read_bytes()
    with named_pipe(tmp_path / "pipe", data) as pipe, open_file(pipe) as source:
        assert len(list(source)) == len(CFR)
    write_image(tmp_path / "in.png", Still(patches()))
    with named_pipe(tmp_path / "picture", (tmp_path / "in.png").read_bytes()) as pipe:
        assert (read_image(pipe).pixels == patches()).all()
