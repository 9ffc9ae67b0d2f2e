"""Files as the world delivers them: cut, bent, joined, lying. Reading goes on, ends, and says why."""

from __future__ import annotations

import itertools
import random
import threading
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import psutil
import pytest
from clips import CFR, CLOCK, Ticks, Video, cut_off, numbered, patch_colors, patches
from rich_clips import RichVideo, Sound, codecs, copy_video, delay, heard, noise, read_frame_times

from stylize_live.config import SourceSettings
from stylize_live.errors import SourceError
from stylize_live.media.color.letterbox import fit_inside, place_in_frame
from stylize_live.media.decode.demux import from_key_frame
from stylize_live.media.decode.reader import VideoReader
from stylize_live.media.libraries import av

LONG: Ticks = tuple(1001 * i for i in range(40))
FAST_START = {"movflags": "faststart"}
VICTIMS = {
    "mp4": Video(LONG, sound="aac", container_options=FAST_START),
    "mkv": Video(LONG, codec="ffv1", sound="flac"),
    "ts": Video(LONG, sound="mp2"),
    "avi": Video(LONG, codec="mpeg4", sound="mp2"),
    "webm": Video(LONG, codec="libvpx"),
    "mov": Video(LONG, codec="prores_ks", pixel_format="yuv422p10le", container_options=FAST_START),
}


def cut(data: bytearray, rng: random.Random) -> None:
    del data[rng.randrange(len(data)) :]


def flip_anywhere(data: bytearray, rng: random.Random) -> None:
    for _ in range(20):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)


def flip_header(data: bytearray, rng: random.Random) -> None:
    for _ in range(5):
        data[rng.randrange(min(len(data), 3000))] ^= 1 << rng.randrange(8)


