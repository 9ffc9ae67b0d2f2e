"""What is taken for a person by mistake, mostly: small or doubtful places that stand apart."""

from __future__ import annotations

import numpy as np

from stylize_live.engine.cpu.optical_flow import Plane
from stylize_live.engine.matting.edges import NOTHING
from stylize_live.media.libraries import cv2

# Of the surest pixel of a blob: below the first it vanishes, above the second it stays. Of 70 photos and 14
# clips, people have one of more than 0.95, and of what is none most blobs none of more than 0.7.
DOUBTED, BELIEVED = 0.65, 0.9
LEAST, ENOUGH = 0.0004, 0.0015  # likewise of its share of the image


def remove_weak_blobs(likelihood: Plane) -> Plane:
    """A matte without them; what is between weak and strong is made weaker, so that nothing pops up.

    Args:
        likelihood: (h, w), 0 to 1; is not changed.

    Returns:
        The same, a new array; what is less than `NOTHING`, and is not shown, becomes 0.
    """
    shown = (likelihood > NOTHING).view(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(shown, connectivity=8)
    weights = np.zeros(count, np.float32)
    for label in range(1, count):
        left, top, width, height, area = stats[label]
        size = _rise(area / likelihood.size, LEAST, ENOUGH)
        if size:
            box = slice(top, top + height), slice(left, left + width)
            surest = likelihood[box][labels[box] == label].max()
            weights[label] = size * _rise(float(surest), DOUBTED, BELIEVED)
    return np.asarray(likelihood * weights[labels], np.float32)


def _rise(value: float, low: float, high: float) -> float:
    t = min(1.0, max(0.0, (value - low) / (high - low)))
    return t * t * (3 - 2 * t)
