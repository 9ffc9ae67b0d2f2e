"""How a painted frame is shown: the same in the window, on pages, in streams and recordings."""

from __future__ import annotations

import threading

import numpy as np

from stylize_live.frame import Frame, Pixels


class PaintedFrame:
    """A live frame and its painting. Any thread may call `compose`.

    Attributes:
        original: as it was captured.
        painted: the same moment, painted.
        taken_at, painted_at: when painting began and ended, in seconds of `system.clock.monotonic`.
    """

    def __init__(self, original: Frame, painted: Frame, taken_at: float, painted_at: float) -> None:
        self.original, self.painted = original, painted
        self.taken_at, self.painted_at = taken_at, painted_at
        self._composing = threading.Lock()
        self._composed: tuple[bool, bool, Frame] | None = None

    def compose(self, *, mirror: bool, split: bool) -> Frame:
        """The frame to show, see `compose_view`; computed once for each view in a row."""
        with self._composing:
            if self._composed is None or self._composed[:2] != (mirror, split):
                pixels = compose_view(self.original.pixels, self.painted.pixels, mirror=mirror, split=split)
                self._composed = mirror, split, self.painted.with_image(pixels)
            return self._composed[2]


def compose_view(original: Pixels, painted: Pixels, *, mirror: bool, split: bool) -> Pixels:
    """The frame to show.

    Args:
        original: (H, W, 3) uint8 RGB.
        painted: the same of the painted frame.
        mirror: swap left and right of both.
        split: show the original in the left half, with a thin white line between.

    Returns:
        (H, W, 3) uint8 RGB, C-contiguous; `painted` itself when nothing is switched on.
    """
    if mirror:
        painted = np.ascontiguousarray(painted[:, ::-1])
    if not split:
        return painted
    width = painted.shape[1]
    middle = width // 2
    mixed = painted.copy()
    mixed[:, :middle] = (original[:, ::-1] if mirror else original)[:, :middle]
    mixed[:, max(0, middle - 1) : middle + 1] = 255
    return mixed
