"""Follows the input pictures of a stream: what moved since the last, and where it is cut."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from stylize_live.engine.flow import FlowEstimator, Motion, reduced
from stylize_live.frame import Frame, Pixels
from stylize_live.media.cut_detector import CutDetector

# Small grey pictures of one size, (h, w) uint8 each, see `flow.reduced`: the one before and the one now.
Pair = tuple[Pixels, Pixels]
Memory = Mapping[str, npt.NDArray[Any]]


class PairWatcher:
    """Finds what each picture is to be compared with: the part of watching that must go in order."""

    def __init__(self) -> None:
        self._cuts = CutDetector()
        self._before: Pixels | None = None

    def look(self, frame: Frame) -> Pair | None:
        """See the next picture of the stream, by its preview.

        Returns:
            The one before and it; None where nothing goes on: the first picture, a cut, another size.
        """
        pixels = frame.preview
        before, self._before = self._before, reduced(pixels, frame.size)
        cut = self._cuts.is_cut(pixels)
        if before is None or cut or before.shape != self._before.shape:
            return None
        return before, self._before

    def reset(self) -> None:
        """Forget everything; the next picture is the first."""
        self.memory = {}

    @property
    def memory(self) -> Memory:
        """All that the next pair depends on, by name; may be set. Empty before the first picture."""
        if self._before is None:
            return {}
        return {"before": self._before, **self._cuts.memory}

    @memory.setter
    def memory(self, arrays: Memory) -> None:
        cuts = dict(arrays)
        self._before = cuts.pop("before", None)
        self._cuts.memory = cuts


class MotionWatcher:
    """Measures how each picture follows from the one before it."""

    def __init__(self) -> None:
        self._estimate = FlowEstimator()
        self._pairs = PairWatcher()

    def follow(self, frame: Frame) -> Motion | None:
        """Compare the next picture of the stream with the one before, by their previews.

        Returns:
            Its motion; None where nothing goes on, see `PairWatcher.look`.
        """
        pair = self._pairs.look(frame)
        if pair is None:
            self._estimate.everywhere = False
            return None
        return self._estimate(*pair)

    def motion_of(self, frame: Frame) -> Callable[[], Motion | None]:
        """What follows the next picture when it is called."""
        return partial(self.follow, frame)

    def reset(self) -> None:
        """Forget everything; the next picture is the first."""
        self.memory = {}

    @property
    def memory(self) -> Memory:
        """All that the next motion depends on, by name; may be set. Empty before the first picture.

        `PairWatcher.memory` will do, too: then the next picture is searched with a glance.
        """
        pairs = self._pairs.memory
        return {**pairs, "everywhere": np.array(self._estimate.everywhere)} if pairs else {}

    @memory.setter
    def memory(self, arrays: Memory) -> None:
        pairs = dict(arrays)
        self._estimate.everywhere = bool(pairs.pop("everywhere", False))
        self._pairs.memory = pairs
