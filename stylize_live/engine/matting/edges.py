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

NOTHING = 0.3  # of a person, at which a pixel is background
ALL = 0.9  # at which it is a person: between the two the matte rises, a little inside of edges, for no halo
WINDOW = (3, 3)  # pixels of the small image
NOISE = (3, 3)  # pixels of the image
# Of what the whole image varies, and of colours of 0 to 1: what varies less around a pixel is no edge. A dark
# room varies little, and people in it have edges all the same.
LEAST_SHARE, LEAST_VARIANCE = 0.005, 2e-6
# Of images whose edges are followed pixel by pixel; the matte of a larger one is made at a half, a quarter...
MOST_PIXELS = 1280 * 720
RISE = 255 / (ALL - NOTHING)

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
        if not likelihood.any():
            return np.zeros(pixels.shape[:2], np.uint8)  # as would come out, at once where nobody is there
        matte = self._apply(_fit(likelihood, small), to_eight_bits(halve(pixels, MOST_PIXELS)))
        if matte.shape == pixels.shape[:2]:
            return matte
        return np.asarray(cv2.resize(matte, pixels.shape[1::-1]), np.uint8)

    def _apply(self, planes: _Planes, guide: Pixels) -> Matte:
        shape = guide.shape[:2]
        if self._room is None or self._room[0].shape != shape:
            self._room = np.empty(shape, np.float32), np.empty(shape, np.float32), _empty_colors(shape)
        total, part, colors = self._room
        size = guide.shape[1::-1]
        *factors, added = planes
        cv2.resize(added, size, dst=total)
        cv2.split(guide, colors)
        red, green, blue = colors
        cv2.add(total, self._multiply(factors[0], red, part), dst=total)
        cv2.add(total, self._multiply(factors[1], green, part), dst=total)
        rest = self._multiply(factors[2], blue, part)
        levels = cv2.add(total, rest, dtype=cv2.CV_8U)  # rounded, and clipped to 0 and 255
        # Noise of a sensor is in it, pixel by pixel. Blurring the image first would do the same for more.
        return np.asarray(cv2.blur(levels, NOISE), np.uint8)

    @staticmethod
    def _multiply(factor: Plane, color: Pixels, into: Plane) -> Plane:
        cv2.resize(factor, color.shape[::-1], dst=into)
        cv2.multiply(color, into, dst=into, dtype=cv2.CV_32F)
        return into


def _empty_colors(shape: tuple[int, ...]) -> tuple[Pixels, ...]:
    return tuple(np.empty(shape, np.uint8) for _ in range(3))


def _fit(likelihood: Plane, small: Pixels) -> _Planes:
    """Factors of red, green and blue, of 0 to 255 each, and what is added, that give levels of 0 to 255."""
    values = np.multiply(small, np.float32(1 / 255), dtype=np.float32)
    colors = tuple(np.ascontiguousarray(values[..., channel]) for channel in range(3))
    means, mean = tuple(map(_mean, colors)), _mean(likelihood)
    right = tuple(_mean(color * likelihood) - m * mean for color, m in zip(colors, means, strict=True))
    factors = _solve(colors, means, right, _least_variance(small))
    added = mean - _dot(factors, means)
    rise = np.float32(RISE)
    return *(_mean(factor) * (rise / 255) for factor in factors), (_mean(added) - np.float32(NOTHING)) * rise


def _least_variance(small: Pixels) -> np.float32:
    deviations = cv2.meanStdDev(small)[1] / 255
    return np.float32(max(LEAST_VARIANCE, LEAST_SHARE * float(np.mean(deviations**2))))


def _solve(colors: _Planes, means: _Planes, right: _Planes, least: np.float32) -> _Planes:
    """The covariances of colours, inverted, times those with the matte: factors of the three colours.

    `least` is added to their variances.
    """

    def covariance(i: int, j: int) -> Plane:
        return _mean(colors[i] * colors[j]) - means[i] * means[j]

    rr, gg, bb = (covariance(i, i) + least for i in range(3))
    rg, rb, gb = covariance(0, 1), covariance(0, 2), covariance(1, 2)
    # Cramer's rule with the adjugate, which is symmetric.
    first = gg * bb - gb * gb, gb * rb - rg * bb, rg * gb - gg * rb
    middle, across, last = rr * bb - rb * rb, rb * rg - rr * gb, rr * gg - rg * rg
    determinant = _dot((rr, rg, rb), first)
    rows = first, (first[1], middle, across), (first[2], across, last)
    return tuple(_dot(row, right) / determinant for row in rows)


def _dot(first: _Planes, second: _Planes) -> Plane:
    (a, b, c), (x, y, z) = first, second
    return np.asarray(a * x + b * y + c * z, np.float32)


def _mean(plane: Plane) -> Plane:
    return np.asarray(cv2.blur(plane, WINDOW), np.float32)
