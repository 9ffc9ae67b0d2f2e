"""Planes laid together are the same frame."""

from __future__ import annotations

import numpy as np
import pytest
from tiny import random_pixels

from stylize_live.media.color.planar import PLANAR_RGB, PLANAR_RGB_16, interleave
from stylize_live.media.libraries import av


@pytest.mark.parametrize("size", [(64, 48), (49, 35), (1, 1)])
def test_planes_are_laid_together(size: tuple[int, int]) -> None:
    pixels = random_pixels(*size)
    frame = av.VideoFrame.from_ndarray(pixels, "rgb24").reformat(format=PLANAR_RGB)
    together = interleave(frame)
    assert np.array_equal(together, pixels)
    assert together.flags.c_contiguous


def test_sixteen_bits_too() -> None:
    pixels = random_pixels(49, 35).astype(np.uint16) * 200
    frame = av.VideoFrame.from_ndarray(pixels, "rgb48le").reformat(format=PLANAR_RGB_16)
    assert np.array_equal(interleave(frame), pixels)
