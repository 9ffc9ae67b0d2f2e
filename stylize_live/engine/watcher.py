"""Follows the input pictures of a stream: what moved since the last, and where it is cut."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from stylize_live.engine.flow import FlowEstimator, Motion, reduced
from stylize_live.frame import Frame, Pixels
from stylize_live.media.cut_detector import CutDetector


class MotionWatcher:
    """Measures how each picture follows from the one before it."""

    def __init__(self) -> None:
        self._estimate = FlowEstimator()
        self._cuts = CutDetector()
        self._before: Pixels | None = None

    def follow(self, frame: Frame) -> Motion | None:
        """Compare the next picture of the stream with the one before, by their previews.

        Returns:
            Its motion; None where nothing goes on: the first picture, a cut, another size.
        """
        pixels = frame.preview
        before, self._before = self._before, reduced(pixels, frame.size)
        cut = self._cuts.is_cut(pixels)
        if before is None or cut or before.shape != self._before.shape:
            self._estimate.everywhere = False
            return None
        return self._estimate(before, self._before)

    def reset(self) -> None:
        """Forget everything; the next picture is the first."""
        self.memory = {}

    @property
    def memory(self) -> dict[str, npt.NDArray[Any]]:
        """All that the next motion depends on, by name; may be set. Empty before the first picture."""
        if self._before is None:
            return {}
        everywhere = np.array(self._estimate.everywhere)
        return {"before": self._before, "everywhere": everywhere, **self._cuts.memory}

    @memory.setter
    def memory(self, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        cuts = dict(arrays)
        self._before = cuts.pop("before", None)
        self._estimate.everywhere = bool(cuts.pop("everywhere", False))
        self._cuts.memory = cuts
