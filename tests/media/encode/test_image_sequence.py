"""GIF, animated WebP and numbered images."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from clips import CFR, CLOCK, Video, numbered, patch_colors, patches
from inverters import Inverter
from PIL import Image

from stylize_live.config import ConvertSettings, SourceSettings, VideoSettings
from stylize_live.conversion.convert import check_paths, convert
from stylize_live.errors import SinkError, SourceError, UsageError
from stylize_live.frame import Frame
from stylize_live.media.decode.reader import VideoReader
from stylize_live.media.encode.writer import VideoWriter
from stylize_live.media.formats.image_sequence import SequenceWriter, is_sequence, numbered_path
from stylize_live.media.image.io import Still, read_image, write_image

TIMES = [Fraction(n, 20) for n in (0, 1, 2, 6)]


def animation(path: Path, *, alpha: bool = False) -> VideoWriter:
    opacity = np.full((48, 64), 255, np.uint8)
    opacity[:24, 40:] = 0
    with VideoWriter(path, (64, 48), VideoSettings(), alpha=alpha) as writer:
        for index, when in enumerate(TIMES):
            image = np.roll(patches(), 8 * index, axis=1)
            writer.write(Frame(image, when, 0.0, index, opacity if alpha else None))
    return writer


@pytest.mark.parametrize("suffix", [".gif", ".webp"])
def test_animations(tmp_path: Path, suffix: str) -> None:
    writer = animation(tmp_path / f"out{suffix}")
    assert writer.notes == []
    with Image.open(tmp_path / f"out{suffix}") as image:
        assert image.n_frames == 4  # type: ignore[attr-defined]
        durations = []
        for index in range(4):
            image.seek(index)
            image.load()
            durations.append(image.info["duration"])
            shown = np.asarray(image.convert("RGB"))
            assert np.abs(shown.astype(int) - np.roll(patches(), 8 * index, axis=1)).mean() < 6
        assert durations[:3] == [50, 50, 200]
        assert image.info["loop"] == 0


@pytest.mark.parametrize("suffix", [".gif", ".webp"])
def test_animations_keep_transparency(tmp_path: Path, suffix: str) -> None:
    animation(tmp_path / f"out{suffix}", alpha=True)
    with Image.open(tmp_path / f"out{suffix}") as image:
        image.seek(2)
        alpha = np.asarray(image.convert("RGBA"))[..., 3]
    assert alpha[20, 10] == 255
    assert alpha[20, 60] == 0


def test_animations_have_no_sound_and_say_so(tmp_path: Path) -> None:
    source = Video(CFR[:6], sound="aac").write(tmp_path / "in.mp4")
    report = convert(source, tmp_path / "out.gif", Inverter(), ConvertSettings())
    assert any("left out: sound" in note for note in report.notes)
    assert any("hundredths" in note for note in report.notes)


def test_names_with_numbers() -> None:
    assert is_sequence(Path("frames/%05d.png"))
    assert is_sequence(Path("frames/x%d.png"))
    assert not is_sequence(Path("100%.png"))
    assert numbered_path(Path("a/x_%04d.png"), 7) == Path("a/x_0007.png")
    assert numbered_path(Path("a/x%d.png"), 12) == Path("a/x12.png")


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_out_and_in_again(tmp_path: Path, suffix: str) -> None:
    source = Video(CFR).write(tmp_path / "in.mp4")
    pattern = tmp_path / f"%03d{suffix}"
    report = convert(source, pattern, Inverter(), ConvertSettings())
    assert report.frames == len(CFR)
    assert len(list(tmp_path.glob(f"*{suffix}"))) == len(CFR)
    assert np.abs(255 - read_image(tmp_path / f"004{suffix}").pixels.astype(int) - numbered(3)).mean() < 6
    assert any("no sound and no times" in note for note in report.notes)

    back = tmp_path / "back.mp4"
    settings = ConvertSettings(fps="29.97")
    assert convert(pattern, back, Inverter(), settings).complete
    with VideoReader(back) as reader:
        frames = list(reader)
    assert [frame.pts for frame in frames] == [tick * CLOCK for tick in CFR]
    assert all(np.abs(f.pixels.astype(int) - numbered(f.index)).mean() < 6 for f in frames)


def test_sequences_may_start_anywhere_but_have_no_gaps(tmp_path: Path) -> None:
    pattern = tmp_path / "x%02d.png"
    with pytest.raises(SourceError, match=r"no such images; the first would be .*x01\.png"):
        VideoReader(pattern)
    for number in (7, 8, 9, 11):
        write_image(numbered_path(pattern, number), Still(patches()))
    with pytest.raises(SourceError, match=r"x10\.png is missing although the sequence goes on to x11\.png"):
        VideoReader(pattern)
    numbered_path(pattern, 11).unlink()
    with VideoReader(pattern, SourceSettings(fps="10")) as reader:
        frames = list(reader)
    assert [frame.pts for frame in frames] == [Fraction(0), Fraction(1, 10), Fraction(1, 5)]
    assert np.array_equal(patch_colors(frames[0].pixels), patch_colors(patches()))


def test_images_keep_transparency(tmp_path: Path) -> None:
    alpha = np.zeros((48, 64), np.uint8)
    with SequenceWriter(tmp_path / "%02d.png", alpha=True) as writer:
        writer.write(Frame(patches(), Fraction(0), 0.0, 0, alpha))
    still = read_image(tmp_path / "01.png")
    assert still.alpha is not None
    assert not still.alpha.any()
    with VideoReader(tmp_path / "%02d.png") as reader:
        assert reader.has_alpha
    assert any("transparency" in note for note in SequenceWriter(tmp_path / "%02d.jpg", alpha=True).notes)


def test_an_old_sequence_is_not_mixed_up(tmp_path: Path) -> None:
    pattern = tmp_path / "%02d.png"
    write_image(tmp_path / "05.png", Still(patches()))
    with pytest.raises(UsageError, match=r"05\.png: already exists"):
        check_paths(tmp_path / "in.mp4", pattern, overwrite=False)
    check_paths(tmp_path / "in.mp4", pattern, overwrite=True)
    with pytest.raises(UsageError, match="cannot write this kind of image"):
        check_paths(tmp_path / "in.mp4", tmp_path / "%02d.xyz", overwrite=False)
    with pytest.raises(SinkError, match="does not exist"):
        SequenceWriter(tmp_path / "nowhere" / "%02d.png")
