"""Colours survive the way through YUV, whatever the tags."""

from __future__ import annotations

import numpy as np
import pytest
from clips import PATCHES, patch_colors, patches

from stylize_live.media.color.colorspace import ColorRange, ToRgb, ToStored, encoded_size, pad
from stylize_live.media.libraries import av

BT709, BT601 = 1, 6
WEIGHTS = {BT709: (0.2126, 0.0722), BT601: (0.299, 0.114)}
HD = (1280, 720)
SD = (640, 480)


def yuv_by_hand(size: tuple[int, int], matrix: int, full: bool) -> av.VideoFrame:
    """The bars as yuv444p, computed from the standards' formulas and not by the scaler."""
    red_weight, blue_weight = WEIGHTS[matrix]
    red, green, blue = np.moveaxis(patches(size) / 255.0, 2, 0)
    luma = red_weight * red + (1 - red_weight - blue_weight) * green + blue_weight * blue
    differences = (blue - luma) / (2 - 2 * blue_weight), (red - luma) / (2 - 2 * red_weight)
    span, color_span, black = (255, 255, 0) if full else (219, 224, 16)
    planes = [luma * span + black, *(d * color_span + 128 for d in differences)]
    values = np.stack([np.clip(np.rint(p), 0, 255).astype(np.uint8) for p in planes])
    return av.VideoFrame.from_ndarray(values, "yuv444p")


def error(frame: av.VideoFrame) -> int:
    return int(np.abs(patch_colors(ToRgb()(frame)) - np.array(PATCHES)).max())


@pytest.mark.parametrize("matrix", list(WEIGHTS), ids=str)
@pytest.mark.parametrize("full", [False, True], ids=["limited", "full"])
@pytest.mark.parametrize("size", [SD, HD], ids=["480", "720"])
def test_tags_are_honoured(matrix: int, full: bool, size: tuple[int, int]) -> None:
    frame = yuv_by_hand(size, matrix, full)
    frame.colorspace = 1 if matrix is BT709 else 6
    frame.color_range = ColorRange.JPEG if full else ColorRange.MPEG
    assert error(frame) <= 3


@pytest.mark.parametrize(("size", "matrix"), [(HD, BT709), (SD, BT601)], ids=["720", "480"])
def test_untagged_follows_the_number_of_lines(size: tuple[int, int], matrix: int) -> None:
    frame = yuv_by_hand(size, matrix, full=False)
    assert frame.colorspace == 2  # unspecified: the point of this test
    assert error(frame) <= 3
    other = next(m for m in WEIGHTS if m is not matrix)
    assert error(yuv_by_hand(size, other, full=False)) > 10


def test_yuvj_is_full_range() -> None:
    tagged = yuv_by_hand(SD, BT601, full=True)
    frame = av.VideoFrame.from_ndarray(tagged.to_ndarray(), "yuvj444p")
    assert error(frame) <= 3


@pytest.mark.parametrize("size", [SD, HD], ids=["480", "720"])
def test_there_and_back(size: tuple[int, int]) -> None:
    frame = ToStored()(patches(size))
    assert (frame.colorspace, frame.color_range, frame.color_primaries, frame.color_trc) == (1, 1, 1, 1)
    assert frame.format.name == "yuv420p"
    assert error(frame) <= 3


def test_grey_stays_grey() -> None:
    ramp = np.repeat(np.tile(np.arange(256, dtype=np.uint8), (16, 1))[..., None], 3, axis=2)
    back = ToRgb()(ToStored()(ramp)).astype(int)
    assert np.abs(back - ramp).max() <= 2
    assert np.ptp(back, axis=2).max() <= 1


def test_rgb_passes_unchanged() -> None:
    pixels = patches()
    frame = av.VideoFrame.from_ndarray(pixels, "rgb24")
    assert np.array_equal(ToRgb()(frame), pixels)


def test_scaled() -> None:
    frame = ToStored()(patches(SD))
    pixels = ToRgb()(frame, (120, 90))
    assert pixels.shape == (90, 120, 3)
    assert pixels.flags.c_contiguous
    assert np.abs(patch_colors(pixels) - np.array(PATCHES)).max() <= 3


def test_padding_repeats_the_edge() -> None:
    pixels = patches((7, 5))
    grown = pad(pixels, (8, 6))
    assert grown.shape == (6, 8, 3)
    assert np.array_equal(grown[:5, :7], pixels)
    assert np.array_equal(grown[5], grown[4])
    assert np.array_equal(grown[:, 7], grown[:, 6])
    assert pad(grown, (8, 6)) is grown


