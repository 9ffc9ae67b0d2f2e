"""Noise that can be followed: something for optical flow."""

from __future__ import annotations

import numpy as np

from stylize_live.frame import Pixels
from stylize_live.media.libraries import cv2


def texture(height: int, width: int, seed: int, grain: float = 3) -> Pixels:
    """Blurred noise: something that can be followed."""
    noise = np.random.default_rng(seed).normal(0, 1, (height, width, 3)).astype(np.float32)
    soft = cv2.GaussianBlur(noise, (0, 0), grain)
    return np.clip(128 + soft * 40 / soft.std(), 0, 255).astype(np.uint8)


def noisy(pixels: Pixels, seed: int, sigma: float) -> Pixels:
    """Another view of the same: what sensors and networks add."""
    noise = np.random.default_rng(seed).normal(0, sigma, pixels.shape)
    return np.clip(pixels + noise, 0, 255).astype(np.uint8)
