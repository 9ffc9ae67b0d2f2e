"""Images of one shape inside another, nothing stretched."""

from __future__ import annotations

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
