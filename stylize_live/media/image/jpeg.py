"""An image as a JPEG in memory."""

from __future__ import annotations

from stylize_live.frame import Pixels, to_eight_bits
from stylize_live.media.libraries import cv2

_QUALITY = 90


def encode_jpeg(pixels: Pixels, quality: int = _QUALITY, longest: int | None = None) -> bytes:
    """Encode (H, W, 3) RGB; colours at half the resolution, as webcams send them. 720p takes 2.5 ms.

    Args:
        pixels: not changed.
        quality: 1 to 100.
        longest: shrink the image so that neither side is longer than so many pixels.
    """
    shrink = 1.0 if longest is None else longest / max(pixels.shape[:2])
    if shrink < 1:
        size = [max(1, round(side * shrink)) for side in pixels.shape[1::-1]]
        small = cv2.resize(to_eight_bits(pixels), size, interpolation=cv2.INTER_AREA)
    else:
        small = to_eight_bits(pixels)
    bgr = cv2.cvtColor(small, cv2.COLOR_RGB2BGR)
    _, coded = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return bytes(coded.tobytes())
