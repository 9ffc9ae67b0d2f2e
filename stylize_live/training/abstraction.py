"""Photos as a painter sees them: edges and masses, without bricks, knitwear and grain."""

from __future__ import annotations

import numpy as np

from stylize_live.frame import Pixels
from stylize_live.media.libraries import cv2

_PASSES = 3
_DIAMETER = 9  # pixels
_LEVELS = 25.0  # of difference that is smoothed over; more is an edge
_REACH = 7.0  # pixels


def abstracted(pixels: Pixels) -> Pixels:
    """Smooth a picture between its edges: a bilateral filter, repeated.

    Winnemöller, Olsen & Gooch, "Real-time video abstraction", SIGGRAPH 2006.

    Args:
        pixels: (H, W, 3) uint8 RGB.

    Returns:
        The same shape and dtype.
    """
    for _ in range(_PASSES):
        pixels = np.asarray(cv2.bilateralFilter(pixels, _DIAMETER, _LEVELS, _REACH), np.uint8)
    return pixels