def cut_out(data: bytearray, rng: random.Random) -> None:
    start = rng.randrange(len(data))
    del data[start : start + rng.randrange(1, len(data) // 4)]


Outcome = tuple[list[Fraction], str]


def read(path: Path) -> Outcome:
    """Times of the frames, or the reason why there are none."""
    try:
        with VideoReader(path) as reader:
            return [frame.pts for frame in reader], ""
    except SourceError as error:
        return [], str(error)


def in_time(work: Callable[[], Outcome], seconds: float = 20) -> Outcome:
    """Run something in a thread; a hang fails the test instead of stopping all."""
    results: list[Outcome | BaseException] = []

    def body() -> None:
        try:
            results.append(work())
        except BaseException as error:
            results.append(error)

    thread = threading.Thread(target=body, daemon=True)
    thread.start()
    thread.join(seconds)
    assert results, "does not end"
    if isinstance(results[0], BaseException):
        raise results[0]
    return results[0]


@pytest.mark.parametrize("damage", [cut, flip_anywhere, flip_header, cut_out])
@pytest.mark.parametrize("suffix", VICTIMS)
def test_damage_ends_in_frames_or_one_clear_error(
    tmp_path: Path, suffix: str, damage: Callable[[bytearray, random.Random], None]
) -> None:
    whole = VICTIMS[suffix].write(tmp_path / f"whole.{suffix}").read_bytes()
    survived = 0
    for seed in range(12):
        data = bytearray(whole)
        damage(data, random.Random(seed))
        path = tmp_path / f"damaged.{suffix}"
        path.write_bytes(bytes(data))

        times, refusal = in_time(lambda path=path: read(path))
        assert bool(times) != bool(refusal)
        if refusal:
            assert refusal.startswith(str(path))
            assert "\n" not in refusal
        assert len(times) <= 2 * len(LONG)
        assert all(a < b for a, b in itertools.pairwise(times))
        survived += bool(times)
    assert survived > 0


@pytest.mark.parametrize("seed", [423, 445])
def test_damage_that_once_broke_the_reader(tmp_path: Path, seed: int) -> None:
    """A video whose first packets are lost, and a header that promises streams which come late."""
    suffix = "webm" if seed == 423 else "ts"
    path = VICTIMS[suffix].write(tmp_path / f"clip.{suffix}")
    data = bytearray(path.read_bytes())
    (flip_anywhere if suffix == "ts" else flip_header)(data, random.Random(seed))
    path.write_bytes(bytes(data))
    times, refusal = in_time(lambda: read(path))
    assert times or "damaged" in refusal


@pytest.mark.parametrize("suffix", ["mp4", "mov"])
def test_a_missing_index_is_called_by_its_name(tmp_path: Path, suffix: str) -> None:
    whole = Video(LONG).write(tmp_path / f"whole.{suffix}")
    with pytest.raises(SourceError, match=r"index \(moov\) is missing.*repair"):
        VideoReader(cut_off(whole, tmp_path / f"cut.{suffix}", 0.6))


@pytest.mark.parametrize("suffix", ["mkv", "avi", "ts"])
def test_formats_that_can_do_without_an_index(tmp_path: Path, suffix: str) -> None:
    whole = VICTIMS[suffix].write(tmp_path / f"whole.{suffix}")
    with VideoReader(cut_off(whole, tmp_path / f"cut.{suffix}", 0.5)) as reader:
        assert 5 <= len(list(reader)) < len(LONG)


def test_a_header_that_lies_about_the_size(tmp_path: Path) -> None:
    path = Video().write(tmp_path / "clip.mp4")
    data = bytearray(path.read_bytes())
    at = data.index(b"avc1", data.index(b"stsd")) + 28
    assert data[at : at + 4] == bytes([0, 64, 0, 48])
    data[at : at + 4] = bytes([4, 0, 3, 0])
    path.write_bytes(bytes(data))
    with VideoReader(path) as reader:
        assert reader.size == (64, 48)
        assert len(list(reader)) == len(CFR)


def joined(path: Path, *parts: Path) -> Path:
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    return path


def test_another_size_in_mid_stream_is_fitted_in(tmp_path: Path) -> None:
    colors = patches((96, 48))
    first = Video(CFR[:6], (96, 48)).write(tmp_path / "a.ts", [colors] * 6)
    second = Video(CFR[:6], (48, 48)).write(tmp_path / "b.ts", [np.ascontiguousarray(colors[:, ::2])] * 6)
    with VideoReader(joined(tmp_path / "c.ts", first, second)) as reader:
        frames = list(reader)
        assert {frame.size for frame in frames} == {(96, 48)}
        assert [note for note in reader.notes if "size changes" in note] == [
            "the size changes in the video: all frames were fitted into the first one's 96x48"
        ]
    assert len(frames) == 12
    assert np.abs(patch_colors(frames[2].pixels) - patch_colors(colors)).max() < 12
    square = frames[10].pixels
    assert square[:, :20].max() < 8
    assert square[:, -20:].max() < 8
    inside = patch_colors(np.ascontiguousarray(square[:, 24:72]))
    assert np.abs(inside - patch_colors(colors)).max() < 12


@pytest.mark.parametrize(
    ("size", "outer", "inner"),
    [
        ((64, 48), (64, 48), (64, 48)),
        ((128, 96), (64, 48), (64, 48)),
        ((64, 64), (64, 48), (48, 48)),
        ((200, 50), (100, 100), (100, 25)),
        ((853, 480), (1280, 720), (1280, 720)),
    ],
)
def test_fitting(size: tuple[int, int], outer: tuple[int, int], inner: tuple[int, int]) -> None:
    assert fit_inside(size, outer) == inner
    white = np.full((inner[1], inner[0], 3), 255, np.uint8)
    whole = place_in_frame(white, outer)
    assert whole.shape == (outer[1], outer[0], 3)
    assert int(whole.astype(int).sum()) == int(white.astype(int).sum())


def test_the_default_video_of_two(tmp_path: Path) -> None:
    path = tmp_path / "two.mkv"
    videos = Video(CFR[:3], (64, 48)), Video(CFR[:5], (96, 48))
    with av.open(str(path), "w") as output:
        streams = [video.video_stream(output) for video in videos]
        streams[0].disposition = av.stream.Disposition.dub
        streams[1].disposition = av.stream.Disposition.default
        for video, stream in zip(videos, streams, strict=True):
            video.mux_video(output, stream)
    with VideoReader(path) as reader:
        assert reader.size == (96, 48)
        assert len(list(reader)) == 5
    notes = copy_video(path, tmp_path / "out.mp4")
    assert "left out: video in stream 0 (h264), which would show the unpainted video" in notes
    assert codecs(tmp_path / "out.mp4") == ["video h264"]


def test_a_cover_is_no_video(tmp_path: Path) -> None:
    path = RichVideo(cover=True).write(tmp_path / "in.mkv")
    with VideoReader(path) as reader:
        assert len(list(reader)) == 18


def test_joined_recordings_go_on_in_step(tmp_path: Path) -> None:
    """Each part's clock starts anew; streams meet the jump at different packets."""
    parts = [
        RichVideo([Sound("mp2", seconds=len(LONG) * 1001 / 30_000, seed=seed)], ticks=LONG).write(
            tmp_path / f"{seed}.ts"
        )
        for seed in range(3)
    ]
    source = joined(tmp_path / "joined.ts", *parts)
    with VideoReader(source) as reader:
        times = [frame.pts for frame in reader]
        assert reader.retimed == 0
        assert any("clock of the source jumps" in note for note in reader.notes)
    assert len(times) == 3 * len(LONG)
    assert {b - a for a, b in itertools.pairwise(times)} == {1001 * CLOCK}
    copy_video(source, tmp_path / "out.mp4")
    assert len(read_frame_times(tmp_path / "out.mp4")) == 3 * len(LONG)
    sound = heard(tmp_path / "out.mp4")
    found = [delay(noise(1.3, seed=seed)[0], sound) for seed in range(3)]
    step = len(LONG) * 1001 * 48_000 / 30_000
    assert np.diff(found) == pytest.approx([step, step], abs=48_000 * 0.03)


def test_a_part_behind_a_jump_of_the_clock(tmp_path: Path) -> None:
    """No time of such a file leads to a place in it."""
    videos = [
        RichVideo([Sound("mp2", seconds=len(LONG) * 1001 / 30_000, seed=seed)], ticks=LONG).write(
            tmp_path / f"{seed}.ts"
        )
        for seed in range(3)
    ]
    source = joined(tmp_path / "joined.ts", *videos)
    with VideoReader(source) as reader:
        whole = [(frame.pts, frame.pixels) for frame in reader]
    with VideoReader(source, SourceSettings(start="3", end="3.5")) as reader:
        start = reader.trim.start
        part = list(reader)
    expected = [(when - start, pixels) for when, pixels in whole if start < when < Fraction(7, 2)]
    assert [frame.pts for frame in part[1:]] == [when for when, _ in expected]
    assert all(np.array_equal(f.pixels, p) for f, (_, p) in zip(part[1:], expected, strict=True))
    with (
        VideoReader(source, SourceSettings(start="9")) as reader,
        pytest.raises(SourceError, match="before the start"),
    ):
        list(reader)


@pytest.mark.parametrize(("start", "skipped"), [(0, 0), (7, 6), (12, 12), (20, 18), (200, 36)])
def test_decoding_begins_at_the_last_key_frame(tmp_path: Path, start: int, skipped: int) -> None:
    with av.open(str(Video(LONG).write(tmp_path / "in.mp4"))) as container:  # every sixth is a key frame
        packets = [packet for packet in container.demux() if packet.size]
        kept = list(from_key_frame([*packets, None], start * 1001 * CLOCK))
    assert kept == [*packets[skipped:], None]


def test_a_pause_is_a_pause_and_a_clock_gone_mad_is_not(tmp_path: Path) -> None:
    for seconds, gap in ((60, 60), (10_000, 0)):
        ticks = [*CFR, *(tick + seconds * 30_000 for tick in CFR)]
        with VideoReader(Video(ticks).write(tmp_path / "clip.mkv")) as reader:
            times = [frame.pts for frame in reader]
        assert len(times) == 2 * len(CFR)
        assert abs(times[-1] - gap) < 2


def test_a_video_that_begins_before_0(tmp_path: Path) -> None:
    ticks = [tick - 3003 for tick in CFR]
    video = Video(ticks, codec="ffv1", container_options={"avoid_negative_ts": "disabled"})
    with VideoReader(video.write(tmp_path / "clip.mkv")) as reader:
        times = [frame.pts for frame in reader]
        assert all(abs(t - tick * CLOCK) <= Fraction(1, 500) for t, tick in zip(times, CFR, strict=True))
        assert -0.101 < reader.origin < -0.098


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "mov", "avi", "ts", "webm", "h264"])
def test_one_frame(tmp_path: Path, suffix: str) -> None:
    codec = {"avi": "mpeg4", "webm": "libvpx"}.get(suffix, "libx264")
    source = Video(CFR[:1], codec=codec).write(tmp_path / f"in.{suffix}")
    copy_video(source, tmp_path / "out.mp4")
    assert len(read_frame_times(tmp_path / "out.mp4")) == 1


