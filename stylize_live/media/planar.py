"""Pictures in three planes become pictures whose pixels stand together."""

from __future__ import annotations

from typing import cast

import numpy as np

from stylize_live.frame import Pixels
from stylize_live.media.libraries import av, cv2

# FFmpeg's scaler writes planes more than twice as fast as pixels of three bytes, and OpenCV lays them
# together in a twentieth of that time: together 1.4 ms for 1280x720 instead of 3.2 ms, bit for bit equal.
PLANAR_RGB = "gbrp"


def interleaved(frame: av.VideoFrame) -> Pixels:
    """Lay the planes of a "gbrp" picture together: (H, W, 3) uint8 RGB, C-contiguous."""
    green, blue, red = (
        np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)[:, : plane.width]
        for plane in frame.planes
    )
    return cast("Pixels", cv2.merge((red, green, blue)))
