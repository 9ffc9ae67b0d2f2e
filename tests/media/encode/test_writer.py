"""What is written is what was asked for: times, sound, tags; whole or not at all."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from clips import CFR, CLOCK, VFR, Ticks, Video, content, patch_colors, patches

from stylize_live.config import VideoSettings
from stylize_live.errors import SinkError, UsageError
from stylize_live.frame import Frame
from stylize_live.media.decode.reader import VideoReader
from stylize_live.media.encode.encoder import VideoEncoder
from stylize_live.media.encode.writer import VideoWriter
from stylize_live.media.libraries import av


def copied(source: Path, target: Path) -> list[str]:
    """Read and write a video unchanged; the writer's notes."""
    with (
        VideoReader(source) as reader,
        VideoWriter(target, reader.size, VideoSettings(crf=10), like=reader) as writer,
    ):
        for frame in reader:
            writer.write(frame)
    return writer.notes


def plain_frames(count: int, size: tuple[int, int] = (64, 48)) -> Iterator[Frame]:
    for index in range(count):
        yield Frame(patches(size), Fraction(index, 30), 0.0, index)


def milliseconds(times: list[Fraction]) -> list[int]:
    return [round(time * 1000) for time in times]


@pytest.mark.parametrize("ticks", [CFR, VFR], ids=["constant", "variable"])
@pytest.mark.parametrize("suffix", [".mp4", ".m4v", ".mov"])
def test_times_are_exact(tmp_path: Path, ticks: Ticks, suffix: str) -> None:
    notes = copied(Video(ticks).write(tmp_path / "in.mp4"), tmp_path / f"out{suffix}")
    assert content(tmp_path / f"out{suffix}").times == [tick * CLOCK for tick in ticks]
    assert notes == []


def test_matroska_rounds_to_milliseconds_and_says_so(tmp_path: Path) -> None:
    notes = copied(Video(CFR).write(tmp_path / "in.mp4"), tmp_path / "out.mkv")
    times = content(tmp_path / "out.mkv").times
    assert milliseconds(times) == milliseconds([tick * CLOCK for tick in CFR])
    assert any("milliseconds" in note for note in notes)


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
def test_sound_is_copied_untouched(tmp_path: Path, suffix: str) -> None:
    source = Video(sound="aac", sound_seconds=1.0).write(tmp_path / "in.mp4")
    copied(source, tmp_path / f"out{suffix}")
    before, after = content(source), content(tmp_path / f"out{suffix}")
    assert after.sounds == before.sounds
    assert sum(map(len, after.sounds.values())) > 40


@pytest.mark.parametrize("start", [Fraction(0), Fraction(1, 10), Fraction(1, 2)])
@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_sound_stays_in_step(tmp_path: Path, start: Fraction, suffix: str) -> None:
    source = Video(sound="aac", sound_start=start).write(tmp_path / "in.mp4")
    copied(source, tmp_path / f"out{suffix}")
    before, after = content(source), content(tmp_path / f"out{suffix}")
    gap = (after.sound_starts[0] - after.times[0]) - (before.sound_starts[0] - before.times[0])
    assert abs(gap) <= (Fraction(1, 1000) if suffix == ".mkv" else Fraction(1, 48_000))


@pytest.mark.parametrize("suffix", [".mp4", ".mov"])
def test_a_coarse_clock_of_the_video_does_not_move_sound(tmp_path: Path, suffix: str) -> None:
    """One clock in the file's header counts when streams begin; phones' videos have 600 ticks a second."""
    clocks = {"video_track_timescale": "25", "movie_timescale": "48000"}
    ticks = tuple(1200 * i for i in range(12))
    video = Video(ticks, sound="aac", sound_start=Fraction(25_150, 48_000), container_options=clocks)
    source = video.write(tmp_path / "in.mp4")
    copied(source, tmp_path / f"out{suffix}")
    before, after = content(source), content(tmp_path / f"out{suffix}")
    assert before.times == after.times == [tick * CLOCK for tick in ticks]
    assert abs(after.sound_starts[0] - before.sound_starts[0]) <= Fraction(1, 48_000)