@pytest.mark.parametrize("suffix", ["h264", "avi", "m4v"])
def test_frames_without_times(tmp_path: Path, suffix: str) -> None:
    codec = "libx264" if suffix == "h264" else "mpeg4"
    with VideoReader(Video(CFR, codec=codec).write(tmp_path / f"in.{suffix}")) as reader:
        times = [frame.pts for frame in reader]
    assert len(times) == len(CFR)
    assert all(a < b for a, b in itertools.pairwise(times))


def test_sound_that_begins_only_later(tmp_path: Path) -> None:
    silent = Video(LONG).write(tmp_path / "a.ts")
    loud = RichVideo([Sound("mp2", seed=5)]).write(tmp_path / "b.ts")
    source = joined(tmp_path / "c.ts", silent, loud)
    copy_video(source, tmp_path / "out.mp4")
    assert len(read_frame_times(tmp_path / "out.mp4")) == len(LONG) + 18
    at = delay(noise(0.6, seed=5)[0], heard(tmp_path / "out.mp4"))
    assert at == pytest.approx(len(LONG) * 1001 * 48_000 / 30_000, abs=48_000 * 0.1)


def test_a_video_that_becomes_interlaced(tmp_path: Path) -> None:
    first = Video(CFR).write(tmp_path / "a.ts")
    second = Video(CFR, interlaced=True).write(tmp_path / "b.ts")
    with VideoReader(joined(tmp_path / "c.ts", first, second)) as reader:
        assert not any("deinterlaced" in note for note in reader.notes)
        assert len(list(reader)) == 2 * len(CFR)
        assert any("deinterlaced" in note for note in reader.notes)


@pytest.mark.linux
@pytest.mark.slow
def test_a_hundred_thousand_frames_in_flat_memory(tmp_path: Path) -> None:
    count, path = 100_000, tmp_path / "long.mkv"
    image = numbered(0, (32, 32))
    video = Video(range(0, count * 1001, 1001), (32, 32), codec="mpeg4", sound="flac", sound_seconds=600.0)
    video.write(path, (image for _ in range(count)))
    with VideoReader(path) as reader:
        early = late = 0
        for frame in reader:
            if frame.index == 10_000:
                early = resident()
        late = resident()
        assert frame.index == count - 1
    assert late - early < 20_000


def resident() -> int:
    """Memory of this process in kilobytes."""
    return psutil.Process().memory_info().rss // 1024
