"""A small matte brought to the size of its image, its edges moved to where the image has some.

A guided filter in colour (He, Sun and Tang, "Guided image filtering", PAMI 2013, equations 19 to 21): around
each pixel the matte is taken for a linear function of red, green and blue. These are found in the small
image, as in the fast guided filter (He and Sun, arXiv:1505.00996), and applied to the large one.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from stylize_live.engine.cpu.optical_flow import Plane
from stylize_live.engine.matting.reduction import halve
from stylize_live.frame import Pixels, to_eight_bits
from stylize_live.media.libraries import cv2

Matte = npt.NDArray[np.uint8]

NOTHING = 0.15  # of a person, at which a pixel is background
ALL = 0.85  # at which it is a person: between the two the matte rises
_WINDOW = (3, 3)  # pixels of the small image
# Of what the whole image varies, and of colours of 0 to 1: what varies less around a pixel is no edge. A dark
# room varies little, and people in it have edges all the same.
_LEAST_SHARE, _LEAST_VARIANCE = 0.002, 2e-6
# Of images whose edges are followed pixel by pixel; the matte of a larger one is made at a half, a quarter...
_MOST_PIXELS = 1280 * 720
_RISE = 255 / (ALL - NOTHING)

_Planes = tuple[Plane, ...]


class EdgeFollower:
    """Brings mattes to the size of their images. One thread at a time may use it.

    It keeps what it computes in: getting memory of that size from the system takes longer than the rest.
    """

    def __init__(self) -> None:
        self._room: tuple[Plane, Plane, tuple[Pixels, ...]] | None = None

    def __call__(self, likelihood: Plane, small: Pixels, pixels: Pixels) -> Matte:
        """The matte of an image.

        Args:
            likelihood: (h, w), 0 to 1: how much of a person, roughly.
            small: (h, w, 3) uint8 RGB, the image reduced.
            pixels: (H, W, 3) uint8 or uint16 RGB, the image.

        Returns:
            (H, W): 0 is background, 255 a person.
        """
        matte = self._apply(_fit(likelihood, small), to_eight_bits(halve(pixels, _MOST_PIXELS)))
        if matte.shape == pixels.shape[:2]:
            return matte
        return np.asarray(cv2.resize(matte, pixels.shape[1::-1]), np.uint8)

    def _apply(self, planes: _Planes, guide: Pixels) -> Matte:
        shape, size = guide.shape[:2], guide.shape[1::-1]
        if self._room is None or self._room[0].shape != shape:
            colors = tuple(np.empty(shape, np.uint8) for _ in range(3))
            self._room = np.empty(shape, np.float32), np.empty(shape, np.float32), colors
        total, part, colors = self._room
        *factors, added = planes
        cv2.resize(added, size, dst=total)
        cv2.split(guide, colors)
        for factor, color in zip(factors, colors, strict=True):
            cv2.resize(factor, size, dst=part)
            cv2.multiply(color, part, dst=part, dtype=cv2.CV_32F)
            cv2.add(total, part, dst=total)
        return np.asarray(cv2.add(total, 0.0, dtype=cv2.CV_8U), np.uint8)  # rounded, and within 0 and 255


def _fit(likelihood: Plane, small: Pixels) -> _Planes:
    """Factors of red, green and blue, of 0 to 255 each, and what is added, that give levels of 0 to 255."""
    colors: _Planes = cv2.split(np.multiply(small, np.float32(1 / 255)))
    means = tuple(_mean(color) for color in colors)
    mean = _mean(likelihood)
    with_matte = tuple(
        _covariance(color, likelihood, m, mean) for color, m in zip(colors, means, strict=True)
    )
    factors = _solve(colors, means, with_matte, _least_variance(small))
    added = mean
    for factor, m in zip(factors, means, strict=True):
        added = cv2.subtract(added, cv2.multiply(factor, m))
    return (
        *(_mean(factor) * np.float32(_RISE / 255) for factor in factors),
        (_mean(added) - np.float32(NOTHING)) * np.float32(_RISE),
    )


def _least_variance(small: Pixels) -> float:
    deviations = cv2.meanStdDev(small)[1] / 255
    return max(_LEAST_VARIANCE, _LEAST_SHARE * float(np.mean(deviations**2)))


def _solve(colors: _Planes, means: _Planes, right: _Planes, least: float) -> _Planes:
    """The covariances of colours, inverted, times those with the matte: factors of the three colours.

    `least` is added to their variances.
    """
    red, green, blue = colors
    r, g, b = means
    rr, rg, rb = (_covariance(red, other, r, m) for other, m in zip(colors, means, strict=True))
    gg, gb, bb = (
        _covariance(green, green, g, g),
        _covariance(green, blue, g, b),
        _covariance(blue, blue, b, b),
    )
    for variance in (rr, gg, bb):
        cv2.add(variance, least, dst=variance)
    # Cramer's rule with the adjugate, which is symmetric.
    first = _minor(gg, bb, gb, gb), _minor(gb, rb, rg, bb), _minor(rg, gb, gg, rb)
    middle, across, last = _minor(rr, bb, rb, rb), _minor(rb, rg, rr, gb), _minor(rr, gg, rg, rg)
    determinant = _dot((rr, rg, rb), first)
    rows = first, (first[1], middle, across), (first[2], across, last)
    return tuple(cv2.divide(_dot(row, right), determinant) for row in rows)


def _minor(a: Plane, d: Plane, b: Plane, c: Plane) -> Plane:
    return np.asarray(cv2.subtract(cv2.multiply(a, d), cv2.multiply(b, c)), np.float32)


def _dot(first: _Planes, second: _Planes) -> Plane:
    (a, b, c), (x, y, z) = first, second
    total = cv2.add(cv2.add(cv2.multiply(a, x), cv2.multiply(b, y)), cv2.multiply(c, z))
    return np.asarray(total, np.float32)


def _covariance(x: Plane, y: Plane, mean_x: Plane, mean_y: Plane) -> Plane:
    return np.asarray(cv2.subtract(_mean(cv2.multiply(x, y)), cv2.multiply(mean_x, mean_y)), np.float32)


def _mean(plane: Plane) -> Plane:
    return np.asarray(cv2.blur(plane, _WINDOW), np.float32)