def onset(path: Path) -> float:
    """Second at which the click begins, by decoding."""
    with av.open(str(path)) as container:
        for frame in container.decode(audio=0):
            loud = np.flatnonzero(np.abs(frame.to_ndarray().astype(np.float64)).max(axis=0) > _LOUD)
            if loud.size:
                assert frame.pts is not None
                return float(frame.pts * frame.time_base) + loud[0] / frame.sample_rate
    return -1.0


_LOUD = 0.2


@pytest.mark.parametrize("codec", ["flac", "libopus"])
def test_sound_that_the_format_refuses_becomes_aac_in_step(tmp_path: Path, codec: str) -> None:
    source = Video(sound=codec).write(tmp_path / "in.mkv")
    notes = copied(source, tmp_path / "out.mov")
    assert [key.split()[1] for key in content(tmp_path / "out.mov").sounds] == ["aac"]
    assert any("AAC" in note for note in notes)
    assert onset(tmp_path / "out.mov") == pytest.approx(onset(source), abs=0.005)


def test_colors_and_tags(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "out.mp4", (96, 48), VideoSettings(crf=4)) as writer:
        for frame in plain_frames(3, (96, 48)):
            writer.write(frame)
    after = content(tmp_path / "out.mp4")
    assert after.tags == (1, 1, 1, 1)
    error = patch_colors(after.images[1]) - patch_colors(patches((96, 48)))
    assert np.abs(error).max() <= 4


CODECS = pytest.mark.parametrize(
    "name", ["h264.mp4", "hevc.mp4", "av1.mp4", "vp9.webm", "prores.mov", "ffv1.mkv"], ids=lambda n: n[:4]
)


@pytest.mark.parametrize("count", [1, 2, 3])
@CODECS
def test_videos_of_hardly_any_frames(tmp_path: Path, name: str, count: int) -> None:
    codec = name.partition(".")[0]
    with VideoWriter(tmp_path / name, (64, 48), VideoSettings(codec=codec)) as writer:  # type: ignore[arg-type]
        for frame in plain_frames(count):
            writer.write(frame)
        writer.finish()
    assert milliseconds(content(tmp_path / name).times) == [0, 33, 67][:count]


@pytest.mark.parametrize("count", [1, 2])
def test_hevc_of_hardly_any_frames_is_the_same_every_time(count: int) -> None:
    """Whatever lies in the memory that x265 gets."""
    for _ in range(20):
        with VideoEncoder((64, 48), "hevc", VideoSettings(), clock=Fraction(1, 30)) as encoder:
            packets = [packet for frame in plain_frames(count) for packet in encoder.encode(frame)]
            packets += encoder.finish()
        assert [(packet.pts, packet.dts) for packet in packets] == [(0, 0), (1, 1)][:count]


@CODECS
def test_colors_stay_where_they_were(tmp_path: Path, name: str) -> None:
    """A ramp of blue, which moved by half a pixel would be off by 1.5 levels everywhere."""
    blue = 40 + 3 * np.arange(64)
    grey = (110 - 0.0722 * blue) / 0.9278  # so that brightness is the same everywhere
    ramp = np.stack([np.tile(row, (64, 1)) for row in (grey, grey, blue)], -1).round().astype(np.uint8)
    codec = name.partition(".")[0]
    with VideoWriter(tmp_path / name, (64, 64), VideoSettings(codec=codec)) as writer:  # type: ignore[arg-type]
        for index in range(3):
            writer.write(Frame(ramp, Fraction(index, 30), 0.0, index))
        writer.finish()
    with VideoReader(tmp_path / name) as reader:
        back = next(iter(reader)).pixels
    assert abs((back - ramp.astype(float))[16:48, 16:48, 2].mean()) < 0.7


def test_what_a_file_says_is_kept(tmp_path: Path) -> None:
    video = Video(sound="aac", sample_aspect=Fraction(4, 3), chapters=True)
    source = video.write(tmp_path / "in.mkv")
    copied(source, tmp_path / "out.mkv")
    with av.open(str(tmp_path / "out.mkv")) as container:
        assert container.metadata["title"] == "a tiny video"
        assert container.streams.audio[0].language == "deu"
        assert [chapter["metadata"]["title"] for chapter in container.chapters()] == ["part 0", "part 5"]
    assert content(tmp_path / "out.mkv").sample_aspect == Fraction(4, 3)


