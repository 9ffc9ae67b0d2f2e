"""The picture that travels through every pipeline."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
import numpy.typing as npt

# uint8 nearly always; uint16 where more than 8 bits of each colour were asked for.
Pixels = npt.NDArray[np.uint8 | np.uint16]


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture and its place in time.

    Attributes:
        pixels: (H, W, 3) RGB, C-contiguous, upright; never written to after it was made. uint8, or
            uint16 from 0 to 65535 in a conversion that keeps more than 8 bits.
        pts: presentation time in seconds, exact.
        captured_at: `time.monotonic` seconds at which the picture reached this program.
        index: position in the source, counted from 0; dropped frames leave gaps.
        alpha: (H, W) opacity of the same dtype as `pixels`, or None for an opaque picture.
    """

    pixels: Pixels
    pts: Fraction
    captured_at: float
    index: int
    alpha: Pixels | None = None

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels."""
        return self.pixels.shape[1], self.pixels.shape[0]

    def with_pixels(self, pixels: Pixels) -> Frame:
        """The same moment with another picture."""
        return replace(self, pixels=pixels)


def check_pixels(pixels: object) -> Pixels:
    """Make sure that something is an RGB picture.

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
        raise ValueError(f"picture without pixels: shape {pixels.shape}")
    return np.ascontiguousarray(pixels)


def eight_bit(pixels: Pixels) -> npt.NDArray[np.uint8]:
    """A picture in 8 bits, for what takes no more; the same array where it has no more."""
    if pixels.dtype == np.uint8:
        return pixels.view(np.uint8)
    return ((pixels.astype(np.uint32) * 255 + 32_767) // 65_535).astype(np.uint8)
