"""Transparent frames for what takes none, and images that cover a frame."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from tiny import random_pixels

from stylize_live.frame import Frame
from stylize_live.media.color.letterbox import cover
from stylize_live.media.color.opaque import on_black

PIXELS = random_pixels(40, 30)


def test_an_opaque_frame_is_itself() -> None:
    assert on_black(Frame(PIXELS, Fraction(0), 0.0, 0)) is PIXELS


@pytest.mark.parametrize("most", [255, 65_535])
def test_what_is_transparent_becomes_black(most: int) -> None:
    dtype = np.uint8 if most == 255 else np.uint16
    pixels = PIXELS.astype(dtype) * (most // 255)
    alpha = np.linspace(0, most, 1200).reshape(30, 40).astype(dtype)
    shown = on_black(Frame(pixels.astype(dtype), Fraction(0), 0.0, 0, alpha))
    assert np.abs(shown - pixels * (alpha[..., None] / most)).max() <= 1


@pytest.mark.parametrize("size", [(40, 30), (80, 60), (16, 9), (9, 16), (1, 1), (200, 3)])
def test_a_frame_is_covered_by_the_middle(size: tuple[int, int]) -> None:
    covered = cover(PIXELS, size)
    assert covered.shape == (size[1], size[0], 3)
    split = np.zeros((30, 40, 3), np.uint8)
    split[:, 20:] = 255
    seen = cover(split, size)
    if size[0] > 4:
        assert seen[:, 0].max() < 60
        assert seen[:, -1].min() > 195
