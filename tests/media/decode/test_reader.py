"""Files become upright frames at their exact times; what is no video is refused in one line."""

from __future__ import annotations

import gc
import threading
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from clips import (
    CFR,
    CLOCK,
    VFR,
    Ticks,
    Video,
    cut_off,
    damaged_in_the_middle,
    numbered,
    patch_colors,
    patches,
    sound_only,
    without_frames,
)

from stylize_live.errors import SourceError
from stylize_live.frame import Pixels
from stylize_live.media.color.orientation import Orientation
from stylize_live.media.decode.reader import VideoReader
from stylize_live.media.libraries import av
from stylize_live.media.tracks.passthrough import PassthroughStreams


@pytest.mark.parametrize("ticks", [CFR, VFR], ids=["constant", "variable"])
@pytest.mark.parametrize("suffix", [".mp4", ".mov"])
def test_times_are_exact(tmp_path: Path, ticks: Ticks, suffix: str) -> None:
    with VideoReader(Video(ticks).write(tmp_path / f"clip{suffix}")) as reader:
        frames = list(reader)
        assert [frame.pts for frame in frames] == [tick * CLOCK for tick in ticks]
        assert [frame.index for frame in frames] == list(range(len(ticks)))
        assert (reader.damaged, reader.retimed, reader.missing) == (0, 0, 0)
        assert (reader.rate is None) == (ticks is VFR)
        assert reader.frames == len(ticks)
        assert not reader.is_live


def test_frames_are_what_was_encoded(tmp_path: Path) -> None:
    with VideoReader(Video().write(tmp_path / "clip.mp4")) as reader:
        for frame in reader:
            assert frame.size == reader.size == (64, 48)
            assert frame.pixels.dtype == np.uint8
            assert frame.pixels.flags.c_contiguous
            assert np.abs(frame.pixels.astype(int) - numbered(frame.index)).mean() < 4


def test_transport_stream_starts_at_zero(tmp_path: Path) -> None:
    with VideoReader(Video(sound="mp2").write(tmp_path / "clip.ts")) as reader:
        times = [frame.pts for frame in reader]
        assert reader.origin > 0
    assert 0 <= times[0] < Fraction(1, 10)


@pytest.mark.parametrize(
    ("rotation", "turns"), [(90, 1), (-90, 3), (180, 2)], ids=["left", "right", "upside down"]
)
def test_rotation_is_baked_in(tmp_path: Path, rotation: int, turns: int) -> None:
    image = patches((96, 48))
    image[:12] = 0  # so that up and down differ
    video = Video(CFR[:2], (96, 48), rotation=rotation, sample_aspect=Fraction(4, 3))
    upright = np.rot90(image, turns)
    with VideoReader(video.write(tmp_path / "clip.mp4", [image] * 2)) as reader:
        frame = next(iter(reader))
        assert reader.size == frame.size == (upright.shape[1], upright.shape[0])
        assert reader.sample_aspect == (Fraction(4, 3) if turns == 2 else Fraction(3, 4))
        assert frame.pixel_aspect == reader.sample_aspect
    assert np.abs(frame.pixels.astype(int) - upright).mean() < 8


@pytest.mark.parametrize("x", [False, True])
@pytest.mark.parametrize("y", [False, True])
@pytest.mark.parametrize("transpose", [False, True])
def test_orientation(transpose: bool, x: bool, y: bool) -> None:
    image = numbered(3, (6, 4)) + np.arange(6, dtype=np.uint8)[None, :, None]
    expected = image.transpose(1, 0, 2) if transpose else image
    expected = expected[:: -1 if y else 1, :: -1 if x else 1]
    turned = Orientation(transpose, x, y).apply(image)
    assert np.array_equal(turned, expected)
    assert turned.flags.c_contiguous


def test_odd_size(tmp_path: Path) -> None:
    video = Video(CFR[:2], (49, 35), codec="ffv1", pixel_format="yuv444p")
    with VideoReader(video.write(tmp_path / "clip.mkv", [patches((49, 35))] * 2)) as reader:
        frame = next(iter(reader))
    assert frame.size == (49, 35)
    assert np.abs(patch_colors(frame.pixels) - patch_colors(patches((49, 35)))).max() <= 3


def test_cut_off_gives_what_decodes(tmp_path: Path) -> None:
    ticks = [1001 * i for i in range(40)]
    whole = Video(ticks, container_options={"movflags": "faststart"}).write(tmp_path / "whole.mp4")
    with VideoReader(cut_off(whole, tmp_path / "cut.mp4", 0.7)) as reader:
        frames = list(reader)
        assert 2 <= len(frames) < 30
        assert [frame.pts for frame in frames] == [tick * CLOCK for tick in ticks[: len(frames)]]
        assert reader.missing > Fraction(1, 4)
        assert reader.damaged <= 1


