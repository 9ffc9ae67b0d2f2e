"""Images: orientation, transparency, odd modes, damage."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tiny import random_pixels

from stylize_live.errors import SinkError, SourceError, UsageError
from stylize_live.media.image.high_bit_gray import to_eight_bits
from stylize_live.media.image.io import Still, read_image, resize, write_image

PIXELS = random_pixels(40, 30)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".jpeg", ".webp", ".PNG"])
def test_round_trip(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"x{suffix}"
    write_image(path, Still(PIXELS))
    again = read_image(path)
    assert again.alpha is None
    assert np.abs(again.pixels.astype(int) - PIXELS).mean() < (0.01 if "png" in suffix.lower() else 12)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("suffix", [".png", ".webp"])
def test_alpha_is_kept(tmp_path: Path, suffix: str) -> None:
    alpha = np.zeros((30, 40), np.uint8)
    alpha[:, 20:] = 200
    write_image(tmp_path / f"x{suffix}", Still(PIXELS, alpha))
    again = read_image(tmp_path / f"x{suffix}")
    assert again.alpha is not None
    assert (again.alpha == alpha).all()


def test_orientation_tag_turns_the_image(tmp_path: Path) -> None:
    image = Image.fromarray(PIXELS)
    exif = Image.Exif()
    exif[0x0112] = 6  # turn a quarter clockwise
    image.save(tmp_path / "x.png", exif=exif)
    assert (read_image(tmp_path / "x.png").pixels == np.rot90(PIXELS, -1)).all()


def test_icc_profile_is_passed_on(tmp_path: Path) -> None:
    rgb, cmyk = (b"0" * 16 + space + b"..." for space in (b"RGB ", b"CMYK"))
    write_image(tmp_path / "x.png", Still(PIXELS, None, rgb))
    assert read_image(tmp_path / "x.png").icc_profile == rgb
    write_image(tmp_path / "y.png", Still(PIXELS, None, cmyk))
    assert read_image(tmp_path / "y.png").icc_profile is None  # what is written is RGB


@pytest.mark.parametrize(("name", "width"), [("x.jpg", 70_000), ("x.webp", 20_000)])
def test_what_a_format_cannot_hold_is_said(tmp_path: Path, name: str, width: int) -> None:
    strip = Still(np.zeros((2, width, 3), np.uint8))
    with pytest.raises(SinkError, match=r"too large for (JPEG|WEBP).*\.png"):
        write_image(tmp_path / name, strip)
    assert not list(tmp_path.iterdir())
    write_image(tmp_path / "x.png", strip)


@pytest.mark.parametrize("mode", ["L", "P", "1", "CMYK", "LA", "PA"])
def test_other_modes_become_rgb(tmp_path: Path, mode: str) -> None:
    suffix = "tif" if mode == "CMYK" else "png"
    image = Image.fromarray(PIXELS)
    image = image.convert("P").convert("PA") if mode == "PA" else image.convert(mode)
    image.save(tmp_path / f"x.{'tif' if mode == 'PA' else suffix}")
    assert read_image(next(tmp_path.iterdir())).pixels.shape == (30, 40, 3)


RAMP = np.repeat(np.linspace(0, 1, 52)[None], 4, axis=0)  # in 8 bits: 0, 5, ..., 255


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("x.png", (RAMP * 65_535).round().astype(np.uint16)),
        ("x.tif", (RAMP * 65_535).round().astype(np.uint16)),
        ("x.tif", (RAMP * 65_535).round().astype(np.int32)),
        ("x.tif", (RAMP * (2**31 - 1)).round().astype(np.int32)),
        ("x.tif", RAMP.astype(np.float32)),
        ("x.tif", (RAMP * 1.5).astype(np.float32)),  # brighter than white
        ("x.tif", (RAMP * 255).astype(np.float32)),
        ("x.tif", (RAMP * 1e6).astype(np.float32)),
        ("x.tif", (RAMP * 2 - 1).astype(np.float32)),
    ],
)
def test_deep_grey_is_scaled(tmp_path: Path, name: str, values: np.ndarray) -> None:
    Image.fromarray(values).save(tmp_path / name)
    still = read_image(tmp_path / name)
    assert still.alpha is None
    assert np.abs(still.pixels[..., 1] - RAMP * 255).max() <= 0.51


def test_deep_grey_keeps_its_transparent_level(tmp_path: Path) -> None:
    values = (RAMP * 65_535).round().astype(np.uint16)
    Image.fromarray(values).save(tmp_path / "x.png", transparency=65_535)
    still = read_image(tmp_path / "x.png")
    assert still.alpha is not None
    assert still.alpha[0].tolist() == [255] * 51 + [0]
    assert still.pixels[0, ::10, 0].tolist() == [0, 50, 100, 150, 200, 250]


def test_floats_that_are_no_numbers_are_no_harm(tmp_path: Path) -> None:
    values = RAMP.astype(np.float32)
    values[0, :3] = np.nan, np.inf, -np.inf
    Image.fromarray(values).save(tmp_path / "x.tif")
    pixels = read_image(tmp_path / "x.tif").pixels[..., 0]
    assert pixels[0, :3].tolist() == [0, 255, 0]
    assert np.abs(pixels[1] - RAMP[1] * 255).max() <= 0.51


@pytest.mark.parametrize(
    ("values", "tags"),
    [
        ((65_535 - RAMP * 65_535).astype(np.uint16), {262: 0}),  # white is zero
        ((RAMP * 4095).round().astype(np.uint16), {258: 12}),  # bits of a sample
        ((RAMP * (2**32 - 1)).round().astype(np.uint32).view(np.int32), {339: 1}),  # unsigned
        ((RAMP * (2**15 - 1)).round().astype(np.int32), {258: 16, 339: 2}),  # signed
    ],
)
def test_what_tiff_says_of_its_levels(values: np.ndarray, tags: dict[int, int]) -> None:
    grey, _ = to_eight_bits(Image.fromarray(values), {number: (value,) for number, value in tags.items()})
    assert np.abs(grey - RAMP * 255).max() <= 0.51


def test_deep_grey_is_turned_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray((RAMP * 65_535).round().astype(np.uint16)).save(tmp_path / "x.png", exif=exif)
    assert (read_image(tmp_path / "x.png").pixels[:, 0, 0] == np.arange(0, 256, 5)).all()


def test_damage_is_one_clear_error(tmp_path: Path) -> None:
    good = tmp_path / "good.png"
    write_image(good, Still(PIXELS))
    (tmp_path / "cut.png").write_bytes(good.read_bytes()[: good.stat().st_size // 2])
    (tmp_path / "empty.png").touch()
    (tmp_path / "text.png").write_text("hello")
    for name in ("cut.png", "empty.png", "text.png", "missing.png", ""):
        with pytest.raises(SourceError, match=re.escape(str(tmp_path / name))) as caught:
            read_image(tmp_path / name)
        assert "\n" not in str(caught.value)


def test_unwritable_targets(tmp_path: Path) -> None:
    with pytest.raises(SinkError, match="cannot write"):
        write_image(tmp_path / "no" / "x.png", Still(PIXELS))
    with pytest.raises(UsageError, match="use one of"):
        write_image(tmp_path / "x.gif", Still(PIXELS))
    assert not list(tmp_path.iterdir())


def test_resized_short_side() -> None:
    assert resize(PIXELS, 60).shape == (60, 80, 3)
    assert resize(np.zeros((1, 500, 3), np.uint8), 1).shape == (1, 500, 3)
