"""Painting on the CPU: what all its backends have in common. Does without torch."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator

import numpy as np

from stylize_live.engine.core.protocols import FrameJob, Memory, TemporalContext, sizes_of
from stylize_live.engine.core.render_options import RenderOptions
from stylize_live.engine.cpu.compositing import (
    attenuate_low_contrast,
    composite,
    composite_in_strips,
    quantize,
    shrink_to,
)
from stylize_live.engine.cpu.frame_skipping import FrameSkipper
from stylize_live.engine.cpu.optical_flow import FlowEstimator, Plane, shrink
from stylize_live.engine.cpu.smoothing import smooth
from stylize_live.frame import Frame, Pixels
from stylize_live.media.libraries import cv2
from stylize_live.nets.checkpoint import Checkpoint
from stylize_live.strips import is_large


class CpuBackend(ABC):
    """One image at a time on all cores of the CPU; subclasses say how."""

    runtime: str

    def __init__(self) -> None:
        self._past: tuple[Plane, Pixels] | None = None  # the last painting, and its input, reduced
        self._flow = FlowEstimator()
        self._skipper = FrameSkipper(self.run_network)

    @property
    def carried(self) -> bool:
        """Whether the last frame was not painted but moved, see `Economy`."""
        return self._skipper.carried

    @property
    def memory(self) -> Memory:
        """See `Backend.memory`."""
        if self._past is None:
            return {}
        image, before = self._past
        return {"picture": image, "before": before, "everywhere": np.array(self._flow.everywhere)}

    @memory.setter
    def memory(self, arrays: Memory) -> None:
        self._past = arrays["picture"], arrays["before"]
        self._flow.everywhere = bool(arrays["everywhere"])

    @abstractmethod
    def run_network(self, pixels: Pixels) -> Plane:
        """The network alone: (h, w, 3) uint8 or uint16 -> (h, w, 3) float32 in 0..255.

        The next call may write over what this one gave.
        """

    def prepare(self, checkpoint: Checkpoint) -> None:  # noqa: B027 (most have nothing to make ready)
        """See `Backend.prepare`."""

    def is_ready(self, size: tuple[int, int]) -> bool:
        """Whether images of this (width, height) can be painted without a pause before the first."""
        return True

    def hold(self, checkpoint: Checkpoint, size: tuple[int, int], itemsize: int) -> None:  # noqa: B027
        """Prepare weights and keep them so, beside others, for images of a (width, height) and of so many
        bytes a value; in any thread. Most have nothing to make ready."""

    def holds(self, checkpoint: Checkpoint, size: tuple[int, int], itemsize: int) -> bool:
        """Whether such images can be painted with these weights without a pause before the first."""
        return True

    def release(self) -> None:  # noqa: B027 (most hold nothing)
        """Keep none of the weights that were held any longer."""

    def make_ready(self, size: tuple[int, int]) -> None:  # noqa: B027 (most have nothing to make ready)
        """Prepare what the first frame of this (width, height) would wait for, in any thread."""

    def run(self, pixels: Pixels, options: RenderOptions, context: TemporalContext | None = None) -> Pixels:
        """See `Backend.run`."""
        if context is not None and context.economy is not None and pixels.dtype == np.uint8:
            return self._skipper(pixels, options, context, context.economy)
        self._skipper.forget()
        small = shrink_to(pixels, options.working_size((pixels.shape[1], pixels.shape[0])))
        fresh = self.paint_small(small)
        if context is not None:
            fresh = self._smooth_over_time(fresh, pixels, context)
        size = pixels.shape[1], pixels.shape[0]
        if not is_large(size):
            return quantize(composite(fresh, pixels, options), pixels.dtype)
        shown = np.empty_like(pixels)

        def write(top: int, rows: Pixels) -> None:
            shown[top : top + len(rows)] = rows

        composite_in_strips(fresh, size, options, lambda top, bottom: pixels[top:bottom], write)
        return shown

    def paint_small(self, small: Pixels) -> Plane:
        """See `Backend.paint_small`."""
        return attenuate_low_contrast(self.run_network(small), small)

    def _smooth_over_time(self, fresh: Plane, pixels: Pixels, context: TemporalContext) -> Plane:
        past, now = self._past, shrink(pixels)
        if context.resizes and past is not None and past[0].shape != fresh.shape:
            resized = cv2.resize(past[0], fresh.shape[1::-1], interpolation=cv2.INTER_LINEAR)
            past = np.asarray(resized, np.float32), past[1]
        if context.begins or past is None or sizes_of(past) != sizes_of((fresh, now)):
            image, self._flow.everywhere = fresh.copy(), False
        else:
            # After painting and not beside it: the network takes all cores.
            image = smooth(past[0], fresh, self._flow(past[1], now), context.share)
        self._past = image, now
        return image

    def stream(self, jobs: Iterable[FrameJob]) -> Iterator[Frame]:
        """See `Backend.stream`."""
        for frame, options, context in jobs:
            yield frame.with_image(self.run(frame.pixels, options, context))

    def close(self) -> None:
        """See `Backend.close`."""
        self._past = None
        self._skipper.forget()
