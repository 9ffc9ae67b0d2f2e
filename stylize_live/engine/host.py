"""Painting on the CPU: what all ways to compute the network have in common. Does without torch."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from stylize_live.engine.contract import Job, Memory, Steady
from stylize_live.engine.finishing import finished, reduced_to, settled
from stylize_live.engine.flow import FlowEstimator, Plane, reduced
from stylize_live.engine.look import Look
from stylize_live.engine.smoothing import smoothed
from stylize_live.frame import Frame, Pixels
from stylize_live.media.libraries import cv2


class HostBackend(ABC):
    """One picture at a time on all cores of the CPU; subclasses say how."""

    runtime: str

    def __init__(self) -> None:
        self._picture: Plane | None = None
        self._before: Pixels | None = None
        self._measure = FlowEstimator()

    @property
    def memory(self) -> Memory:
        """See `Backend.memory`."""
        if self._picture is None or self._before is None:
            return {}
        everywhere = np.array(self._measure.everywhere)
        return {"picture": self._picture, "before": self._before, "everywhere": everywhere}

    @memory.setter
    def memory(self, arrays: Memory) -> None:
        self._picture, self._before = arrays["picture"], arrays["before"]
        self._measure.everywhere = bool(arrays["everywhere"])

    @abstractmethod
    def painted(self, pixels: Pixels) -> Plane:
        """The network alone: (h, w, 3) uint8 or uint16 -> (h, w, 3) float32 in 0..255.

        The next call may write over what this one gave.
        """

    def run(self, pixels: Pixels, look: Look, steady: Steady | None = None) -> Pixels:
        """See `Backend.run`."""
        small = reduced_to(pixels, look.working_size((pixels.shape[1], pixels.shape[0])))
        fresh = settled(self.painted(small), small)
        if steady is not None:
            fresh = self._smoothed(fresh, pixels, steady)
        return quantised(finished(fresh, small, pixels, look), pixels.dtype)

    def _smoothed(self, fresh: Plane, pixels: Pixels, steady: Steady) -> Plane:
        before, self._before = self._before, reduced(pixels)
        previous, begins = self._picture, steady.begins()
        if (
            begins
            or before is None
            or previous is None
            or not _alike((before, self._before), (previous, fresh))
        ):
            self._picture, self._measure.everywhere = fresh.copy(), False
        else:
            # After painting and not beside it: the network takes all cores.
            motion = self._measure(before, self._before)
            self._picture = smoothed(previous, fresh, motion, steady.share)
        return self._picture

    def stream(self, jobs: Iterable[Job], look: Look) -> Iterator[Frame]:
        """See `Backend.stream`."""
        for frame, steady in jobs:
            yield frame.with_picture(self.run(frame.pixels, look, steady))

    def close(self) -> None:
        """See `Backend.close`."""
        self._picture = self._before = None


def _alike(*pairs: tuple[Pixels | Plane, Pixels | Plane]) -> bool:
    return all(one.shape == other.shape for one, other in pairs)


def quantised(picture: Plane, dtype: np.dtype[Any]) -> Pixels:
    """Turn a painted picture into pixels.

    Args:
        picture: (H, W, 3) float32, 0..255; what is outside is clipped.
        dtype: uint8 or uint16.

    Returns:
        (H, W, 3) of that dtype, a new array.
    """
    # One pass, in C: 0.1 ms for 640x360. Its results are rounded and stay within the range of the type.
    factor = np.iinfo(dtype).max / 255
    depth = cv2.CV_8U if dtype == np.uint8 else cv2.CV_16U
    return np.asarray(cv2.addWeighted(picture, factor, picture, 0, 0, dtype=depth), dtype)
