"""SIGTERM and SIGHUP end every command as Ctrl-C does: nothing half done stays, what is finished is kept."""

from __future__ import annotations

import importlib
import io
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from clips import Video, numbered
from small_features import SmallFeatures
from terminal import TAKE_TERMINAL
from tiny import random_pixels

from stylize_live.cli.app import main
from stylize_live.concurrency.signals import Ending, end_like_ctrl_c, stop_on_ctrl_c
from stylize_live.conversion import segments
from stylize_live.conversion.segment_store import count_kept_frames, folder_of
from stylize_live.media.image.io import Still, read_image, write_image

TICKS = tuple(1001 * i for i in range(70))
KINDS = [signal.SIGTERM, signal.SIGHUP]
SMALL = ["--device", "cpu", "--size", "48p"]


@pytest.fixture(autouse=True)
def temporary_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    place = tmp_path / "temporary"
    place.mkdir()
    monkeypatch.setenv("TMPDIR", str(place))
    monkeypatch.setattr(tempfile, "tempdir", None)
    yield place
    assert list(place.iterdir()) == []


@pytest.fixture(autouse=True)
def handlers_are_put_back() -> Iterator[None]:
    before = [signal.getsignal(number) for number in (signal.SIGINT, *KINDS)]
    yield
    assert [signal.getsignal(number) for number in (signal.SIGINT, *KINDS)] == before


@pytest.fixture
def at_moment(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[int]]:
    """Arrange that a signal comes when a function is called for the n-th time; gives the calls so far."""

    def arrange(where: str, number: int, call: int = 1) -> list[int]:
        place, _, name = where.rpartition(".")
        module, _, class_name = place.partition(":")
        owner: Any = importlib.import_module(f"stylize_live.{module}")
        owner = getattr(owner, class_name) if class_name else owner
        really, calls = getattr(owner, name), []

        def wrapped(*arguments: Any, **options: Any) -> Any:
            calls.append(1)
            if len(calls) == call:
                os.kill(os.getpid(), number)
                if threading.current_thread() is not threading.main_thread():
                    threading.Event().wait(0.3)  # the main thread has to take the processor
            return really(*arguments, **options)

        monkeypatch.setattr(owner, name, wrapped)
        return calls

    return arrange


def video(path: Path, ticks: tuple[int, ...] = TICKS) -> Path:
    return Video(ticks).write(path, (numbered(index) for index in range(len(ticks))))


def left_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} - {"temporary", "tiny.safetensors", "in.mp4"}


@pytest.mark.parametrize("number", KINDS)
def test_a_video_made_in_one_go_leaves_nothing(
    tmp_path: Path, tiny_style: Path, at_moment: Callable[..., list[int]], number: int
) -> None:
    source, target = video(tmp_path / "in.mp4"), tmp_path / "out.gif"
    calls = at_moment("media.encode.writer:VideoWriter.write", number, 3)
    assert main(["convert", str(source), str(target), "--style", str(tiny_style), *SMALL]) == 128 + number
    assert len(calls) >= 3
    assert left_in(tmp_path) == set()


@pytest.mark.parametrize("number", KINDS)
def test_a_video_made_in_segments_goes_on(
    tmp_path: Path,
    tiny_style: Path,
    at_moment: Callable[..., list[int]],
    monkeypatch: pytest.MonkeyPatch,
    number: int,
) -> None:
    monkeypatch.setattr(segments, "MOST_FRAMES", 20)
    source, target = video(tmp_path / "in.mp4"), tmp_path / "out.mp4"
    words = ["convert", str(source), str(target), "--style", str(tiny_style), *SMALL]
    at_moment("media.encode.encoder:VideoEncoder.encode", number, 50)
    assert main(words) == 128 + number
    assert left_in(tmp_path) == {folder_of(target).name}
    assert count_kept_frames(target) == 40
    assert main(words) == 0
    assert left_in(tmp_path) == {"out.mp4"}


