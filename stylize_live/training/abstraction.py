"""Photos as a painter sees them: edges and masses, without bricks, knitwear and grain."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from stylize_live.frame import Pixels
from stylize_live.media.libraries import cv2

_PASSES = 3
_DIAMETER = 9  # pixels
_LEVELS = 25.0  # of difference that is smoothed over; more is an edge
_REACH = 7.0  # pixels


_LINE = 0.8  # deviation in pixels of the narrower of two blurs whose difference finds lines
_WIDER = 1.6  # times as wide is the other
_SENSITIVITY = 0.98  # share of the wider blur that is taken away; 1 draws noise
_SHARPNESS = 1.0  # for lightness from 0 to 100


def abstract(pixels: Pixels, lines: float = 0.0) -> Pixels:
    """Smooth an image between its edges by a bilateral filter, repeated, and draw the edges.

    Winnemöller, Olsen & Gooch, "Real-time video abstraction", SIGGRAPH 2006.

    Args:
        pixels: (H, W, 3) uint8 RGB.
        lines: how dark edges are drawn; 0 leaves them out, 1 makes them black.

    Returns:
        The same shape and dtype.
    """
    for _ in range(_PASSES):
        pixels = np.asarray(cv2.bilateralFilter(pixels, _DIAMETER, _LEVELS, _REACH), np.uint8)
    if not lines:
        return pixels
    kept = 1 - lines * (1 - _edges(pixels))
    return np.asarray(pixels * kept[..., None], np.uint8)


def _edges(pixels: Pixels) -> npt.NDArray[np.float32]:
    """(H, W) in [0, 1]: 0 on the dark side of edges, 1 elsewhere (section 3.3 of the paper)."""
    lightness = cv2.cvtColor(pixels, cv2.COLOR_RGB2LAB)[..., 0].astype(np.float32) * (100 / 255)
    narrow, wide = (cv2.GaussianBlur(lightness, (0, 0), _LINE * by) for by in (1.0, _WIDER))
    difference = narrow - _SENSITIVITY * wide
    return np.asarray(1 + np.tanh(np.minimum(_SHARPNESS * difference, 0)), np.float32)
