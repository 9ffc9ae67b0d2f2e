"""A moving test image that costs next to nothing."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import numpy as np

from stylize_live.frame import Frame, Pixels
from stylize_live.media.sources.live_source import LiveSource, Metronome
from stylize_live.system.clock import monotonic

_LOOP_SECONDS = 8


class PatternSource(LiveSource):
    """Soft colours that drift, rings, and a bar that crosses the frame every four seconds.

    Args:
        size: (width, height) in pixels.
        fps: frames per second; frames that nobody had time for are left out, index and pts tell.
    """

    def __init__(self, size: tuple[int, int], fps: int) -> None:
        super().__init__(size, Fraction(fps))
        self._fps = fps
        # One wide image, of which each frame is a crop: a copy per frame instead of a computation.
        self._wide = _landscape(size)

    def __iter__(self) -> Iterator[Frame]:
        for tick in Metronome(self._fps, self._ending):
            yield Frame(self.image(tick), Fraction(tick, self._fps), monotonic(), tick)

    def image(self, tick: int) -> Pixels:
        """The pattern at a tick: (H, W, 3) uint8 RGB, the same every time."""
        width, height = self.size
        seconds = tick / self._fps
        left = round(seconds / _LOOP_SECONDS * width) % width
        pixels = self._wide[:, left : left + width].copy()
        bar = max(2, width // 40)
        at = round(seconds / 4 * width) % width
        pixels[:, at : at + bar] = 255
        step = max(1, height // 12)
        row = round(seconds * height / 3) % height
        pixels[row : row + step, : width // 8] = (250, 60, 40)
        return pixels

    def _release(self) -> None:
        pass


def _landscape(size: tuple[int, int]) -> Pixels:
    """Colours and rings of twice the width that repeat after one width: (H, 2W, 3) uint8."""
    width, height = size
    x = np.arange(width, dtype=np.float32)[None, :] / width * 2 * np.pi
    y = np.arange(height, dtype=np.float32)[:, None] / height
    rings = np.hypot((np.cos(x) - 0.3) * width / 6, (y - 0.5) * height) / max(2, height / 24)
    light = 0.75 + 0.25 * np.sin(rings)
    channels = (
        (0.5 + 0.4 * np.sin(x) * np.ones_like(y)) * light,
        (0.25 + 0.6 * y + 0.1 * np.cos(2 * x)) * light,
        (0.8 - 0.5 * y + 0.2 * np.cos(x)) * light,
    )
    once = (np.clip(np.stack(channels, axis=-1), 0, 1) * 255).astype(np.uint8)
    return np.concatenate((once, once), axis=1)