def test_a_video_from_a_pipe_leaves_nothing(
    tmp_path: Path, tiny_style: Path, at_moment: Callable[..., list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    content, target = video(tmp_path / "in.mp4").read_bytes(), tmp_path / "out.mp4"
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
    calls = at_moment("media.decode.reader:VideoReader.__init__", signal.SIGTERM)
    assert main(["convert", "-", str(target), "--style", str(tiny_style), *SMALL]) == 143
    assert calls
    assert left_in(tmp_path) == set()


def test_several_videos_in_their_own_process(
    tmp_path: Path, tiny_style: Path, at_moment: Callable[..., list[int]]
) -> None:
    for name in ("a.mp4", "b.mp4"):
        video(tmp_path / name)
    target = tmp_path / "painted"
    calls = at_moment("cli.convert_display:ConvertDisplay.progress", signal.SIGTERM, 2)
    videos = [str(tmp_path / "a.mp4"), str(tmp_path / "b.mp4"), str(target)]
    assert main(["convert", *videos, "--style", str(tiny_style), *SMALL]) == 143
    assert calls
    assert {path.name for path in target.iterdir()} <= {"a.mp4", folder_of(target / "a.mp4").name}


def test_images_that_were_painted_are_whole(
    tmp_path: Path, photos: Path, tiny_style: Path, at_moment: Callable[..., list[int]]
) -> None:
    out = tmp_path / "painted"
    at_moment("media.image.io.encode_image", signal.SIGHUP, 2)
    assert main(["image", str(photos), "-o", str(out), "--style", str(tiny_style), "--device", "cpu"]) == 129
    for path in out.iterdir():
        read_image(path)
    assert len(list(out.iterdir())) < 3
    assert not list(out.glob(".*"))


def test_a_training_is_kept(
    tmp_path: Path,
    photos: Path,
    tiny_style: Path,
    features_file: Path,
    at_moment: Callable[..., list[int]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    painting = tmp_path / "painting.png"
    write_image(painting, Still(random_pixels(100, 80, 9)))
    words = ["train", painting, "--photos", photos, "--features", features_file, "--start", tiny_style]
    words += ["-o", tmp_path / "mine.safetensors", "--steps", "4", "--crop", "64", "--batch", "1"]
    words += ["--painting-size", "64", "--device", "cpu"]
    at_moment("training.callbacks:TrainingCallbacks.__call__", signal.SIGTERM)
    assert main([str(word) for word in words]) == 143
    assert "what was learnt is kept: the same command goes on from there" in capsys.readouterr().err
    assert (tmp_path / "mine.state.safetensors").exists()
    assert not list(tmp_path.glob(".*"))


def test_an_evaluation_is_kept(
    tmp_path: Path,
    photos: Path,
    tiny_style: Path,
    at_moment: Callable[..., list[int]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("stylize_live.evaluation.photos.load_features", lambda *_, **__: SmallFeatures())
    at_moment("cli.progress_bars:Bars.update", signal.SIGTERM, 2)
    words = ["evaluate", tiny_style, "--photos", photos, "-o", tmp_path / "report", "--size", 64]
    assert main([*map(str, words), "--device", "cpu"]) == 143
    assert "the same command goes on" in capsys.readouterr().err


@pytest.mark.parametrize("command", [["live", "--no-window"], ["studio", "--port", "0"]], ids=str)
@pytest.mark.parametrize("number", KINDS)
def test_a_show_ends_with_its_report(
    tmp_path: Path,
    tiny_style: Path,
    at_moment: Callable[..., list[int]],
    capsys: pytest.CaptureFixture[str],
    command: list[str],
    number: int,
) -> None:
    words = [*command, "--source", "test", "--style", str(tiny_style), "--width", "64", "--height", "48"]
    record = tmp_path / "show.mp4"
    at_moment("live.pipeline:_LivePipeline._count", number, 3)
    assert main([*words, "--device", "cpu", "--record", str(record), "--json"]) == 128 + number
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["captured"] > 0


HALF_DONE = """
import sys, threading
from pathlib import Path
from stylize_live.cli import app
from stylize_live.files import replacing

def work(*_, **__):
    with replacing(Path(sys.argv[1])) as temporary:
        temporary.write_bytes(b"half")
        print("ready", flush=True)
        threading.Event().wait(60)

app.app = work
sys.exit(app.main([]))
"""


def test_a_terminal_that_closes(tmp_path: Path) -> None:
    """What is said then has nowhere to go."""
    ours, theirs = os.openpty()
    program = [sys.executable, "-c", HALF_DONE, str(tmp_path / "out.gif")]
    process = subprocess.Popen(
        [sys.executable, "-c", TAKE_TERMINAL, *program],
        start_new_session=True,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    assert os.read(ours, 100).startswith(b"ready")
    assert left_in(tmp_path) == {".out.gif.part"}
    os.close(ours)
    assert process.wait(20) == 129
    assert left_in(tmp_path) == set()


# ------------------------------------------------------------------ the parts


def test_what_is_ignored_stays_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    """As with nohup."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with end_like_ctrl_c() as ending:
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
            os.kill(os.getpid(), signal.SIGHUP)
            assert ending.number is None
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_second_one_does_not_disturb_cleaning_up() -> None:
    """A shell passes on the SIGHUP that its terminal has sent already."""
    with end_like_ctrl_c() as ending:
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGHUP)
        os.kill(os.getpid(), signal.SIGHUP)
        os.kill(os.getpid(), signal.SIGTERM)
    assert ending.number == signal.SIGHUP


def test_where_ctrl_c_is_ignored_the_others_are_not() -> None:
    """As in the background of a shell script."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with end_like_ctrl_c(), pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGTERM)
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_show_hears_it_politely() -> None:
    stop = threading.Event()
    with end_like_ctrl_c() as ending, stop_on_ctrl_c(stop):
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop.wait(5)
    assert ending.code(0) == 143


@pytest.mark.parametrize(("code", "told"), [(0, 143), (130, 143), (1, 143), (5, 5), (10, 10)])
def test_errors_keep_their_exit_code(code: int, told: int) -> None:
    ending = Ending()
    assert ending.code(code) == code
    ending.number = signal.SIGTERM
    assert ending.code(code) == told
