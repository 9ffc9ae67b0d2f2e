"""A painting's file as the first look takes it: read, and refused where there is nothing to see."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from stylize_live.errors import SourceError, StyleError
from stylize_live.frame import Pixels
from stylize_live.media.image.io import on_paper, read_image

_LEAST_SIDE = 32  # pixels: on less, no stroke can be seen
_KEPT_SIDE = 1120  # pixels of the short side that large images are decoded at, where that is faster
_LEAST_SPREAD = 2.0  # levels: what varies less is one color, and a scan's noise


def read_painting(path: Path) -> Pixels:
    """Read a painting.

    Returns:
        (H, W, 3) uint8. A transparent margin is cut off, transparent places inside are white paper.

    Raises:
        StyleError: not an image that can be read, or nothing to learn from on it.
    """
    try:
        still = read_image(path, least_side=_KEPT_SIDE)
    except SourceError as error:
        raise StyleError(str(error)) from None
    pixels = on_paper(still)
    if still.alpha is not None:
        rows, columns = np.nonzero(still.alpha.any(1))[0], np.nonzero(still.alpha.any(0))[0]
        if not len(rows):
            raise StyleError(f"{path}: the image is wholly transparent")
        pixels = pixels[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    height, width = pixels.shape[:2]
    if min(height, width) < _LEAST_SIDE:
        raise StyleError(
            f"{path}: {width}x{height} pixels are too few for a painting, {_LEAST_SIDE} a side at least"
        )
    if pixels.reshape(-1, 3).std(0).max() < _LEAST_SPREAD:
        raise StyleError(f"{path}: a single color, there is no paint to be seen")
    return np.ascontiguousarray(pixels)
