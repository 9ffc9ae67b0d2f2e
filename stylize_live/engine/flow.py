"""Where everything in a picture was a moment ago: optical flow of the *input*, reduced.

Dense inverse search (Kroeger et al., ECCV 2016) down to single pixels of the small picture, with one
round of variational refinement. A larger picture searched at wider distances follows better than a
smaller one searched densely, at the same cost; blurring the flow, or refining it by least squares,
makes it worse (docs/steadiness.md has the figures).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from stylize_live.frame import Pixels, eight_bit
from stylize_live.media.libraries import cv2

Plane = npt.NDArray[np.float32]

_REDUCTION = 2.5
_PATCH_DISTANCE = 5  # pixels of the small picture between patches that are searched
_MOST_PIXELS = 432 * 243  # of the small picture: larger inputs are reduced further, to bound the time
_LEAST_SIDE = 16  # pixels of the small picture: less cannot be searched
_WINDOW = (7, 7)  # pixels of the small picture over which mismatches are averaged
# Grey levels by which real motion has to explain a picture better than standing still does: flow in
# still places is nothing but noise, and would make them tremble.
_STILL_MARGIN = 0.45
_STILL_PIXELS = 1.7  # of the small picture: what moved farther than this did move
_NO_MAP: Any = None  # the stubs do not know that one map may be all


@dataclass(frozen=True, slots=True)
class Motion:
    """How one input picture follows from the one before.

    Attributes:
        flow: (h, w, 2) float32: a point now at (x, y) was at (x, y) + flow, in pixels of the small
            picture; exactly 0 where nothing moved.
        mismatch: (h, w) float32, grey levels by which the moved old picture differs, averaged over
            a few pixels.
        texture: (h, w) float32, grey levels: standard deviation over the same few pixels.
        light: grey levels by which the whole picture got lighter or darker.
    """

    flow: Plane
    mismatch: Plane
    texture: Plane
    light: float


class FlowEstimator:
    """Follows a stream of pictures. Use one from one thread at a time."""

    def __init__(self) -> None:
        search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)
        search.setFinestScale(0)
        search.setPatchStride(_PATCH_DISTANCE)
        search.setVariationalRefinementIterations(1)
        self._search: Any = search

    def __call__(self, before: Pixels, now: Pixels) -> Motion:
        """Compare two small grey pictures of one size, see `reduced`."""
        flow = self._search.calc(now, before, None)
        followed = warped(before, flow)
        moved = _averaged(cv2.absdiff(now, followed))
        unmoved = _averaged(cv2.absdiff(now, before))
        across, down = cv2.split(flow)
        still = (cv2.magnitude(across, down) < _STILL_PIXELS) & (unmoved <= moved + _STILL_MARGIN)
        across[still] = 0
        down[still] = 0
        # Along the motion: otherwise a camera that turns to a lighter place would look like a fade.
        light = abs(cv2.mean(now)[0] - cv2.mean(followed)[0])
        moving = np.asarray(cv2.merge((across, down)), np.float32)
        return Motion(moving, np.where(still, unmoved, moved), _deviation(now), light)


def reduced(pixels: Pixels) -> Pixels:
    """The small grey picture that motion is measured on: (H, W, 3) uint8 or uint16 RGB -> (h, w) uint8."""
    height, width = pixels.shape[:2]
    factor = max(_REDUCTION, (height * width / _MOST_PIXELS) ** 0.5)
    size = (max(_LEAST_SIDE, round(width / factor)), max(_LEAST_SIDE, round(height / factor)))
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)  # first: reducing one channel is faster than three
    small: Pixels = np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), pixels.dtype)
    return eight_bit(small)


def warped(picture: npt.NDArray[Any], flow: Plane) -> npt.NDArray[Any]:
    """A picture moved along a flow that tells where each of its pixels was: bilinear, edges repeated.

    Args:
        picture: (H, W) or (H, W, C), uint8, uint16 or float32.
        flow: (H, W, 2), in pixels.
    """
    how = cv2.INTER_LINEAR | cv2.WARP_RELATIVE_MAP
    return np.asarray(cv2.remap(picture, flow, _NO_MAP, how, borderMode=cv2.BORDER_REPLICATE))


def _averaged(plane: npt.NDArray[Any]) -> Plane:
    return np.asarray(cv2.boxFilter(plane, cv2.CV_32F, _WINDOW), np.float32)


def _deviation(plane: Pixels) -> Plane:
    mean = _averaged(plane)
    square = cv2.sqrBoxFilter(plane, cv2.CV_32F, _WINDOW)
    return np.asarray(np.sqrt(np.maximum(square - mean * mean, 0)), np.float32)
