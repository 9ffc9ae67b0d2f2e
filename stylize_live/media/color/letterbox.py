"""Images of one shape inside another, nothing stretched."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from stylize_live.frame import Pixels
from stylize_live.media.libraries import cv2

_SAME_SHAPE = 0.02  # rounding to whole and even sides


def fit_inside(size: tuple[int, int], outer: tuple[int, int]) -> tuple[int, int]:
    """The largest size of the same shape that fits, in pixels; all of `outer` where shapes nearly agree.

    Args:
        size: (width, height) of the image.
        outer: (width, height) to fit into.
    """
    scales = outer[0] / size[0], outer[1] / size[1]
    if max(scales) <= min(scales) * (1 + _SAME_SHAPE):
        return outer
    return max(1, round(size[0] * min(scales))), max(1, round(size[1] * min(scales)))


def letterbox(pixels: Pixels, outer: tuple[int, int]) -> Pixels:
    """The whole image, (H, W, 3) uint8, scaled into `outer`, black where its shape differs."""
    height, width = pixels.shape[:2]
    inner = fit_inside((width, height), outer)
    if inner != (width, height):
        shrinks = inner[0] < width
        scaled = cv2.resize(pixels, inner, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
        pixels = np.asarray(scaled, np.uint8)
    return place_in_frame(pixels, outer)


def place_in_frame(pixels: Pixels, outer: tuple[int, int]) -> Pixels:
    """The image, (H, W, 3) or (H, W), in the middle of zeros, black or transparent, of size `outer`."""
    height, width = pixels.shape[:2]
    if (width, height) == outer:
        return pixels
    left, top = (outer[0] - width) // 2, (outer[1] - height) // 2
    canvas = np.zeros((outer[1], outer[0], *pixels.shape[2:]), pixels.dtype)
    canvas[top : top + height, left : left + width] = pixels
    return canvas


def cover(pixels: Pixels, size: tuple[int, int], pixel_aspect: Fraction = Fraction(1)) -> Pixels:
    """An image scaled until it covers a (width, height), and cut to it around its middle.

    Args:
        pixels: (h, w, 3), of square pixels.
        size: in pixels.
        pixel_aspect: width over height of those.

    Returns:
        (height, width, 3) of the same dtype; the same array if it has that size.
    """
    if pixels.shape[1::-1] == size and pixel_aspect == 1:
        return pixels
    height, width = pixels.shape[:2]
    wide = float(size[0] * pixel_aspect)  # of square pixels
    scale = max(wide / width, size[1] / height)
    # What is seen of it, cut out before it is scaled.
    seen = min(width, max(1, round(wide / scale))), min(height, max(1, round(size[1] / scale)))
    left, top = (width - seen[0]) // 2, (height - seen[1]) // 2
    part = np.ascontiguousarray(pixels[top : top + seen[1], left : left + seen[0]])
    how = cv2.INTER_AREA if seen[0] >= size[0] and seen[1] >= size[1] else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(part, size, interpolation=how), pixels.dtype)
