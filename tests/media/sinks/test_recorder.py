"""Recording while live: times, colours, and what is left when the program is killed."""

from __future__ import annotations

import errno
import signal
import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from places import TESTS

from stylize_live.errors import SinkError, UsageError
from stylize_live.frame import Frame
from stylize_live.media.decode.reader import VideoReader
from stylize_live.media.encode import muxer
from stylize_live.media.encode.growing_file import GrowingFile
from stylize_live.media.libraries import av
from stylize_live.media.sinks.recorder import Recorder, check_recording
from stylize_live.system.clock import monotonic

SIZE = (64, 48)
# Frames of a camera that stutters: moments in seconds.
MOMENTS = [100 + gap for gap in (0.0, 0.033, 0.066, 0.5, 0.52, 0.541, 1.7, 1.733)]


def make(index: int, moment: float, size: tuple[int, int] = SIZE) -> Frame:
    pixels = np.full((size[1], size[0], 3), (200, 30, 20 * (index % 10)), np.uint8)
    return Frame(pixels, Fraction(0), moment, index)


def record(path: Path, moments: list[float]) -> None:
    with Recorder(path, SIZE) as recorder:
        for index, moment in enumerate(moments):
            recorder.write(make(index, moment))


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
def test_times_and_colors_are_kept(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"show{suffix}"
    record(path, MOMENTS)
    with VideoReader(path) as reader:
        frames = list(reader)
    expected = [moment - MOMENTS[0] for moment in MOMENTS]
    assert [float(frame.pts) for frame in frames] == pytest.approx(expected, abs=6e-4)
    for index, frame in enumerate(frames):
        assert np.abs(frame.pixels.astype(int) - (200, 30, 20 * index)).max() <= 6


def test_a_finished_mp4_is_an_ordinary_one(tmp_path: Path) -> None:
    path = tmp_path / "show.mp4"
    record(path, [index / 30 for index in range(90)])
    with av.open(str(path)) as container:
        assert container.streams.video[0].frames == 90  # stands in the index
        assert container.duration == pytest.approx(3_000_000, abs=2000)
    assert list(tmp_path.iterdir()) == [path]


KILLED = """
import os, signal, sys
from pathlib import Path
import numpy as np
from stylize_live.frame import Frame
from stylize_live.media.sinks.recorder import Recorder, check_recording, open_recorder
recorders = [Recorder(Path(name), (64, 48)) for name in sys.argv[1:]]
for index in range(150):
    pixels = np.full((48, 64, 3), (200, 30, 20 * (index % 10)), np.uint8)
    for recorder in recorders:
        recorder.write(Frame(pixels, 0, index / 30, index))
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.posix
def test_what_was_recorded_survives_kill_9(tmp_path: Path) -> None:
    paths = [tmp_path / "show.mp4", tmp_path / "show.mkv"]
    words = [sys.executable, "-c", KILLED, *map(str, paths)]
    assert subprocess.run(words, cwd=TESTS, timeout=60).returncode == -signal.SIGKILL
    for path in paths:
        with VideoReader(path) as reader:
            frames = list(reader)
        assert 60 <= len(frames) < 150
        expected = [index / 30 for index in range(len(frames))]
        assert [float(frame.pts) for frame in frames] == pytest.approx(expected, abs=6e-4)
        assert np.abs(frames[-1].pixels.astype(int)[..., 0] - 200).max() <= 6


def test_an_existing_file_is_never_touched(tmp_path: Path) -> None:
    path = tmp_path / "show.mp4"
    path.write_bytes(b"the last show")
    with pytest.raises(UsageError, match="already exists"):
        Recorder(path, SIZE)
    assert path.read_bytes() == b"the last show"


@pytest.mark.parametrize("name", ["show.webm", "show.gif", "show", "-"])
def test_other_kinds_of_files_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match=r"\.mp4"):
        Recorder(tmp_path / name, SIZE)


def test_a_missing_folder_is_said(tmp_path: Path) -> None:
    with pytest.raises(SinkError, match="does not exist"):
        Recorder(tmp_path / "gone" / "show.mp4", SIZE)


def test_without_a_frame_no_file_stays(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "show.mp4", SIZE)
    recorder.close()
    recorder.close()
    assert list(tmp_path.iterdir()) == []


def test_a_frozen_frame_that_comes_again_has_its_own_time(tmp_path: Path) -> None:
    path, now = tmp_path / "show.mkv", monotonic()
    record(path, [now - 2, now - 1, now - 1])
    with VideoReader(path) as reader:
        times = [float(frame.pts) for frame in reader]
    assert times[:2] == pytest.approx([0, 1], abs=6e-4)
    assert times[2] >= 1.999


def test_other_sizes_are_scaled_into_the_video(tmp_path: Path) -> None:
    path = tmp_path / "show.mp4"
    with Recorder(path, SIZE) as recorder:
        recorder.write(make(0, 0.0, (128, 96)))
        recorder.write(make(1, 0.1, (30, 40)))
    with VideoReader(path) as reader:
        assert [frame.size for frame in reader] == [SIZE, SIZE]


def test_a_full_disk_is_said_and_what_was_written_can_be_played(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full(GrowingFile):
        def write(self, data: bytes) -> int:
            if self.tell() > 250_000:
                self.error = OSError(errno.ENOSPC, "No space left on device")
            return super().write(data)

    monkeypatch.setattr(muxer, "GrowingFile", Full)
    path, rng = tmp_path / "show.mp4", np.random.default_rng(0)
    recorder = Recorder(path, SIZE)

    def write_much() -> None:
        for index in range(1000):
            noise = rng.integers(0, 256, (*SIZE[::-1], 3), np.uint8)
            recorder.write(Frame(noise, Fraction(0), index / 30, index))

    with pytest.raises(SinkError, match=r"show\.mp4: cannot write: No space left on device, free some"):
        write_much()
    recorder.close()
    with VideoReader(path) as reader:
        assert len(list(reader)) >= 30


def make_transparent(index: int, moment: float) -> Frame:
    alpha = np.zeros(SIZE[::-1], np.uint8)
    alpha[:, 16:] = 255
    return replace(make(index, moment), alpha=alpha)


@pytest.mark.parametrize("suffix", [".mov", ".webm"])
def test_transparency_is_kept_where_it_can_be(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"show{suffix}"
    with Recorder(path, SIZE, alpha=True) as recorder:
        for index, moment in enumerate(MOMENTS):
            recorder.write(make_transparent(index, moment))
        recorder.write(make(9, MOMENTS[-1] + 1))  # nothing behind people any more
    with VideoReader(path) as reader:
        frames = list(reader)
    assert len(frames) == len(MOMENTS) + 1
    for frame in frames[:-1]:
        assert frame.alpha is not None
        assert frame.alpha[:, :12].max() <= 4
        assert frame.alpha[:, 20:].min() >= 250
    assert frames[-1].alpha is not None
    assert frames[-1].alpha.min() >= 250


@pytest.mark.parametrize(("suffix", "alpha"), [(".mp4", True), (".mov", False)])
def test_elsewhere_it_becomes_black(tmp_path: Path, suffix: str, alpha: bool) -> None:
    path = tmp_path / f"show{suffix}"
    with Recorder(path, SIZE, alpha=alpha) as recorder:
        recorder.write(make_transparent(0, 1.0))
    with VideoReader(path) as reader:
        (frame,) = reader
    assert frame.alpha is None
    assert frame.pixels[:, :12].max() < 30
    assert np.abs(frame.pixels[:, 24:].astype(int) - (200, 30, 0)).max() <= 12


def test_a_webm_is_for_transparency_alone(tmp_path: Path) -> None:
    path = tmp_path / "show.webm"
    words = r"recorded as \.mp4, .*, with background='transparent' also as \.webm$"
    with pytest.raises(UsageError, match=words):
        check_recording(path)
    with pytest.raises(UsageError, match=words):
        check_recording(tmp_path / "show.avi", alpha=True)
    check_recording(path, alpha=True)
    assert not path.exists()
