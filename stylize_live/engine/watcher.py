"""Follows the input pictures of a stream: what each is to be compared with, and where the stream is cut."""

from __future__ import annotations

from stylize_live.engine.contract import Memory, Pair
from stylize_live.engine.flow import reduced
from stylize_live.frame import Frame, Pixels
from stylize_live.media.cut_detector import CutDetector


class PairWatcher:
    """Finds what each picture is to be compared with."""

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
        self._before = None
        self._cuts.reset()

    @property
    def memory(self) -> Memory:
        """All that the next pair depends on; may be set. Empty before the first picture."""
        if self._before is None:
            return {}
        return {"before": self._before, **self._cuts.memory}

    @memory.setter
    def memory(self, arrays: Memory) -> None:
        self._before, self._cuts.memory = arrays["before"], arrays
