"""`live --loop`: a file that begins again when it ends."""

from __future__ import annotations

import itertools
import os
from fractions import Fraction
from pathlib import Path

import pytest
from clips import Video, numbered

from stylize_live.cli.app import main
from stylize_live.config import LiveSettings
from stylize_live.errors import SourceError, UsageError
from stylize_live.media.decode.reader import VideoReader
from stylize_live.media.sources.looped_file import LoopedFile
from stylize_live.media.sources.opening import check_loop, open_live_source
from stylize_live.media.sources.realtime_file import open_file

SIZE = (64, 48)
TICKS = (0, 1001, 2002, 5005)  # the last frame but one stays longer
STEP = Fraction(1001, 30_000)


@pytest.fixture
def video(tmp_path: Path) -> Path:
    return Video(TICKS, SIZE).write(tmp_path / "in.mp4")


def test_times_and_numbers_go_on(video: Path) -> None:
    with LoopedFile(video) as source:
        frames = list(itertools.islice(source, 9))
    assert [frame.index for frame in frames] == list(range(9))
    steps = [after.pts - before.pts for before, after in itertools.pairwise(frames)]
    assert steps[:3] == [STEP, STEP, 3 * STEP]
    assert steps[4:7] == steps[:3]
    assert steps[3] == steps[7] > 0
    assert (frames[0].pixels == frames[4].pixels).all()
    assert (frames[0].pixels == frames[8].pixels).all()


def test_it_is_paced_and_can_be_ended(video: Path) -> None:
    with open_file(video, loop=True) as source:
        frames = list(itertools.islice(source, 5))
        assert frames[4].captured_at - frames[0].captured_at >= float(frames[4].pts)
        source.interrupt()
        assert list(source) == []


@pytest.mark.posix
def test_another_video_of_that_name_is_told(video: Path) -> None:
    with LoopedFile(video) as source:
        frames = iter(source)
        next(frames)
        other = (32, 32)
        Video(TICKS, other).write(video.with_name("other.mp4"), (numbered(i, other) for i in range(4)))
        os.replace(video.with_name("other.mp4"), video)
        with pytest.raises(SourceError, match="has changed its size"):
            list(itertools.islice(frames, 9))


def test_a_video_that_gives_nothing_any_more_is_told(video: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with LoopedFile(video) as source:
        frames = iter(source)
        assert len([next(frames) for _ in TICKS]) == len(TICKS)
        monkeypatch.setattr(VideoReader, "__iter__", lambda reader: iter(()))
        with pytest.raises(SourceError, match="gave no frame this time"):
            next(frames)


def test_a_video_that_is_gone_is_told(video: Path) -> None:
    with LoopedFile(video) as source:
        frames = iter(source)
        next(frames)
        video.unlink()
        with pytest.raises(SourceError, match="no such file"):
            list(itertools.islice(frames, 9))


@pytest.mark.parametrize("source", ["0", "screen", "test", "rtsp://camera/video.mp4"])
def test_only_files_are_played_again(source: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["live", "--source", source, "--loop", "--no-window"]) == UsageError.exit_code
    assert f"--loop is for video files, and --source {source} is not one" in capsys.readouterr().err


@pytest.mark.posix
def test_what_can_be_read_once_is_not_played_again(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.mkv")
    with pytest.raises(UsageError, match="can be read only once"):
        open_file(tmp_path / "pipe.mkv", loop=True)


def test_the_setting_reaches_the_file(video: Path) -> None:
    settings = LiveSettings(source=str(video), loop=True)
    check_loop(settings)
    with open_live_source(settings) as source:
        assert len(list(itertools.islice(source, 6))) == 6
