"""RMSE, PSNR, SSIM and stroke energy, by hand-made cases and by another implementation's values."""

from __future__ import annotations

import math

import numpy as np
import pytest
from tiny import random_pixels

from stylize_live.engine.image_metrics import gradient_energy, psnr, rmse, ssim, stroke_energy
from stylize_live.frame import Pixels


def ramps(width: int, height: int) -> Pixels:
    y, x = np.mgrid[:height, :width]
    return np.stack([x * 3 % 256, (y * 5 + x) % 256, (x * y // 7) % 256], -1).astype(np.uint8)


def even(level: int) -> Pixels:
    return np.full((20, 24, 3), level, np.uint8)


@pytest.mark.parametrize(
    ("a", "b", "likeness", "decibels"),
    [
        (random_pixels(60, 45, 1), random_pixels(60, 45, 2), 0.14970047093795671, 7.49823267455235),
        (ramps(80, 60), ramps(80, 60) // 2 + 40, 0.8378126950933865, 16.23969222154603),
        (ramps(80, 60), random_pixels(80, 60, 3), 0.19183259958104212, 8.484529457840228),
    ],
)
def test_values_of_scikit_image(a: Pixels, b: Pixels, likeness: float, decibels: float) -> None:
    """scikit-image 0.26, structural_similarity(gaussian_weights=True, use_sample_covariance=False)."""
    assert ssim(a, b) == pytest.approx(likeness, abs=1e-9)
    assert psnr(a, b) == pytest.approx(decibels, abs=1e-9)


def test_equal_images() -> None:
    image = ramps(30, 20)
    assert rmse(image, image) == 0
    assert psnr(image, image) == math.inf
    assert ssim(image, image) == pytest.approx(1)
    assert stroke_energy(image, image) == 1


def test_even_images_by_hand() -> None:
    a, b = 51 / 255, 102 / 255
    assert rmse(even(51), even(102)) == pytest.approx(0.2)
    assert psnr(even(51), even(102)) == pytest.approx(13.979, abs=1e-3)
    assert ssim(even(51), even(102)) == pytest.approx((2 * a * b + 1e-4) / (a * a + b * b + 1e-4))


def test_differences_do_not_wrap_around() -> None:
    assert rmse(even(0), even(255)) == rmse(even(255), even(0)) == 1


def test_ssim_needs_room_for_its_window() -> None:
    with pytest.raises(ValueError, match="at least 11"):
        ssim(even(0)[:10], even(0)[:10])


def test_stroke_energy_falls_with_contrast_and_is_unknown_for_an_even_image() -> None:
    image = random_pixels(40, 30) // 2 * 2
    assert stroke_energy(image // 2, image) == pytest.approx(0.25)
    assert math.isnan(stroke_energy(image, even(9)))


def test_gradient_energy_of_stripes() -> None:
    stripes = np.zeros((8, 8, 3), np.uint8)
    stripes[::2] = 10
    assert gradient_energy(stripes) == pytest.approx(100)
