"""What is shown of a moved painting where the motion is not to be trusted, until the place is painted anew.

Moved there, paint is torn or smeared. So such places are taken from the frame itself, in the colours that the
painting has for the frame's: in a moment of fast motion, the eye misses the brushwork less than the shape.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from stylize_live.engine.cpu.optical_flow import Plane
from stylize_live.frame import Pixels
from stylize_live.media.libraries import cv2

_CELL = 4  # pixels: colours are compared in means over so many, where strokes and noise vanish
_BINS = 8  # of each colour
LEAST_SHARE = 0.002  # of an image: less is not worth the work
_DETAIL = 0.7  # of the frame's finer light, on top of the colours


class Palette:
    """Which colours a painting has for those of the frame it was painted from.

    Args:
        painting: (h, w, 3) float32 in 0..255.
        frame: (h, w, 3) uint8, what it was painted from.
    """

    def __init__(self, painting: Plane, frame: Pixels) -> None:
        paint, source = _means(painting), _means(frame)
        bins = _bins(source)
        counts = np.bincount(bins, minlength=_BINS**3)
        sums = [np.bincount(bins, channel, _BINS**3) for channel in paint.reshape(-1, 3).T]
        # A colour that was not there gets what the whole image got.
        shift = paint.mean((0, 1)) - source.mean((0, 1))
        values = np.arange(_BINS**3)
        own = np.stack([values // _BINS**2, values // _BINS % _BINS, values % _BINS], -1) * (256 / _BINS)
        known = np.stack(sums, -1) / np.maximum(counts, 1)[:, None]
        colors = np.where(counts[:, None] > 0, known, np.clip(own + shift, 0, 255))
        self._colors = colors.astype(np.float32)

    def __call__(self, frame: Pixels) -> Plane:
        """A frame in these colours: (h, w, 3) uint8 -> the same size, float32, about 0..255."""
        size = frame.shape[1::-1]
        means = _means(frame)
        colors = self._colors[_bins(means)].reshape(means.shape)
        light = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
        fine = cv2.subtract(
            light, cv2.resize(cv2.cvtColor(means, cv2.COLOR_RGB2GRAY), size), dtype=cv2.CV_32F
        )
        detail = cv2.cvtColor(cv2.addWeighted(fine, _DETAIL, fine, 0, 0), cv2.COLOR_GRAY2RGB)
        return np.asarray(cv2.add(cv2.resize(colors, size), detail), np.float32)


def patch_uncertain(moved: Plane, distrust: Plane, palette: Palette, frame: Pixels) -> Plane:
    """A moved painting, and the frame in its colours where the motion is not trusted.

    Args:
        moved: (h, w, 3) float32 in 0..255.
        distrust: (y, x) float32, 0 to 1.
        palette: of the painting before it was moved.
        frame: (h, w, 3) uint8, what is to be seen now.

    Returns:
        (h, w, 3) float32.
    """
    share = cv2.resize(distrust, moved.shape[1::-1])
    return np.asarray(cv2.blendLinear(palette(frame), moved, share, 1 - share), np.float32)


def _means(image: npt.NDArray[Any]) -> Plane:
    size = max(1, image.shape[1] // _CELL), max(1, image.shape[0] // _CELL)
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.float32)


def _bins(image: Plane) -> npt.NDArray[np.int64]:
    """Number of each pixel's colour, (h * w,)."""
    steps = np.clip(image.reshape(-1, 3) * (_BINS / 256), 0, _BINS - 1).astype(np.int64)
    return np.asarray(steps @ np.array([_BINS**2, _BINS, 1]))
