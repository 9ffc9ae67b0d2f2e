"""Images and videos behind people: what is shown of them when."""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from clips import Video, numbered
from tiny import random_pixels

from stylize_live.errors import SourceError
from stylize_live.media.decode import backgrounds
from stylize_live.media.decode.backgrounds import BackgroundVideo, digest_of, open_background
from stylize_live.media.decode.reader import VideoReader
from stylize_live.media.image.io import Still, write_image

SIZE = (64, 48)
RATE = 10


def make_video(path: Path, first: int = 0) -> Path:
    ticks = tuple(3000 * (first + i) for i in range(6))
    return Video(ticks=ticks, size=SIZE, rate=Fraction(RATE)).write(path, [numbered(i) for i in range(6)])


def tell(video: BackgroundVideo, when: Fraction) -> int:
    """Which of the frames is shown: where its bright bar is."""
    return int(video.at(when, SIZE)[:, 32, 0].argmax()) // 4


@pytest.mark.parametrize("suffix", [".mkv", ".mp4", ".webm"])
def test_time_alone_says_what_is_shown(tmp_path: Path, suffix: str) -> None:
    codec = "libvpx-vp9" if suffix == ".webm" else "libx264"
    path = tmp_path / f"v{suffix}"
    Video(ticks=tuple(3000 * i for i in range(6)), codec=codec, rate=Fraction(RATE)).write(
        path, [numbered(i) for i in range(6)]
    )
    with open_background(path) as video:
        assert isinstance(video, BackgroundVideo)
        for tenth in [*range(14), 3, 3, 40, 1000, 5, 2]:
            assert tell(video, Fraction(tenth, RATE)) == tenth % 6
        assert tell(video, Fraction(199, 1000)) == 1


def test_whoever_begins_late_sees_the_same(tmp_path: Path) -> None:
    path = make_video(tmp_path / "v.mkv")
    with open_background(path) as late, open_background(path) as steady:
        seen = [steady.at(Fraction(i, 30), SIZE).copy() for i in range(70)]
        assert (late.at(Fraction(69, 30), SIZE) == seen[-1]).all()


@pytest.mark.parametrize("trusted", [True, False])
def test_what_lies_far_ahead_is_sought(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trusted: bool
) -> None:
    """After a pause, or in a conversion that goes on; an index that is wrong costs time only."""
    path = make_video(tmp_path / "v.mkv")
    sought: list[Fraction] = []
    seek = VideoReader.seek

    def count(self: VideoReader, when: Fraction) -> bool:
        sought.append(when)
        return seek(self, when if trusted else when + 5)

    monkeypatch.setattr(VideoReader, "seek", count)
    monkeypatch.setattr(backgrounds, "_FAR", Fraction(1, 5))
    with open_background(path) as video:
        assert isinstance(video, BackgroundVideo)
        for tenth in (4, 0, 5, 59, 1):
            assert tell(video, Fraction(tenth, RATE)) == tenth % 6
    assert Fraction(4, RATE) in sought


def test_a_video_that_begins_later_shows_its_first_frame(tmp_path: Path) -> None:
    with open_background(make_video(tmp_path / "v.mp4", first=3)) as video:
        assert isinstance(video, BackgroundVideo)
        assert [tell(video, Fraction(i, 20)) for i in range(3)] == [0, 0, 0]


def test_a_video_of_one_frame_stands_still(tmp_path: Path) -> None:
    path = Video(ticks=(0,), rate=Fraction(RATE)).write(tmp_path / "v.mkv", [numbered(2)])
    with open_background(path) as video:
        assert isinstance(video, BackgroundVideo)
        assert [tell(video, Fraction(i, 7)) for i in range(5)] == [2] * 5


def test_pixels_that_are_not_square_are_shown_as_wide_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "wide.mkv"
    video = Video(ticks=(0, 3000), rate=Fraction(RATE), sample_aspect=Fraction(2))
    video.write(path, [numbered(0)] * 2)
    plain, wide = Video(ticks=(0, 3000)).write(tmp_path / "plain.mkv", [numbered(0)] * 2), path
    with open_background(plain) as one, open_background(wide) as other:
        width, height = 2 * SIZE[0], SIZE[1]
        stretched = one.at(Fraction(0), SIZE).repeat(2, axis=1).astype(int)
        assert np.abs(other.at(Fraction(0), (width, height)) - stretched).mean() < 4


@pytest.mark.parametrize("suffix", [".png", ".mkv"])
def test_a_frame_whose_pixels_are_not_square_is_covered_as_it_is_shown(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    if suffix == ".png":
        write_image(path, Still(random_pixels(*SIZE)))
    else:
        make_video(path)
    with open_background(path) as background:
        whole = background.at(Fraction(0), SIZE).astype(int)
        # Of half as many pixels, twice as wide: the same image, squeezed.
        squeezed = background.at(Fraction(0), (SIZE[0] // 2, SIZE[1]), Fraction(2)).astype(int)
        assert np.abs(squeezed - (whole[:, ::2] + whole[:, 1::2]) / 2).max() <= 1
        # As many, twice as wide: its middle, half as high.
        wide = background.at(Fraction(0), SIZE, Fraction(2)).astype(int)
        assert np.abs(wide[::2] - whole[12:36]).mean() < np.abs(wide[::2] - whole[:24]).mean()
        assert (background.at(Fraction(0), SIZE) == whole).all()


def test_an_image_covers_the_frame(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    write_image(path, Still(random_pixels(*SIZE)))
    with open_background(path) as image:
        assert image.is_still
        assert (image.at(Fraction(0), SIZE) == random_pixels(*SIZE)).all()
        assert image.at(Fraction(9), (100, 20)).shape == (20, 100, 3)


def test_transparent_images_lie_on_white(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    write_image(path, Still(random_pixels(*SIZE), np.zeros(SIZE[::-1], np.uint8)))
    with open_background(path) as image:
        assert (image.at(Fraction(0), SIZE) == 255).all()


def test_digests_name_contents(tmp_path: Path) -> None:
    one, other = tmp_path / "one.bin", tmp_path / "other.bin"
    one.write_bytes(b"a" * 10)
    other.write_bytes(b"a" * 10)
    assert digest_of(one) == digest_of(other)
    other.write_bytes(b"a" * 11)
    assert digest_of(one) != digest_of(other)
    with pytest.raises(SourceError, match="gone"):
        digest_of(tmp_path / "gone.bin")


@pytest.mark.posix
@pytest.mark.parametrize("name", ["pipe.mp4", "pipe.png"])
def test_a_pipe_is_refused_before_it_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    for what in ("VideoReader", "read_image"):  # both would wait for somebody to write
        monkeypatch.setattr(backgrounds, what, lambda *_, **__: pytest.fail("opened"))
    os.mkfifo(tmp_path / name)
    with pytest.raises(SourceError, match="is a pipe or a device"):
        open_background(tmp_path / name)


@pytest.mark.parametrize("name", ["beach.png", "aquarium.mp4"])
def test_a_folder_is_no_background(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    with pytest.raises(SourceError, match="is a folder, expected an image or video file"):
        open_background(tmp_path / name)


@pytest.mark.parametrize("name", ["gone.png", "gone.mp4", "gone.xyz", "."])
def test_what_is_not_there_is_said(tmp_path: Path, name: str) -> None:
    with pytest.raises(SourceError):
        open_background(tmp_path / name)
