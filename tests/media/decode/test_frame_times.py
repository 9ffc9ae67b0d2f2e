"""Times of frames: stored in another order than they are shown, long ones, without times of their own."""

from __future__ import annotations

import itertools
from fractions import Fraction
from pathlib import Path

import pytest
from clips import CFR, CLOCK, Ticks, Video
from rich_clips import MILLISECOND, copy_video, read_frame_times

from stylize_live.media.decode.frame_times import FrameTimes
from stylize_live.media.decode.reader import VideoReader
from stylize_live.media.libraries import av

STEP = 1001 * CLOCK
SLOW: Ticks = tuple(300_000 * i for i in range(10))  # a frame every ten seconds
PAUSE: Ticks = tuple(1001 * i + (1_800_000 if i >= 12 else 0) for i in range(24))
UNEVEN: Ticks = tuple(30_000 * second for second in (0, 10, 20, 30, 31, 32, 33, 34, 45, 55))


@pytest.mark.parametrize(
    ("ticks", "suffix"),
    # Not a pause in a transport stream: its clock may jump, and a minute without frames is a jump there.
    [*itertools.product([SLOW, PAUSE, UNEVEN], ["mp4", "mov", "mkv"]), (SLOW, "ts"), (UNEVEN, "ts")],
)
def test_long_frames_keep_their_times(tmp_path: Path, ticks: Ticks, suffix: str) -> None:
    with VideoReader(Video(ticks).write(tmp_path / f"in.{suffix}")) as reader:
        times = [frame.pts for frame in reader]
        assert (reader.retimed, reader.missing, reader.notes) == (0, 0, [])
    assert len(times) == len(ticks)
    assert all(abs(t - tick * CLOCK) <= MILLISECOND for t, tick in zip(times, ticks, strict=True))


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_a_slow_video_is_as_long_as_before(tmp_path: Path, suffix: str) -> None:
    source, target = Video(SLOW, rate=Fraction(1, 10)).write(tmp_path / "in.mp4"), tmp_path / f"out.{suffix}"
    copy_video(source, target)
    assert read_frame_times(target) == [tick * CLOCK for tick in SLOW]
    with av.open(str(target)) as container:
        assert container.duration == pytest.approx(100 * av.time_base, abs=0.05 * av.time_base)


@pytest.mark.parametrize("suffix", ["avi", "asf"])
@pytest.mark.parametrize(("codec", "interlaced"), [("libx264", False), ("libx264", True), ("mpeg4", False)])
def test_formats_that_store_no_times_of_showing(
    tmp_path: Path, suffix: str, codec: str, interlaced: bool
) -> None:
    source = Video(CFR, codec=codec, interlaced=interlaced, clock=STEP).write(tmp_path / f"in.{suffix}")
    with VideoReader(source) as reader:
        times = [frame.pts for frame in reader]
        assert (reader.retimed, reader.missing, reader.damaged) == (0, 0, 0)
        assert abs(reader.last_duration - STEP) < Fraction(1, 900)
    assert len(times) == len(CFR)
    assert all(abs(b - a - STEP) <= Fraction(1, 900) for a, b in itertools.pairwise(times))


def test_an_index_without_times_of_showing(tmp_path: Path) -> None:
    """An MP4 whose frames all claim to be shown when they are decoded."""
    with (
        av.open(str(Video(CFR).write(tmp_path / "in.mp4"))) as source,
        av.open(str(tmp_path / "out.mp4"), "w") as target,
    ):
        stream = target.add_stream_from_template(source.streams.video[0])
        for number, packet in enumerate(p for p in source.demux(video=0) if p.size):
            packet.pts = packet.dts = 1001 * number
            packet.stream = stream
            target.mux(packet)
    with VideoReader(tmp_path / "out.mp4") as reader:
        times = [frame.pts for frame in reader]
        assert reader.retimed == 0
    steps = [b - a for a, b in itertools.pairwise(times)]
    assert len(times) == len(CFR)
    # The first frames' own times are believed until one goes back.
    assert steps[3:] == [STEP] * (len(steps) - 3)


def test_best_times() -> None:
    """Own times, those of decoding, what is believed: as FFmpeg would."""
    told = [
        (1, 2, 1),
        (3, 3, 3),
        (4, 4, 4),
        (2, 5, 5),
        (6, 6, 6),
        (None, 7, 7),
        (None, None, None),
        (9, None, 9),
    ]
    times = FrameTimes()
    assert [times.best(image(own, decoding)) for own, decoding, _ in told] == [best for *_, best in told]
    assert times.best(image(8, None), drained=True) == 11
    assert times.best(image(None, None), drained=True) == 13


def image(own: int | None, decoding: int | None) -> av.VideoFrame:
    made = av.VideoFrame(16, 16, "yuv420p")
    made.pts, made.dts = own, decoding
    return made


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "ts", "avi"])
def test_the_last_interlaced_frame_lasts_as_long(tmp_path: Path, suffix: str) -> None:
    source = Video(CFR, interlaced=True, clock=STEP).write(tmp_path / f"in.{suffix}")
    target = tmp_path / "out.mp4"
    with VideoReader(source) as reader:
        assert len(list(reader)) == len(CFR)
        assert any("deinterlaced" in note for note in reader.notes)
        assert abs(reader.last_duration - STEP) <= Fraction(1, 1000)
    copy_video(source, target)
    with av.open(str(target)) as container:
        video = container.streams.video[0]
        assert video.duration is not None
        assert abs(video.duration * video.time_base - len(CFR) * STEP) < Fraction(1, 500)
