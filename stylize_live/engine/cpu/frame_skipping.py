"""Live frames on a CPU that has too much to do: not all of them are painted.

Between two paintings, the last one is moved along with what it shows. Motion is measured from each image
to the next and added up from the last painting on; so every step is a small one, which is found and
believed more often, and no image is moved twice, which would blur it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from stylize_live.engine.core.economy import Economy
from stylize_live.engine.core.protocols import TemporalContext
from stylize_live.engine.core.render_options import RenderOptions
from stylize_live.engine.cpu.compositing import attenuate_low_contrast, composite_fast, shrink_fast
from stylize_live.engine.cpu.optical_flow import (
    FlowEstimator,
    Motion,
    Plane,
    rescale_flow,
    shrink,
    shrunk_size,
    warp,
)
from stylize_live.engine.cpu.patching import LEAST_SHARE, Palette, patch_uncertain
from stylize_live.engine.cpu.smoothing import Tuning, distrust, smooth
from stylize_live.frame import Pixels
from stylize_live.media.libraries import cv2

_MOST_UNLIKE = 0.1  # difference of two images' shapes, width by height, up to which one follows the other

# Doubts sooner than usual: motion is measured in less detail here, and what is wrong stays for more images.
_TUNING = Tuning(doubt=3.0, doubt_by_texture=0.25, change=10.0, replaced=34.0)


@dataclass(slots=True)
class _Past:
    """What the next frame may follow from.

    Attributes:
        painting: (h, w, 3) float32 in 0..255, the last one.
        before: (y, x) uint8, the last frame, small and grey, painted or not.
        source: (h, w, 3) uint8, what the painting was painted from.
        motion: from the painting to that image; None where it is the painting's own.
        palette: of the painting, once it was needed.
    """

    painting: Plane
    before: Pixels
    source: Pixels
    motion: Motion | None = None
    palette: Palette | None = None


class FrameSkipper:
    """Paints a stream of frames, some of them by moving the last painting.

    Args:
        run_network: the network, see `CpuBackend.run_network`.

    Attributes:
        carried: whether the last frame was not painted but moved.
    """

    def __init__(self, run_network: Callable[[Pixels], Plane]) -> None:
        self._run_network = run_network
        self._flow = FlowEstimator()
        self._past: _Past | None = None
        self._since = 0  # images since the last painting, the newest one included
        self.carried = False

    def __call__(
        self, pixels: Pixels, options: RenderOptions, context: TemporalContext, economy: Economy
    ) -> Pixels:
        """Paint one image, (H, W, 3) uint8 RGB -> the same, a new array."""
        size = options.working_size((pixels.shape[1], pixels.shape[0]))
        now = shrink(pixels, shrunk_size(size))
        self._since += 1
        if context.begins or not self._fits(size, now):
            self.forget()
        past = self._past
        self.carried = past is not None and self._since < economy.every
        if past is not None and (self.carried or context.share < 1):
            past.motion = follow_motion(past.motion, self._flow(past.before, now))
            past.before = now
        if past is not None and self.carried:
            image = _move(past, pixels)
        else:
            image = self._fresh(pixels, size, now, context)
        return composite_fast(image, pixels, options)

    def _fits(self, size: tuple[int, int], now: Pixels) -> bool:
        """Bring the past to the size that is painted now; whether there is one of this shape."""
        past = self._past
        if past is None or abs(_shape(past.before) - _shape(now)) > _MOST_UNLIKE:
            return False
        if past.before.shape != now.shape:
            past.motion = None if past.motion is None else _resize(past.motion, now.shape[::-1])
            past.before = np.asarray(
                cv2.resize(past.before, now.shape[::-1], interpolation=cv2.INTER_AREA), np.uint8
            )
        if past.painting.shape[1::-1] != size:
            past.painting = np.asarray(cv2.resize(past.painting, size), np.float32)
            past.source = np.asarray(cv2.resize(past.source, size), np.uint8)
        return True

    def _fresh(self, pixels: Pixels, size: tuple[int, int], now: Pixels, context: TemporalContext) -> Plane:
        small = shrink_fast(pixels, size)
        image, past = attenuate_low_contrast(self._run_network(small), small), self._past
        if past is not None and past.motion is not None and context.share < 1:
            # As many steps of smoothing in one as there were images.
            share = 1 - (1 - context.share) ** self._since
            image = smooth(past.painting, image, past.motion, share, _TUNING)
        else:
            image, self._flow.everywhere = image.copy(), False
        self._past, self._since = _Past(image, now, small), 0
        return image

    def forget(self) -> None:
        """Take the next frame as the first."""
        self._past, self.carried = None, False


def follow_motion(first: Motion | None, then: Motion) -> Motion:
    """Two motions as one, the second after the first, which may be None."""
    if first is None:
        return then
    flow = cv2.add(then.flow, warp(first.flow, then.flow))
    mismatch = np.maximum(then.mismatch, warp(first.mismatch, then.flow))
    return Motion(np.asarray(flow, np.float32), mismatch, then.texture, first.light + then.light)


def _resize(motion: Motion, size: tuple[int, int]) -> Motion:
    mismatch, texture = (
        np.asarray(cv2.resize(plane, size), np.float32) for plane in (motion.mismatch, motion.texture)
    )
    return Motion(rescale_flow(motion.flow, size), mismatch, texture, motion.light)


def _move(past: _Past, pixels: Pixels) -> Plane:
    """The last painting as it fits to the newest frame, (H, W, 3)."""
    assert past.motion is not None
    size = past.painting.shape[1::-1]
    moved = np.asarray(warp(past.painting, rescale_flow(past.motion.flow, size)), np.float32)
    doubtful = distrust(past.motion, _TUNING)
    if cv2.mean(doubtful)[0] < LEAST_SHARE:
        return moved
    past.palette = past.palette or Palette(past.painting, past.source)
    return patch_uncertain(moved, doubtful, past.palette, shrink_fast(pixels, size))


def _shape(image: Pixels) -> float:
    height, width = image.shape
    return float(width / height)