def test_rotation_is_not_applied_twice(tmp_path: Path) -> None:
    source = Video(CFR[:3], (96, 48), rotation=90).write(tmp_path / "in.mp4")
    copied(source, tmp_path / "out.mp4")
    after = content(tmp_path / "out.mp4")
    assert after.rotation == 0
    assert after.images[0].shape == (96, 48, 3)


def test_odd_sizes_grow_and_it_is_said(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "out.mp4", (49, 35)) as writer:
        for frame in plain_frames(3, (49, 35)):
            writer.write(frame)
    assert content(tmp_path / "out.mp4").images[0].shape == (36, 50, 3)
    assert any("49x35 grew to 50x36" in note for note in writer.notes)


def test_the_last_frame_is_shown_as_long_as_in_the_source(tmp_path: Path) -> None:
    copied(Video(CFR).write(tmp_path / "in.mp4"), tmp_path / "out.mp4")
    with VideoReader(tmp_path / "out.mp4") as reader:
        assert reader.duration == len(CFR) * CFR[1] * CLOCK


def test_index_comes_first(tmp_path: Path) -> None:
    copied(Video().write(tmp_path / "in.mp4"), tmp_path / "out.mp4")
    data = (tmp_path / "out.mp4").read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")


def test_times_that_do_not_grow_are_nudged(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "out.mp4", (64, 48)) as writer:
        for index, pts in enumerate([Fraction(0), Fraction(0), Fraction(1, 30)]):
            writer.write(Frame(patches(), pts, 0.0, index))
    assert content(tmp_path / "out.mp4").times == [0, Fraction(1, 90_000), Fraction(1, 30)]


def test_nothing_is_there_until_it_is_closed(tmp_path: Path) -> None:
    target = tmp_path / "out.mp4"
    target.write_bytes(b"the old file")
    writer = VideoWriter(target, (64, 48))
    for frame in plain_frames(3):
        writer.write(frame)
    assert target.read_bytes() == b"the old file"
    writer.close()
    writer.close()
    assert len(content(target).times) == 3
    assert [path.name for path in tmp_path.iterdir()] == ["out.mp4"]
    with pytest.raises(SinkError, match="closed"):
        writer.write(next(plain_frames(1)))


@pytest.mark.parametrize("frames", [0, 3])
def test_an_error_leaves_nothing(tmp_path: Path, frames: int) -> None:
    def fail() -> None:
        with VideoWriter(tmp_path / "out.mp4", (64, 48)) as writer:
            for frame in plain_frames(frames):
                writer.write(frame)
            raise ValueError("on purpose")

    with pytest.raises(ValueError, match="on purpose"):
        fail()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["out.avi", "out", "out.wmv"])
def test_unknown_suffix(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match=r"\.mp4"):
        VideoWriter(tmp_path / name, (64, 48))


def test_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(SinkError, match="does not exist"):
        VideoWriter(tmp_path / "nowhere" / "out.mp4", (64, 48))


def test_folder_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "out.mp4").mkdir()
    with pytest.raises(SinkError, match="is a folder"):
        VideoWriter(tmp_path / "out.mp4", (64, 48))


def test_size_that_the_encoder_refuses(tmp_path: Path) -> None:
    with pytest.raises(SinkError, match="cannot write"):
        VideoWriter(tmp_path / "out.mp4", (40_000, 2))
    assert list(tmp_path.iterdir()) == []


@contextlib.contextmanager
def small_disk(folder: Path, kilobytes: int) -> Iterator[Path]:
    """A file system that fills up; needs root."""
    command = ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(folder)]
    if os.name != "posix" or os.geteuid() != 0 or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("mounting a small disk needs root and mount")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize("kilobytes", [4, 16, 64, 96])
@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_full_disk_leaves_nothing(tmp_path: Path, kilobytes: int, suffix: str) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (20, 96, 128, 3), np.uint8)

    def fill(folder: Path) -> None:
        with VideoWriter(folder / f"out{suffix}", (128, 96), VideoSettings(crf=1)) as writer:
            for index, pixels in enumerate(noise):
                writer.write(Frame(pixels, Fraction(index, 30), 0.0, index))

    with small_disk(tmp_path, kilobytes) as folder:
        with pytest.raises(SinkError, match="free some space"):
            fill(folder)
        assert list(folder.iterdir()) == []
