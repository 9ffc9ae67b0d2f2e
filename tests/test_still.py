"""Still pictures: orientation, transparency, odd modes, damage."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from conftest import random_pixels
from PIL import Image

from stylize_live.errors import SinkError, SourceError, UsageError
from stylize_live.media.still import Still, read_still, resized, write_still

PIXELS = random_pixels(40, 30)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".jpeg", ".webp", ".PNG"])
def test_round_trip(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"x{suffix}"
    write_still(path, Still(PIXELS))
    again = read_still(path)
    assert again.alpha is None
    assert np.abs(again.pixels.astype(int) - PIXELS).mean() < (0.01 if "png" in suffix.lower() else 12)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("suffix", [".png", ".webp"])
def test_alpha_is_kept(tmp_path: Path, suffix: str) -> None:
    alpha = np.zeros((30, 40), np.uint8)
    alpha[:, 20:] = 200
    write_still(tmp_path / f"x{suffix}", Still(PIXELS, alpha))
    again = read_still(tmp_path / f"x{suffix}")
    assert again.alpha is not None
    assert (again.alpha == alpha).all()


def test_orientation_tag_turns_the_picture(tmp_path: Path) -> None:
    image = Image.fromarray(PIXELS)
    exif = Image.Exif()
    exif[0x0112] = 6  # turn a quarter clockwise
    image.save(tmp_path / "x.png", exif=exif)
    assert (read_still(tmp_path / "x.png").pixels == np.rot90(PIXELS, -1)).all()


def test_icc_profile_is_passed_on(tmp_path: Path) -> None:
    rgb, cmyk = (b"0" * 16 + space + b"..." for space in (b"RGB ", b"CMYK"))
    write_still(tmp_path / "x.png", Still(PIXELS, None, rgb))
    assert read_still(tmp_path / "x.png").icc_profile == rgb
    write_still(tmp_path / "y.png", Still(PIXELS, None, cmyk))
    assert read_still(tmp_path / "y.png").icc_profile is None  # what is written is RGB


@pytest.mark.parametrize(("name", "width"), [("x.jpg", 70_000), ("x.webp", 20_000)])
def test_what_a_format_cannot_hold_is_said(tmp_path: Path, name: str, width: int) -> None:
    strip = Still(np.zeros((2, width, 3), np.uint8))
    with pytest.raises(SinkError, match=r"too large for (JPEG|WEBP).*\.png"):
        write_still(tmp_path / name, strip)
    assert not list(tmp_path.iterdir())
    write_still(tmp_path / "x.png", strip)


@pytest.mark.parametrize("mode", ["L", "P", "1", "CMYK", "LA", "PA"])
def test_other_modes_become_rgb(tmp_path: Path, mode: str) -> None:
    suffix = "tif" if mode == "CMYK" else "png"
    image = Image.fromarray(PIXELS)
    image = image.convert("P").convert("PA") if mode == "PA" else image.convert(mode)
    image.save(tmp_path / f"x.{'tif' if mode == 'PA' else suffix}")
    assert read_still(next(tmp_path.iterdir())).pixels.shape == (30, 40, 3)


def test_sixteen_bit_grey(tmp_path: Path) -> None:
    Image.fromarray(np.full((4, 4), 128 * 257, np.uint16)).save(tmp_path / "x.png")
    assert (read_still(tmp_path / "x.png").pixels == 128).all()


def test_damage_is_one_clear_error(tmp_path: Path) -> None:
    good = tmp_path / "good.png"
    write_still(good, Still(PIXELS))
    (tmp_path / "cut.png").write_bytes(good.read_bytes()[: good.stat().st_size // 2])
    (tmp_path / "empty.png").touch()
    (tmp_path / "text.png").write_text("hello")
    for name in ("cut.png", "empty.png", "text.png", "missing.png", ""):
        with pytest.raises(SourceError, match=re.escape(str(tmp_path / name))) as caught:
            read_still(tmp_path / name)
        assert "\n" not in str(caught.value)


def test_unwritable_targets(tmp_path: Path) -> None:
    with pytest.raises(SinkError, match="cannot write"):
        write_still(tmp_path / "no" / "x.png", Still(PIXELS))
    with pytest.raises(UsageError, match="use one of"):
        write_still(tmp_path / "x.gif", Still(PIXELS))
    assert not list(tmp_path.iterdir())


def test_resized_short_side() -> None:
    assert resized(PIXELS, 60).shape == (60, 80, 3)
    assert resized(np.zeros((1, 500, 3), np.uint8), 1).shape == (1, 500, 3)
