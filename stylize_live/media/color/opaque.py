"""Transparent frames for what takes no transparency."""

from __future__ import annotations

import numpy as np

from stylize_live.frame import Frame, Pixels
from stylize_live.media.libraries import cv2


def on_black(frame: Frame) -> Pixels:
    """A frame as it looks on black, (H, W, 3); its own pixels where it is opaque."""
    if frame.alpha is None:
        return frame.pixels
    shares = cv2.cvtColor(frame.alpha, cv2.COLOR_GRAY2RGB)
    return np.asarray(
        cv2.multiply(frame.pixels, shares, scale=1 / np.iinfo(frame.alpha.dtype).max), frame.pixels.dtype
    )
