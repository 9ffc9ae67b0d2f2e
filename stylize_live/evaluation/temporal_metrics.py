"""How steady a video is, in figures that blur does not improve.

Flow and occlusions come from the *input*, so that one measure serves every way of painting it: warp the
previous painted image, compare with the next where the flow can be trusted (Ruder et al., GCPR 2016,
section 5, as used by ReCoNet and others). The flow here is finer and slower than the smoother's own.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from stylize_live.engine.cpu.optical_flow import warp
from stylize_live.engine.image_metrics import gradient_energy
from stylize_live.frame import Pixels
from stylize_live.media.libraries import cv2

_STILL_LEVELS = 6.0  # of change on average around a place, more than sensors make of a still scene
_STILL_WINDOW = (15, 15)  # pixels
_STILL_FLOW = 0.3  # pixels
_LEAST_SHARE = 0.02  # of the image: fewer places are no sample


@dataclass(frozen=True, slots=True)
class TrueMotion:
    """What the input says about two consecutive images.

    Attributes:
        flow: (H, W, 2) float32: a point now at (x, y) was at (x, y) + flow, in pixels.
        valid: (H, W) bool: visible in both images, and not on a motion boundary.
        still: (H, W) bool: nothing moves there.
    """

    flow: npt.NDArray[np.float32]
    valid: npt.NDArray[np.bool_]
    still: npt.NDArray[np.bool_]


class FlowEvaluator:
    """Measures the motion of an input, frame by frame."""

    def __init__(self) -> None:
        self._search: Any = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)

    def __call__(self, before: Pixels, now: Pixels) -> TrueMotion:
        """Compare two (H, W, 3) uint8 RGB images of one size."""
        old, new = (cv2.cvtColor(p, cv2.COLOR_RGB2GRAY) for p in (before, now))
        flow = self._search.calc(new, old, None)
        back = warp(self._search.calc(old, new, None), flow)
        change = np.abs(now.astype(np.int16) - before).max(-1).astype(np.float32)
        small = (flow**2).sum(-1) < _STILL_FLOW**2
        still = (cv2.blur(change, _STILL_WINDOW) < _STILL_LEVELS) & small
        return TrueMotion(flow, _consistent(flow, back) & ~_boundary(flow) & _inside(flow), still)


def _consistent(flow: npt.NDArray[np.float32], back: npt.NDArray[np.float32]) -> npt.NDArray[np.bool_]:
    # Sundaram et al., ECCV 2010, equation 5.
    gap = ((flow + back) ** 2).sum(-1)
    return np.asarray(gap <= 0.01 * ((flow**2).sum(-1) + (back**2).sum(-1)) + 0.5)


def _boundary(flow: npt.NDArray[np.float32]) -> npt.NDArray[np.bool_]:
    # The same, equation 6.
    slope = sum((np.gradient(flow, axis=axis) ** 2).sum(-1) for axis in (0, 1))
    return np.asarray(slope > 0.01 * (flow**2).sum(-1) + 0.002)


def _inside(flow: npt.NDArray[np.float32]) -> npt.NDArray[np.bool_]:
    height, width = flow.shape[:2]
    x = flow[..., 0] + np.arange(width)
    y = flow[..., 1] + np.arange(height)[:, None]
    return np.asarray((x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1))


@dataclass(slots=True)
class MetricAccumulator:
    """Figures of one video, frame by frame.

    Attributes:
        warp_errors: RMSE in [0, 1] over valid pixels between each image and the one before it,
            moved along; NaN where too little is valid.
        still_errors: RMSE in [0, 1] over still pixels, without moving; NaN likewise.
        contrasts: standard deviation of each image, levels.
        energies: mean squared difference of neighbouring pixels, levels squared.
    """

    warp_errors: list[float] = field(default_factory=list)
    still_errors: list[float] = field(default_factory=list)
    contrasts: list[float] = field(default_factory=list)
    energies: list[float] = field(default_factory=list)
    _before: Pixels | None = None

    def add(self, pixels: Pixels, motion: TrueMotion | None) -> None:
        """Take the next (H, W, 3) uint8 image; without motion it is the first, or follows a cut."""
        if motion is not None and self._before is not None:
            moved = warp(self._before, motion.flow)
            self.warp_errors.append(_rmse(pixels, moved, motion.valid))
            self.still_errors.append(_rmse(pixels, self._before, motion.still))
        self.contrasts.append(float(pixels.std()))
        self.energies.append(gradient_energy(pixels))
        self._before = pixels

    @property
    def warp_error(self) -> float:
        """Mean of `warp_errors`."""
        return _mean(self.warp_errors)

    @property
    def still_error(self) -> float:
        """Mean of `still_errors`; NaN for a video in which nothing stands still."""
        return _mean(self.still_errors)

    @property
    def contrast(self) -> float:
        """Mean of `contrasts`."""
        return _mean(self.contrasts)

    @property
    def energy(self) -> float:
        """Mean of `energies`."""
        return _mean(self.energies)


def _rmse(a: Pixels, b: npt.NDArray[Any], mask: npt.NDArray[np.bool_]) -> float:
    if mask.mean() < _LEAST_SHARE:
        return float("nan")
    difference = (a.astype(np.float32) - b)[mask] / 255
    return float(np.sqrt(np.square(difference).mean()))


def _mean(values: list[float]) -> float:
    known = [value for value in values if not np.isnan(value)]
    return float(np.mean(known)) if known else float("nan")