def test_damage_is_skipped_and_counted(tmp_path: Path) -> None:
    whole = Video(CFR, codec="mjpeg", pixel_format="yuvj420p").write(tmp_path / "whole.mkv")
    with VideoReader(damaged_in_the_middle(whole, tmp_path / "broken.mkv")) as reader:
        indices = [round(frame.pts * 30) for frame in reader]
        assert reader.damaged >= 1
        assert reader.missing == 0
    assert set(range(len(CFR))) - set(indices) <= {5}
    assert {0, 4, 6, 11} <= set(indices)


def make_nothing(path: Path) -> None:
    """A file that does not exist."""


def make_words(path: Path) -> None:
    path.write_text("this is no video\n" * 50)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (make_nothing, "no such file"),
        (Path.mkdir, "is a folder"),
        (Path.touch, "is empty"),
        (make_words, "not a video"),
        (sound_only, "only sound"),
        (without_frames, "no frame|no video|not a video"),
    ],
    ids=["missing", "folder", "empty", "text", "sound", "no frames"],
)
def test_what_is_no_video_is_refused(tmp_path: Path, make: object, words: str) -> None:
    path = tmp_path / "clip.mp4"
    assert callable(make)
    make(path)
    with pytest.raises(SourceError, match=words) as caught:
        VideoReader(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_still_image_is_refused(tmp_path: Path) -> None:
    from stylize_live.media.image.io import Still, write_image

    path = tmp_path / "photo.png"
    write_image(path, Still(patches()))
    with pytest.raises(SourceError, match="image command"):
        VideoReader(path)


@pytest.mark.posix
def test_a_colon_in_the_name_is_no_protocol(tmp_path: Path) -> None:
    path = tmp_path / "http:clip.mp4"
    Video(CFR[:2]).write(tmp_path / "clip.mp4").rename(path)
    with VideoReader(path) as reader:
        assert len(list(reader)) == 2


def test_close_twice_and_in_the_middle(tmp_path: Path) -> None:
    reader = VideoReader(Video().write(tmp_path / "clip.mp4"))
    frames = iter(reader)
    next(frames)
    closer = threading.Thread(target=reader.close)
    closer.start()
    closer.join(2)
    reader.close()
    with pytest.raises(SourceError, match="closed"):
        next(frames)


def combed(index: int) -> Pixels:
    """Two fields of a bright bar that moves 4 pixels from field to field."""
    image = np.full((48, 64, 3), 30, np.uint8)
    for field in (0, 1):
        left = (8 * index + 4 * field) % 56
        image[field::2, left : left + 8] = 220
    return image


def combing(image: Pixels) -> float:
    return float(np.abs(np.diff(image[4:-4].astype(int), axis=0)).mean())


def test_interlaced_video_is_deinterlaced(tmp_path: Path) -> None:
    images = [combed(index) for index in range(len(CFR))]
    with VideoReader(Video(interlaced=True).write(tmp_path / "clip.mp4", images)) as reader:
        frames = list(reader)
        assert any("deinterlaced" in note for note in reader.notes)
    assert [frame.pts for frame in frames] == [tick * CLOCK for tick in CFR]
    assert combing(frames[5].pixels) < combing(images[5]) / 3


def test_losses_are_named(tmp_path: Path) -> None:
    video = Video(CFR[:2], codec="ffv1", pixel_format="yuva444p10le")
    with VideoReader(video.write(tmp_path / "clip.mkv")) as reader:
        assert [note for note in reader.notes if "10-bit" in note]
        assert reader.has_alpha
    with VideoReader(tmp_path / "clip.mkv", bits=10) as reader:
        assert reader.notes == []
        frame = next(iter(reader))
    assert (frame.pixels.dtype, frame.pixels.shape) == (np.uint16, (48, 64, 3))
    assert frame.alpha is not None
    assert (frame.alpha.dtype, frame.alpha.shape) == (np.uint16, (48, 64))


def test_passthrough_streams_come_in_step(tmp_path: Path) -> None:
    path = Video(sound="aac", sound_seconds=1.0).write(tmp_path / "clip.mp4")
    with VideoReader(path) as reader:
        passthrough = PassthroughStreams(reader)
        passthrough.choose(passthrough.streams)
        assert [stream.type for stream in passthrough.streams] == ["audio"]
        early = list(passthrough.packets(Fraction(1, 4)))
        late = list(passthrough.packets(None))
        passthrough.close()
    assert early
    assert late
    assert all(p.dts is not None and p.dts * p.time_base <= Fraction(1, 4) for p in early)
    assert late[0].dts is not None
    assert late[0].dts * late[0].time_base > Fraction(1, 4)


def test_frames_are_let_go(tmp_path: Path) -> None:
    """A cycle through PyAV's objects once kept every frame until the garbage collector came by."""
    ticks = [1001 * index for index in range(60)]
    gc.collect()
    gc.disable()
    try:
        with VideoReader(Video(ticks, rotation=90).write(tmp_path / "clip.mp4")) as reader:
            before = living_images()
            assert sum(1 for _ in reader) == len(ticks)
            assert living_images() - before < 20
    finally:
        gc.enable()


def living_images() -> int:
    return sum(type(thing) is av.VideoFrame for thing in gc.get_objects())  # proxies may lie to isinstance
