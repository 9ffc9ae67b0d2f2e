"""One image over another, and backgrounds out of focus."""

from __future__ import annotations

import numpy as np
import pytest
from tiny import random_pixels

from stylize_live.engine.cpu.blending import as_deep, defocus, hide_background, lay_over

OVER, UNDER = random_pixels(64, 48, 1), random_pixels(64, 48, 2)
SHARES = np.arange(64 * 48).reshape(48, 64) % 256


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_shares_are_exact_to_a_level(dtype: type[np.uint8 | np.uint16]) -> None:
    over, under, matte = (as_deep(one.astype(np.uint8), np.dtype(dtype)) for one in (OVER, UNDER, SHARES))
    laid = lay_over(over, under, matte)
    part = SHARES[..., None] / 255
    assert laid.dtype == dtype
    assert np.abs(laid - (over * part + under * (1 - part))).max() <= 1
    assert (laid[SHARES == 255] == over[SHARES == 255]).all()
    assert (laid[SHARES == 0] == under[SHARES == 0]).all()


def test_nothing_is_left_of_what_is_hidden() -> None:
    matte = (SHARES * (SHARES > 100)).astype(np.uint8)
    hidden = hide_background(OVER, matte)
    assert not hidden[matte == 0].any()
    assert (hidden[matte > 0] == OVER[matte > 0]).all()


@pytest.mark.parametrize("size", [(640, 480), (30, 20), (1, 1), (500, 3)])
def test_people_leave_no_halo_in_a_blurred_background(size: tuple[int, int]) -> None:
    width, height = size
    pixels = np.full((height, width, 3), 90, np.uint8)
    matte = np.zeros((height, width), np.uint8)
    matte[height // 4 : height * 3 // 4, width // 4 : width * 3 // 4] = 255
    pixels[matte > 0] = (255, 0, 0)
    blurred = defocus(pixels, matte)
    assert blurred.shape == pixels.shape
    assert np.abs(blurred[matte == 0].astype(int) - 90).max() <= 8


def test_a_blurred_background_has_no_detail() -> None:
    stripes = np.zeros((240, 320, 3), np.uint8)
    stripes[:, ::4] = 255
    blurred = defocus(stripes, np.zeros((240, 320), np.uint8))
    assert blurred.std() < 2
    deep = defocus(stripes.astype(np.uint16) * 257, np.zeros((240, 320), np.uint16))
    assert np.abs(deep / 257 - blurred).max() <= 1


def test_all_person_is_blurred_where_there_is_nothing_else() -> None:
    blurred = defocus(OVER, np.full((48, 64), 255, np.uint8))
    assert abs(blurred.mean() - OVER.mean()) < 10
