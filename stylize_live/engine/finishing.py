"""From the painting of a picture to what is shown, on the CPU: enlarged, mixed, in whole levels."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from stylize_live.engine.flow import Plane
from stylize_live.engine.look import (
    LEAST_CONTRAST,
    SHARPEN_SIGMA,
    SHARPEN_WIDTH,
    Look,
    contrast_step,
    sharpening,
)
from stylize_live.frame import Pixels
from stylize_live.media.libraries import cv2


def reduced_to(pixels: Pixels, size: tuple[int, int]) -> Pixels:
    """A picture at the (width, height) to paint it at; the same array if it has that size."""
    if pixels.shape[1::-1] == size:
        return pixels
    how = cv2.INTER_AREA if size[0] < pixels.shape[1] else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(pixels, size, interpolation=how), pixels.dtype)


def settled(painted: Plane, small: Pixels) -> Plane:
    """Take back what the network makes of next to nothing: a black picture would get a mesh.

    Its norms bring any contrast to the same level, be it that of noise. So the painting of a picture with
    less than `LEAST_CONTRAST` gets as much less itself, down to a single colour.

    Args:
        painted: (h, w, 3) float32.
        small: (h, w, 3), the picture it was painted from.

    Returns:
        (h, w, 3) float32, mostly `painted` itself.
    """
    step = contrast_step(*small.shape[:2])
    _, deviations = cv2.meanStdDev(np.ascontiguousarray(small[::step, ::step]))
    share = float(deviations.max()) * 255 / np.iinfo(small.dtype).max / LEAST_CONTRAST
    if share >= 1:
        return painted
    mean = np.asarray(cv2.mean(painted)[:3], np.float32)
    return mean + np.float32(share) * (painted - mean)


def finished(painted: Plane, pixels: Pixels, look: Look) -> Plane:
    """Lay a painting over its picture.

    Args:
        painted: (h, w, 3) float32 in 0..255.
        pixels: (H, W, 3), the picture; uint8 or uint16.
        look: strength and colours.

    Returns:
        (H, W, 3) float32, about 0..255: not clipped yet, perhaps `painted` itself.
    """
    sharp = sharpened(painted, sharpening(painted.shape[:2], pixels.shape[:2]))
    if look.keep_colors:
        # Light of the painting instead of the picture's own; what is coloured in it stays.
        light = _enlarged(cv2.cvtColor(sharp, cv2.COLOR_RGB2GRAY), pixels)
        change = cv2.subtract(light, _light(pixels))
        shown = cv2.add(_levels(pixels), cv2.cvtColor(change, cv2.COLOR_GRAY2RGB))
    else:
        shown = _enlarged(sharp, pixels)
    if look.strength < 1:
        shown = cv2.addWeighted(shown, look.strength, _levels(pixels), 1 - look.strength, 0)
    return np.asarray(shown, np.float32)


def quickly_reduced_to(pixels: Pixels, size: tuple[int, int]) -> Pixels:
    """As `reduced_to`, a little softer: what is far too large is halved first, which is far faster."""
    while pixels.shape[1] >= 2 * size[0] and pixels.shape[0] >= 2 * size[1]:
        half = pixels.shape[1] // 2, pixels.shape[0] // 2
        pixels = np.asarray(cv2.resize(pixels, half, interpolation=cv2.INTER_AREA), pixels.dtype)
    return reduced_to(pixels, size)


def quickly_finished(painted: Plane, pixels: Pixels, look: Look) -> Pixels:
    """As `finished`, in eight bits from the small painting on: within a few levels, in half the time.

    Args:
        painted: (h, w, 3) float32 in 0..255.
        pixels: (H, W, 3) uint8, the picture.
        look: strength and colours.

    Returns:
        (H, W, 3) uint8, a new array.
    """
    small = cv2.addWeighted(painted, 1, painted, 0, 0, dtype=cv2.CV_8U)
    sharp = sharpened(small, sharpening(painted.shape[:2], pixels.shape[:2]))
    if look.keep_colors:
        parts = list(cv2.split(cv2.cvtColor(pixels, cv2.COLOR_RGB2YCrCb)))
        parts[0] = _enlarged(cv2.cvtColor(sharp, cv2.COLOR_RGB2GRAY), pixels)
        shown = cv2.cvtColor(cv2.merge(parts), cv2.COLOR_YCrCb2RGB)
    else:
        shown = _enlarged(sharp, pixels)
    if look.strength < 1:
        shown = cv2.addWeighted(shown, look.strength, pixels, 1 - look.strength, 0)
    return np.asarray(shown, np.uint8)


def sharpened(painted: npt.NDArray[Any], amount: float) -> npt.NDArray[Any]:
    """Unsharp masking: (h, w, 3) float32 or uint8 to the same, itself for an amount of 0."""
    if not amount:
        return painted
    soft = cv2.GaussianBlur(painted, (SHARPEN_WIDTH, SHARPEN_WIDTH), SHARPEN_SIGMA)
    return np.asarray(cv2.addWeighted(painted, 1 + amount, soft, -amount, 0), painted.dtype)


def _enlarged(plane: npt.NDArray[Any], like: Pixels) -> npt.NDArray[Any]:
    size = like.shape[1], like.shape[0]
    how = cv2.INTER_AREA if size[0] < plane.shape[1] else cv2.INTER_CUBIC
    return plane if plane.shape[1::-1] == size else np.asarray(cv2.resize(plane, size, interpolation=how))


def _levels(pixels: Pixels) -> Plane:
    return np.multiply(pixels, np.float32(255 / np.iinfo(pixels.dtype).max), dtype=np.float32)


def _light(pixels: Pixels) -> Plane:
    return _levels(np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), pixels.dtype))
