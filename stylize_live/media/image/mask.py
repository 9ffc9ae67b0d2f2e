"""An opacity as a PNG in memory, for browsers, which take none from a JPEG."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from stylize_live.frame import Pixels, to_eight_bits
from stylize_live.media.libraries import cv2

_BLACK, _OPACITIES = bytes(3 * 256), bytes(range(256))


def encode_mask(alpha: Pixels, longest: int | None = None) -> bytes:
    """Encode (H, W) opacity as a black PNG that is as opaque: 2 ms for 720p and about 30 KB.

    It has one channel, an opacity for each entry of a palette of blacks: a quarter of RGBA to compress.

    Args:
        alpha: not changed.
        longest: shrink it so that neither side is longer than so many pixels, as `encode_jpeg` does.
    """
    plane = to_eight_bits(alpha)
    shrink = 1.0 if longest is None else longest / max(plane.shape)
    if shrink < 1:
        size = [max(1, round(side * shrink)) for side in plane.shape[::-1]]
        plane = np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_AREA), np.uint8)
    image = Image.fromarray(plane, "L")
    image.putpalette(_BLACK)
    content = io.BytesIO()
    image.save(content, "PNG", transparency=_OPACITIES, compress_level=1)
    return content.getvalue()
