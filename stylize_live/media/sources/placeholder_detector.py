"""Notices frames that no camera makes of the world: black ones, and placeholders of virtual cameras."""

from __future__ import annotations

import numpy as np

from stylize_live.frame import Pixels
from stylize_live.media.sources.devices import Camera

_PATIENCE_SECONDS = 3.0
_STEP = 16  # every sixteenth pixel of every sixteenth row tells enough
_BLACK = 24  # of 255: limited range that was taken for full has its black at 16, and sensors have noise


class PlaceholderDetector:
    """Looks at each frame of a camera; costs a small part of a millisecond.

    Args:
        camera: only of a virtual one, a frame that stands still is suspicious: a real one has noise.
    """

    def __init__(self, camera: Camera) -> None:
        self._camera = camera
        self._last: Pixels | None = None
        self._bright_at: float | None = None
        self._moved_at = 0.0

    def check(self, pixels: Pixels, now: float) -> str | None:
        """What is wrong with a camera's frames for three seconds, in words, or None.

        Args:
            pixels: (H, W, 3) uint8 RGB.
            now: monotonic seconds.
        """
        sample = np.ascontiguousarray(pixels[::_STEP, ::_STEP])
        if self._bright_at is None:
            self._bright_at = self._moved_at = now
        if sample.max() > _BLACK:
            self._bright_at = now
        if self._last is None or not np.array_equal(sample, self._last):
            self._moved_at = now
            self._last = sample
        if now - self._bright_at >= _PATIENCE_SECONDS:
            return f"{self._camera.name} gives black frames: {self._reason()}"
        if self._camera.virtual and now - self._moved_at >= _PATIENCE_SECONDS:
            return f"{self._camera.name} stands still: {self._reason()}"
        return None

    def _reason(self) -> str:
        if not self._camera.virtual:
            return "is its cover closed, or another program using it?"
        if "obs" in self._camera.name.lower():
            return "press Start Virtual Camera in OBS"
        return "is the program that feeds it running?"
