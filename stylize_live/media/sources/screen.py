"""The screen as a live source."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import mss
import numpy as np

from stylize_live.errors import SourceError
from stylize_live.frame import Frame, Pixels
from stylize_live.media.libraries import cv2
from stylize_live.media.sources.live_source import LiveSource, Metronome
from stylize_live.system.capture_rights import ask_for_screen, how_to_allow
from stylize_live.system.clock import monotonic

log = logging.getLogger(__name__)


class ScreenSource(LiveSource):
    """Screenshots of the primary screen. `trouble` says so where macOS shows nothing but the wallpaper.

    Args:
        limit: (width, height) in pixels; a larger screen is scaled down to fit.
        fps: frames per second to ask for.

    Raises:
        SourceError: there is no screen, or it may not be captured.
    """

    def __init__(self, limit: tuple[int, int], fps: int) -> None:
        self._fps = fps
        with _capturer() as capturer:
            self._area = _primary_monitor(capturer)
            size = _fit_within((self._area["width"], self._area["height"]), limit)
            self._grab(capturer, size)
        super().__init__(size, Fraction(fps))
        if ask_for_screen() == "refused":
            self.trouble = "only the wallpaper is seen; recording the screen is not allowed"
            log.warning("%s: %s", self.trouble, how_to_allow("Screen & System Audio Recording"))

    def __iter__(self) -> Iterator[Frame]:
        # A connection of this thread's own: on Windows, handles belong to the thread that made them.
        with _capturer() as capturer:
            for tick in Metronome(self._fps, self._ending):
                captured_at = monotonic()
                with self._device_lock:
                    pixels = self._grab(capturer, self.size)
                yield Frame(pixels, Fraction(tick, self._fps), captured_at, tick)

    def _grab(self, capturer: Any, size: tuple[int, int]) -> Pixels:
        """The screen now, as (H, W, 3) uint8 RGB."""
        try:
            shot = capturer.grab(self._area)
        except MemoryError:
            raise
        except Exception as error:
            raise SourceError(f"the screen cannot be captured: {error}") from None
        bgra = np.frombuffer(shot.raw, np.uint8).reshape(shot.height, shot.width, 4)
        rgb = cv2.cvtColor(bgra, cv2.COLOR_BGRA2RGB)
        if (shot.width, shot.height) != size:
            rgb = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
        return np.asarray(rgb, np.uint8)

    def _release(self) -> None:
        pass


def screen_size() -> tuple[int, int]:
    """(width, height) of the primary screen in pixels. Raises `SourceError` without one."""
    with _capturer() as capturer:
        area = _primary_monitor(capturer)
    return area["width"], area["height"]


def _capturer() -> Any:
    # mss 10.2 renamed its entry and warns about the old name.
    factory = getattr(mss, "MSS", None) or mss.mss
    try:
        return factory()
    except Exception as error:
        raise SourceError(f"no screen to capture: {error}") from None


def _primary_monitor(capturer: Any) -> dict[str, int]:
    monitors = capturer.monitors[1:]  # the first entry is the whole desktop
    if not monitors:
        raise SourceError("no screen to capture: the desktop has no monitor")
    # Windows lists them in an order of its own; where none is marked, the first is taken for it.
    primary = next((monitor for monitor in monitors if monitor.get("is_primary")), monitors[0])
    return {key: int(primary[key]) for key in ("left", "top", "width", "height")}


def _fit_within(size: tuple[int, int], limit: tuple[int, int]) -> tuple[int, int]:
    """A size of the same shape that is within the limit; sizes are never made larger."""
    scale = min(1.0, limit[0] / size[0], limit[1] / size[1])
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))
