"""What every backend does, and what it is told."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from stylize_live.engine.core.economy import Economy
from stylize_live.engine.core.render_options import RenderOptions
from stylize_live.frame import Frame, Pixels
from stylize_live.nets.checkpoint import Checkpoint

# What is kept from one image to the next, by name.
Memory = Mapping[str, npt.NDArray[Any]]


@dataclass(frozen=True, slots=True)
class TemporalContext:
    """How an image is to follow from the one before.

    Attributes:
        begins: whether a shot begins with this one, which then follows from none.
        share: least share of the fresh image, see `smoothing.least_share`.
        economy: what may be saved, or None for an image that is to be the same whenever it is made. Known to
            backends on the CPU only.
        resizes: whether the painting before is brought to this one's size, where strokes follow something.
            Else an image begins anew where that is another one.
    """

    begins: bool
    share: float
    economy: Economy | None = None
    resizes: bool = False


# A frame, how to paint it, and how to smooth it; None leaves it as painted.
FrameJob = tuple[Frame, RenderOptions, TemporalContext | None]


class _Shaped(Protocol):
    @property
    def shape(self) -> tuple[int, ...]: ...


def sizes_of(images: Iterable[_Shaped]) -> list[tuple[int, ...]]:
    """Shapes of images; one follows from another only where these are equal."""
    return [tuple(image.shape) for image in images]


class Strips(Protocol):
    """An image that is read and replaced in strips, because there is no room for two of it.

    Attributes:
        size: (width, height) in pixels.
    """

    @property
    def size(self) -> tuple[int, int]: ...

    def rows(self, top: int, bottom: int) -> Pixels:
        """Some rows, (bottom - top, width, 3) uint8 RGB, a new array."""

    def put(self, top: int, pixels: Pixels) -> None:
        """Replace rows, from one on."""


class Backend(Protocol):
    """Runs one network on one device.

    Attributes:
        memory: "picture", the last smoothed painting, (h, w, 3) float32 in 0..255, and whatever else the next
            depends on; empty before the first. May be set, also to more than that.
        runtime: name and version of what computes the network.
    """

    runtime: str

    @property
    def memory(self) -> Memory: ...
    @memory.setter
    def memory(self, arrays: Memory) -> None: ...

    def load(self, checkpoint: Checkpoint) -> None:
        """Use these weights from the next frame on."""

    def blend(self, first: Checkpoint, second: Checkpoint, share: float) -> None:
        """Use weights between two of one architecture from the next frame on, changed in place.

        Cheap enough for every image of a crossfade: the styles are brought to the device once.

        Args:
            first, second: the same network as the one in use.
            share: of the second, 0 to 1.
        """

    def prepare(self, checkpoint: Checkpoint) -> None:
        """Prepare what the first frame with these weights would wait for. Any thread may call it."""

    def run(self, pixels: Pixels, options: RenderOptions, context: TemporalContext | None = None) -> Pixels:
        """Paint one image: (H, W, 3) RGB, uint8 or uint16 -> the same shape and dtype, a new array."""

    def paint_small(self, small: Pixels) -> npt.NDArray[np.float32]:
        """The painting of an image alone, not laid over it: (h, w, 3) -> the same, float32 in 0..255.

        It may be written over by the next call. It has no part in smoothing.
        """

    def stream(self, jobs: Iterable[FrameJob]) -> Iterator[Frame]:
        """Paint frames in order, with as many under way at once as the device likes."""

    def close(self) -> None:
        """Release device memory."""
