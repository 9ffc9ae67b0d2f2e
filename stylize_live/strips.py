"""Which images are handled in strips, and in which strips; reading, painting and writing agree on it."""

from __future__ import annotations

from collections.abc import Iterator

LARGE = 1 << 24  # pixels; 17 megapixels as arrays and floats take half a gigabyte
STRIP = 1 << 20  # pixels that are handled together: 12 MB of floats


def is_large(size: tuple[int, int]) -> bool:
    """Whether an image of this (width, height) is better handled in strips, which is a little slower."""
    return size[0] * size[1] > LARGE


def strips(size: tuple[int, int]) -> Iterator[tuple[int, int]]:
    """First row and the one behind the last of each strip of an image of this (width, height)."""
    step = max(1, STRIP // size[0])
    for top in range(0, size[1], step):
        yield top, min(top + step, size[1])
