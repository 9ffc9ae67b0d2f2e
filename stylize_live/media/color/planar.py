"""Frames in three planes become arrays whose pixels stand together."""

from __future__ import annotations

from typing import Any, cast

import numpy as np

from stylize_live.frame import Pixels
from stylize_live.media.libraries import av, cv2

# FFmpeg's scaler writes planes more than twice as fast as pixels of three bytes, and OpenCV lays them
# together in a twentieth of that time: together 1.4 ms for 1280x720 instead of 3.2 ms, bit for bit equal.
PLANAR_RGB, PLANAR_RGB_16 = "gbrp", "gbrp16le"


def interleave(frame: av.VideoFrame) -> Pixels:
    """Lay the planes of a "gbrp" or "gbrp16le" frame together.

    Returns:
        (H, W, 3) RGB, C-contiguous; uint8, or uint16 of a 16-bit frame.
    """
    kind: Any = np.uint16 if frame.format.name == PLANAR_RGB_16 else np.uint8
    green, blue, red = (
        np.frombuffer(cast("Any", plane), kind).reshape(plane.height, -1)[:, : plane.width]
        for plane in frame.planes
    )
    return cast("Pixels", cv2.merge((red, green, blue)))
