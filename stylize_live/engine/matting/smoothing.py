"""A matte that is calm over time: it follows the motion of the image, and is drawn towards the new one.

    result = moved + share * (fresh - moved)

As for the painting (`engine/cpu/smoothing.py`), the share is one where the motion is not to be trusted. What
the fresh matte is sure of counts more than what it doubts: edges tremble, and people do not. It counts most
where anything moves fast: nobody sees an edge tremble there, and everybody one that is late.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from stylize_live.engine.cpu.optical_flow import FlowEstimator, Plane, rescale_flow, shrink, shrunk_size, warp
from stylize_live.engine.cpu.smoothing import distrust
from stylize_live.frame import Pixels
from stylize_live.media.libraries import cv2

_REDUCTION = 1.5  # of the matte, for motion, which takes half the time then and is hardly less exact
DOUBTED, SURE = 0.12, 0.5  # least share of what is most doubtful, and of what is sure
MOVING, FAST = 0.8, 1.0  # least share of what moves by so many pixels of the reduced image, or more
_AROUND = np.ones((3, 3), np.uint8)  # motion is too slow along its edge, where both sides have a part in it


class MatteSmoother:
    """Follows the mattes of one video in order."""

    def __init__(self) -> None:
        self._flow = FlowEstimator()
        self._past: tuple[Plane, Pixels] | None = None  # the last result, and its small image in grey

    def reset(self) -> None:
        """Take the next one as the first."""
        self._past = None
        self._flow.everywhere = False

    @property
    def memory(self) -> Mapping[str, npt.NDArray[Any]]:
        """What the next result depends on, by name; may be set, also to more than that."""
        if self._past is None:
            return {}
        matte, before = self._past
        return {"matte": matte, "matte_before": before, "matte_everywhere": np.array(self._flow.everywhere)}

    @memory.setter
    def memory(self, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        self.reset()
        if "matte" in arrays:
            self._past = arrays["matte"], arrays["matte_before"]
            self._flow.everywhere = bool(arrays["matte_everywhere"])

    def __call__(self, fresh: Plane, small: Pixels) -> Plane:
        """The next one.

        Args:
            fresh: (h, w), 0 to 1.
            small: (h, w, 3) uint8 RGB, the image it was measured in.

        Returns:
            (h, w), 0 to 1: not to be changed.
        """
        now = shrink(small, reduced_size((fresh.shape[1], fresh.shape[0])))
        past = self._past
        if past is None or past[0].shape != fresh.shape:
            self.reset()
            result = fresh
        else:
            result = self._follow(past[0], fresh, past[1], now)
        self._past = result, now
        return result

    def _follow(self, previous: Plane, fresh: Plane, before: Pixels, now: Pixels) -> Plane:
        motion = self._flow(before, now)
        size = fresh.shape[1], fresh.shape[0]
        moved = warp(previous, rescale_flow(motion.flow, size))
        lost = cv2.max(distrust(motion), cv2.dilate(_rush(motion.flow), _AROUND))
        shares = cv2.max(cv2.resize(lost, size), _rest(fresh))
        return np.asarray(cv2.blendLinear(fresh, moved, shares, 1 - shares), np.float32)


def _rush(flow: Plane) -> Plane:
    """Least share of the fresh matte by how fast anything moves, 0 to `MOVING`."""
    # Not by `cv2.magnitude`, whose last digit depends on where in memory a plane lies.
    farther = np.abs(flow).max(axis=2)
    return np.asarray(np.minimum(farther * (MOVING / FAST), MOVING), np.float32)


def _rest(fresh: Plane) -> Plane:
    """Least share of the fresh matte by how sure it is, `DOUBTED` to `SURE`."""
    sure = 2 * np.abs(fresh - 0.5)
    return np.asarray(DOUBTED + (SURE - DOUBTED) * sure, np.float32)


def reduced_size(size: tuple[int, int]) -> tuple[int, int]:
    """The (width, height) at which the motion of mattes of another is measured."""
    return shrunk_size(size, _REDUCTION)
