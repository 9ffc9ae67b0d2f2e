"""Follows the input pictures of a stream in a thread of its own, beside the network."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy.typing as npt

from stylize_live.closing import Closing
from stylize_live.engine.flow import FlowEstimator, Motion, reduced
from stylize_live.frame import Pixels
from stylize_live.media.cut_detector import CutDetector


class MotionWatcher(Closing):
    """Measures how each picture follows from the one before it."""

    def __init__(self) -> None:
        self._estimate = FlowEstimator()
        self._cuts = CutDetector()
        self._before: Pixels | None = None
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="stylize-motion")

    def submit(self, pixels: Pixels) -> Future[Motion | None]:
        """Begin to compare the next picture of the stream, in order of calls.

        Args:
            pixels: (H, W, 3) uint8 RGB.

        Returns:
            Its motion; None where nothing goes on: the first picture, a cut, another size.
        """
        return self._pool.submit(self._follow, pixels)

    def _follow(self, pixels: Pixels) -> Motion | None:
        before, self._before = self._before, reduced(pixels)
        cut = self._cuts.is_cut(pixels)
        if before is None or cut or before.shape != self._before.shape:
            return None
        return self._estimate(before, self._before)

    def reset(self) -> None:
        """Forget everything; the next picture is the first."""
        self.memory = {}

    @property
    def memory(self) -> dict[str, npt.NDArray[Any]]:
        """All that the next motion depends on, by name; may be set. Empty before the first picture."""
        return self._pool.submit(self._remember).result()

    @memory.setter
    def memory(self, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        self._pool.submit(self._recall, arrays).result()

    def _remember(self) -> dict[str, npt.NDArray[Any]]:
        return {} if self._before is None else {"before": self._before, **self._cuts.memory}

    def _recall(self, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        self._before = arrays.get("before")
        self._cuts.memory = {name: array for name, array in arrays.items() if name != "before"}

    def close(self) -> None:
        """End the thread. May be called twice."""
        self._pool.shutdown(cancel_futures=True)