def test_deep_images_keep_their_levels() -> None:
    ramp = np.repeat(np.linspace(0, 65_535, 1024).astype(np.uint16)[None], 16, axis=0)
    deep = np.ascontiguousarray(np.repeat(ramp[..., None], 3, axis=2))
    stored = ToStored("yuv420p10le")(deep)
    back = ToRgb(10)(stored)
    assert back.dtype == np.uint16
    assert len(np.unique(back[8, :, 0])) > 800
    assert np.abs(back.astype(int) - deep).max() < 65_535 * 1.5 / 1023


@pytest.mark.parametrize("pixel_format", ["yuv420p10le", "yuv422p10le", "yuv444p10le", "gbrp10le", "bgr0"])
@pytest.mark.parametrize("deep", [False, True], ids=["from 8 bits", "from 16 bits"])
def test_deep_colors_are_right(pixel_format: str, deep: bool) -> None:
    pixels = patches(SD).astype(np.uint16) * 257 if deep else patches(SD)
    stored = ToStored(pixel_format)(pixels)
    within = 3 if pixel_format == "bgr0" else 0.8
    assert np.abs(patch_colors(ToRgb(10)(stored)) / 257 - np.array(PATCHES)).max() <= within
    assert error(stored) <= 1


def test_deep_white_is_white() -> None:
    white = ToStored("yuv420p10le")(np.full((16, 16, 3), 65_535, np.uint16))
    assert np.frombuffer(bytes(white.planes[0]), np.uint16)[0] == 940
    assert ToRgb(10)(white).min() >= 65_500
    alpha = ToStored("yuva444p10le")(np.full((16, 16, 4), 65_535, np.uint16))
    assert ToRgb(10).alpha(alpha).min() >= 65_500
    assert ToRgb().alpha(alpha).min() == 255


@pytest.mark.parametrize("pixel_format", ["yuv422p", "yuv444p", "yuv420p10le", "gbrp", "gbrp10le", "nv12"])
def test_every_layout_comes_back(pixel_format: str) -> None:
    frame = ToStored(pixel_format)(patches(SD))
    assert frame.format.name == pixel_format
    assert error(frame) <= 3


def blue_ramp() -> av.VideoFrame:
    """A ramp with half as many colour samples as pixels, which does not say where they sit."""
    frame = av.VideoFrame(64, 16, "yuv420p")
    rows = np.full(64, 128), 60 + 4 * np.arange(32), np.full(32, 128)
    for plane, row in zip(frame.planes, rows, strict=True):
        lines = np.zeros((plane.height, plane.line_size), np.uint8)
        lines[:, : row.size] = row
        plane.update(lines.tobytes())
    frame.colorspace, frame.color_range = 1, 1
    return frame


@pytest.mark.parametrize(("left", "shift"), [(True, 0.0), (False, 0.5)], ids=["left", "middle"])
def test_where_color_samples_sit(left: bool, shift: float) -> None:
    blue = ToRgb(sited_left=left)(blue_ramp())[8, 20:44, 2].astype(float)
    # 2.112 levels of blue for each level of chroma, two of those for each pixel.
    expected = 255 / 219 * (128 - 16) + (60 + 2 * (np.arange(20, 44) - shift) - 128) * 2.112
    assert np.abs(blue - expected).max() < 1


def test_color_samples_come_back_where_they_were() -> None:
    pixels = ToRgb(sited_left=True)(blue_ramp())
    back = ToRgb(sited_left=True)(ToStored()(pixels))
    assert np.abs(back[8, 20:44].astype(float) - pixels[8, 20:44]).mean() < 0.7


def test_padding_and_size_follow_the_layout() -> None:
    assert encoded_size((97, 67), "yuv420p") == (98, 68)
    assert encoded_size((97, 67), "yuv422p10le") == (98, 67)
    assert encoded_size((97, 67), "bgr0") == (97, 67)


def test_nonsense_in_the_tags_is_no_obstacle() -> None:
    frame = ToStored()(patches(HD))
    frame.colorspace, frame.color_primaries, frame.color_trc = 3, 3, 3  # reserved values, seen in the wild
    assert error(frame) <= 3
    assert (frame.colorspace, frame.color_primaries, frame.color_trc) == (3, 3, 3)
