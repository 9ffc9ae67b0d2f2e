"""Animated images as sources: WebP, AVIF, APNG, GIF."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from clips import CFR, Video, patches
from inverters import Inverter
from PIL import Image, features

from stylize_live.config import ConvertSettings
from stylize_live.conversion.convert import convert
from stylize_live.conversion.dry_run import dry_run
from stylize_live.errors import SourceError
from stylize_live.media.decode.reader import VideoReader

LENGTHS = (50, 100, 50, 200)  # milliseconds
needs_avif = pytest.mark.skipif(not features.check("avif"), reason="Pillow without AVIF")
KINDS = ["webp", "apng", pytest.param("avif", marks=needs_avif)]


def animation(path: Path, *, alpha: bool = False, **options: object) -> Path:
    """Four frames of coloured bars that move; with `alpha`, more opaque from one to the next."""
    images = [Image.fromarray(np.roll(patches(), 8 * index, axis=1)) for index in range(len(LENGTHS))]
    if alpha:
        for index, image in enumerate(images):
            image.putalpha(60 * (index + 1))
    kind = {"apng": "PNG"}.get(path.suffix[1:])
    more = {"quality": 95, "lossless": True} if path.suffix == ".webp" else {}
    durations = list(LENGTHS)
    images[0].save(path, kind, save_all=True, append_images=images[1:], duration=durations, **more, **options)
    return path


@pytest.mark.parametrize("alpha", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_animations_are_videos(tmp_path: Path, kind: str, alpha: bool) -> None:
    source = animation(tmp_path / f"in.{kind}", alpha=alpha)
    report = convert(source, tmp_path / "out.mkv", Inverter(), ConvertSettings(codec="ffv1"))
    assert (report.complete, report.notes) == (True, [])
    with VideoReader(tmp_path / "out.mkv") as reader:
        assert reader.has_alpha == alpha
        frames = list(reader)
        assert [frame.pts * 1000 for frame in frames] == [0, 50, 150, 200]
        assert reader.last_duration == Fraction(1, 5)
    for index, frame in enumerate(frames):
        expected = np.roll(patches(), 8 * index, axis=1)
        assert np.abs(255 - frame.pixels.astype(int) - expected).mean() < 9
        assert frame.alpha is None or np.abs(frame.alpha - 60.0 * (index + 1)).max() <= 2
    assert {path.name for path in tmp_path.iterdir()} == {source.name, "out.mkv"}


@pytest.mark.parametrize("kind", KINDS)
def test_a_dry_run_sees_what_moves(tmp_path: Path, kind: str) -> None:
    made = dry_run(animation(tmp_path / f"in.{kind}"), tmp_path / "out.mp4", ConvertSettings())
    assert made.size == (64, 48)
    assert made.beside == []


def test_what_does_not_move_is_an_image(tmp_path: Path) -> None:
    Image.fromarray(patches()).save(tmp_path / "in.webp")
    with pytest.raises(SourceError, match=r"in\.webp: not a video but an image; use the image command"):
        convert(tmp_path / "in.webp", tmp_path / "out.mp4", Inverter())


def test_a_damaged_animation_is_one_clear_error(tmp_path: Path) -> None:
    whole = animation(tmp_path / "whole.webp").read_bytes()
    for share in (20, 50, 90):
        (tmp_path / "in.webp").write_bytes(whole[: len(whole) * share // 100])
        with pytest.raises(SourceError, match=r"in\.webp: ") as caught:
            convert(tmp_path / "in.webp", tmp_path / "out.mp4", Inverter())
        assert "\n" not in str(caught.value)
    assert not (tmp_path / "out.mp4").exists()


@pytest.mark.parametrize(("loop", "again"), [(None, None), (0, 0), (1, 1), (7, 7)])
def test_a_gif_plays_as_often_as_before(tmp_path: Path, loop: int | None, again: int | None) -> None:
    source = animation(tmp_path / "in.gif", **({} if loop is None else {"loop": loop}))
    convert(source, tmp_path / "out.gif", Inverter())
    convert(source, tmp_path / "out.webp", Inverter())
    with Image.open(tmp_path / "out.gif") as image:
        assert image.info.get("loop") == again
    with Image.open(tmp_path / "out.webp") as image:
        assert image.info["loop"] == (1 if loop is None else loop and loop + 1)


def test_other_videos_play_for_ever(tmp_path: Path) -> None:
    for source in (Video(CFR[:3]).write(tmp_path / "a.mp4"), animation(tmp_path / "a.apng", loop=0)):
        convert(source, tmp_path / "out.gif", Inverter(), overwrite=True)
        with Image.open(tmp_path / "out.gif") as image:
            assert image.info["loop"] == 0
    once = animation(tmp_path / "b.apng", loop=1)
    convert(once, tmp_path / "out.gif", Inverter(), overwrite=True)
    with Image.open(tmp_path / "out.gif") as image:
        assert "loop" not in image.info


def test_errors_name_the_animation(tmp_path: Path) -> None:
    source = animation(tmp_path / "in.webp")
    with pytest.raises(SourceError, match=f"^{source}: ends before the start"):
        convert(source, tmp_path / "out.mp4", Inverter(), ConvertSettings(start="9"))
