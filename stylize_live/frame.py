"""The frame that travels through every pipeline."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from fractions import Fraction
from typing import Protocol

import numpy as np
import numpy.typing as npt

# uint8 nearly always; uint16 where more than 8 bits of each colour were asked for.
Pixels = npt.NDArray[np.uint8 | np.uint16]


class FrameKind(Enum):
    """What the frames of a video hold, but for those unlike the first."""

    PIXELS = "arrays of RGB"
    PLANES = "surfaces in the machine's memory"
    ON_CHIP = "surfaces on the chip that decodes them"


class Surface(Protocol):
    """An image as videos store it: on the chip which decoded it or will encode it, or in memory.

    Attributes:
        size: (width, height) in pixels.
        preview: (h, w, 3) uint8 RGB in the machine's memory: the same image, usually smaller.
    """

    @property
    def size(self) -> tuple[int, int]: ...
    @property
    def preview(self) -> Pixels: ...

    def download(self) -> Pixels:
        """All of it: (H, W, 3) uint8 RGB in the machine's memory."""


@dataclass(frozen=True, slots=True)
class Frame:
    """An image and its place in time.

    Attributes:
        image: (H, W, 3) RGB, C-contiguous, upright; never written to after it was made. uint8, or
            uint16 from 0 to 65535 in a conversion that keeps more than 8 bits. Or a surface.
        pts: presentation time in seconds, exact.
        captured_at: seconds of `system.clock.monotonic` at which the frame reached this program.
        index: position in the source, counted from 0; dropped frames leave gaps.
        alpha: (H, W) opacity of the same dtype as `pixels`, or None for an opaque frame.
        starts_shot: whether a shot begins with it; the first frame of all begins one. None where nobody has
            looked, as with live frames: many are dropped, and only the stylizer knows which follow.
        pixel_aspect: width of a pixel over its height, as it is shown.
    """

    image: Pixels | Surface
    pts: Fraction
    captured_at: float
    index: int
    alpha: Pixels | None = None
    starts_shot: bool | None = None
    pixel_aspect: Fraction = Fraction(1)

    @property
    def pixels(self) -> Pixels:
        """The image in the machine's memory; a surface is downloaded each time."""
        return self.image if isinstance(self.image, np.ndarray) else self.image.download()

    @property
    def preview(self) -> Pixels:
        """What can be looked at without a download: `pixels`, or a surface's smaller ones."""
        return self.image if isinstance(self.image, np.ndarray) else self.image.preview

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels."""
        if isinstance(self.image, np.ndarray):
            return self.image.shape[1], self.image.shape[0]
        return self.image.size

    def with_image(self, image: Pixels | Surface) -> Frame:
        """The same moment with another image."""
        return replace(self, image=image)


def check_pixels(pixels: object) -> Pixels:
    """Make sure that something is an RGB image.

    Returns:
        The same array, made C-contiguous where it was not.

    Raises:
        TypeError: not an (H, W, 3) array of uint8 or uint16.
        ValueError: a side is zero.
    """
    if not isinstance(pixels, np.ndarray) or pixels.dtype not in (np.uint8, np.uint16):
        got = getattr(pixels, "dtype", type(pixels).__name__)
        raise TypeError(f"expected a uint8 or uint16 array, got {got}")
    if pixels.ndim != 3 or pixels.shape[2] != 3:
        raise TypeError(f"expected (H, W, 3) RGB, got shape {pixels.shape}")
    if 0 in pixels.shape:
        raise ValueError(f"image without pixels: shape {pixels.shape}")
    return np.ascontiguousarray(pixels)


def to_eight_bits(pixels: Pixels) -> npt.NDArray[np.uint8]:
    """An image in 8 bits, for what takes no more; the same array where it has no more."""
    if pixels.dtype == np.uint8:
        return pixels.view(np.uint8)
    return ((pixels.astype(np.uint32) * 255 + 32_767) // 65_535).astype(np.uint8)
