"""People over what is behind them: one image laid over another, and a background out of focus."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from stylize_live.frame import Pixels
from stylize_live.media.libraries import cv2

# Radius of the blur as a share of the shorter side: text on a shelf cannot be read, a window stays a window.
_BLUR = 0.024
_LEAST_SIDE = 180  # pixels of the shorter side up to which an image is reduced before it is blurred


def lay_over(over: Pixels, under: Pixels, matte: Pixels) -> Pixels:
    """Lay one image over another.

    Args:
        over, under: (H, W, 3), both uint8 or both uint16.
        matte: (H, W) of the same dtype: how much of `over` is seen, from 0 to all.

    Returns:
        A new array like them. Where all of one is seen, its values are exactly that one's.
    """
    shares = cv2.cvtColor(matte, cv2.COLOR_GRAY2RGB)
    scale = 1 / np.iinfo(over.dtype).max
    shown = cv2.multiply(over, shares, scale=scale)
    rest = cv2.multiply(under, cv2.bitwise_not(shares, dst=shares), dst=shares, scale=scale)
    return np.asarray(cv2.add(shown, rest, dst=shown), over.dtype)


@lru_cache(maxsize=1)
def fill(
    color: tuple[int, int, int], shape: tuple[int, ...], dtype: np.dtype[np.uint8 | np.uint16]
) -> Pixels:
    """An image of one color, RGB from 0 to 255: of a shape (H, W, 3), made once as long as it is the same."""
    pixels = np.empty(shape, dtype)
    pixels[:] = as_deep(np.array(color, np.uint8), dtype)
    pixels.flags.writeable = False
    return pixels


def hide_background(pixels: Pixels, matte: Pixels) -> Pixels:
    """Black where nothing of an image is seen, so that nothing of it is left in what ignores transparency.

    Args:
        pixels: (H, W, 3).
        matte: (H, W), 0 where nothing is seen.

    Returns:
        A new array like `pixels`.
    """
    shown = np.zeros_like(pixels)
    cv2.copyTo(pixels, np.asarray(matte > 0, np.uint8), shown)
    return shown


def defocus(pixels: Pixels, matte: Pixels) -> Pixels:
    """Blur a background. People leave no halo in it: it is averaged over what is not a person.

    Args:
        pixels: (H, W, 3), uint8 or uint16.
        matte: (H, W) of the same dtype: how much of a person.

    Returns:
        A new array like `pixels`.
    """
    height, width = pixels.shape[:2]
    factor = max(1, min(height, width) // _LEAST_SIDE)
    size = max(1, width // factor), max(1, height // factor)
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    most = np.float32(np.iinfo(pixels.dtype).max)
    # A little is seen even of what is all person: where there is nothing else far and wide, that is blurred.
    shares = 1.001 - cv2.resize(matte, size, interpolation=cv2.INTER_AREA).astype(np.float32) / most
    sigma = max(1.0, _BLUR * min(size))
    total = cv2.GaussianBlur(small * shares[..., None], (0, 0), sigma)
    weight = cv2.GaussianBlur(shares, (0, 0), sigma)
    blurred = np.clip(np.rint(total / weight[..., None]), 0, most).astype(pixels.dtype)
    return np.asarray(cv2.resize(blurred, (width, height), interpolation=cv2.INTER_LINEAR), pixels.dtype)


def as_deep(pixels: Pixels, dtype: np.dtype[np.uint8 | np.uint16]) -> Pixels:
    """Levels of 8 bits as such of another dtype, the same array where they are it."""
    return pixels if pixels.dtype == dtype else pixels.astype(np.uint16) * np.uint16(257)
