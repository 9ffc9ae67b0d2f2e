"""How similar a painted image is to its original: RMSE, PSNR, SSIM, and how much finer its detail is."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from stylize_live.frame import Pixels

_SIGMA = 1.5  # pixels: of SSIM's Gaussian window
_RADIUS = 5  # pixels: the window is 11 x 11
_C1, _C2 = 0.01**2, 0.03**2  # for values in [0, 1]

_Plane = npt.NDArray[np.float64]


def rmse(a: Pixels, b: Pixels) -> float:
    """Root of the mean squared difference of two (H, W, 3) uint8 images, white being 1."""
    return float(np.sqrt(np.square((a.astype(np.float64) - b) / 255).mean()))


def psnr(a: Pixels, b: Pixels) -> float:
    """Peak signal-to-noise ratio in decibels: infinite for equal images, about 10 for unrelated ones."""
    error = rmse(a, b)
    return -20 * math.log10(error) if error else math.inf


def ssim(a: Pixels, b: Pixels) -> float:
    """Structural similarity: 1 for equal images, about 0 for unrelated ones.

    As published (Wang et al., IEEE TIP 2004): an 11 x 11 Gaussian window, K = 0.01 and 0.03, the mean over
    all places where the window fits, here also over the three channels.

    Args:
        a, b: (H, W, 3) uint8 of one shape.

    Raises:
        ValueError: a side is shorter than the window.
    """
    if min(a.shape[:2]) <= 2 * _RADIUS:
        raise ValueError(f"SSIM needs images of at least {2 * _RADIUS + 1} pixels each way, got {a.shape}")
    x, y = a.astype(np.float64) / 255, b.astype(np.float64) / 255
    mean_x, mean_y = _window_mean(x), _window_mean(y)
    variances = _window_mean(x * x) + _window_mean(y * y) - mean_x**2 - mean_y**2
    covariance = _window_mean(x * y) - mean_x * mean_y
    likeness = (2 * mean_x * mean_y + _C1) * (2 * covariance + _C2)
    return float((likeness / ((mean_x**2 + mean_y**2 + _C1) * (variances + _C2))).mean())


def _window_mean(image: _Plane) -> _Plane:
    """Gaussian means of (H, W, 3) where the whole window fits: (H - 10, W - 10, 3)."""
    places = np.arange(-_RADIUS, _RADIUS + 1)
    weights = np.exp(-(places**2) / (2 * _SIGMA**2))
    weights /= weights.sum()
    for axis in (0, 1):
        size = image.shape[axis] - 2 * _RADIUS
        shifted = (np.take(image, range(i, i + size), axis) for i in range(2 * _RADIUS + 1))
        image = sum((w * part for w, part in zip(weights, shifted, strict=True)), np.zeros(()))
    return image


def gradient_energy(pixels: Pixels) -> float:
    """How much fine detail an image has: the mean squared difference of neighbours, levels squared."""
    levels = pixels.astype(np.float32)
    return float(np.square(np.diff(levels, axis=0)).mean() + np.square(np.diff(levels, axis=1)).mean())


def stroke_energy(painted: Pixels, original: Pixels) -> float:
    """Fine detail of the painted image relative to its original's: 1 for as much, NaN for an even one."""
    before = gradient_energy(original)
    return gradient_energy(painted) / before if before else math.nan
