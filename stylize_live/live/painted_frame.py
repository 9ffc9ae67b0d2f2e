"""How a painted frame is shown: the same in the window, on pages, in streams and recordings."""

from __future__ import annotations

import threading
from dataclasses import replace

import numpy as np

from stylize_live.frame import Frame, Pixels
from stylize_live.validation import Settings


class ViewOptions(Settings):
    """What can be switched on or off in how a painted frame is shown, while a session runs.

    From here come what pages, presets and the control API may switch, and what they are told; a key for one
    is a line of `TOGGLES` in `hotkeys.py`.

    Attributes:
        mirror: swap left and right.
        split: show the original in the left half, with a thin white line between.
    """

    mirror: bool = False
    split: bool = False


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
        self._composed: tuple[ViewOptions, Frame] | None = None

    def compose(self, options: ViewOptions) -> Frame:
        """The frame to show, see `compose_view`; computed once for the same options in a row."""
        with self._composing:
            if self._composed is None or self._composed[0] != options:
                pixels = compose_view(self.original.pixels, self.painted.pixels, options)
                alpha = self.painted.alpha
                seen = None if alpha is None else compose_alpha(alpha, options)
                self._composed = options, replace(self.painted, image=pixels, alpha=seen)
            return self._composed[1]


def compose_view(original: Pixels, painted: Pixels, options: ViewOptions) -> Pixels:
    """The frame to show.

    Args:
        original: (H, W, 3) uint8 RGB.
        painted: the same of the painted frame.
        options: what is switched on; both are mirrored.

    Returns:
        (H, W, 3) uint8 RGB, C-contiguous; `painted` itself when nothing is switched on.
    """
    if options.mirror:
        painted = np.ascontiguousarray(painted[:, ::-1])
    if not options.split:
        return painted
    width = painted.shape[1]
    middle = width // 2
    mixed = painted.copy()
    mixed[:, :middle] = (original[:, ::-1] if options.mirror else original)[:, :middle]
    mixed[:, max(0, middle - 1) : middle + 1] = 255
    return mixed


def compose_alpha(alpha: Pixels, options: ViewOptions) -> Pixels:
    """The opacity of the frame to show, (H, W) uint8, from that of the painted one; originals are opaque."""
    if options.mirror:
        alpha = np.ascontiguousarray(alpha[:, ::-1])
    if not options.split:
        return alpha
    mixed = alpha.copy()
    mixed[:, : alpha.shape[1] // 2 + 1] = 255
    return mixed
