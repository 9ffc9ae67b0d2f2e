"""What a painting looks like, in numbers.

Its texture is the means and deviations of what VGG16 sees in it, and of these the logarithms: 1920 numbers.
Its colors are the mean and the covariance of their logits: 12 numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np
import numpy.typing as npt

from stylize_live.engine.first_look.feature_network import normalize
from stylize_live.frame import Pixels
from stylize_live.media.image.io import middle_of_strip, resize
from stylize_live.media.libraries import cv2

Array = npt.NDArray[np.float32]
Measure = Callable[[Array], list[Array]]
"""Runs `feature_network` on a normalised image: (C,) each, means and means of squares in turns."""

_SIZE = 560  # pixels of the short side, at which colors are taken; training takes strokes from there, too
_LEAST_SIZE = 256  # smaller paintings are enlarged: features need some room
_SEEN = 320  # pixels of the short side that features are measured at
_LONGEST = 2.5  # long over short side of what is looked at, which decides how long it takes
_BLUR, _REACH = 0.4, 2  # pixels: finer detail than that is a scan's grain
_LEAST = 0.02  # a value nearer to black or white counts as so near
_FLOOR = 1e-3  # added to means and deviations: some channels see nothing


@dataclass(frozen=True, slots=True)
class Description:
    """What a painting looks like.

    Attributes:
        features: (1920,) float32, of each stage of VGG16 the logarithms of means, then those of deviations.
        colors: (12,) float32, mean and covariance of the logits of red, green and blue.
    """

    features: Array
    colors: Array


def describe(pixels: Pixels) -> Description:
    """Look at a painting, (H, W, 3) uint8 of any size from 1x1; of a long strip, at the middle."""
    shorter = min(pixels.shape[:2])
    size = min(_SIZE, max(shorter, _LEAST_SIZE))
    image = _soften(resize(middle_of_strip(pixels, _LONGEST), size))
    return Description(_describe_texture(_shrink(image)), _describe_colors(image))


def logits(values: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """What a sigmoid would make such values in [0, 1] of; none nearer to black or white than `_LEAST`."""
    inside = np.clip(np.asarray(values, np.float64), _LEAST, 1 - _LEAST)
    return np.asarray(np.log(inside / (1 - inside)))


def _soften(pixels: Pixels) -> Array:
    """(H, W, 3) uint8 -> float32 in [0, 1]."""
    side = 2 * _REACH + 1
    values = pixels.astype(np.float32) / 255
    return np.asarray(cv2.GaussianBlur(values, (side, side), _BLUR, borderType=cv2.BORDER_REFLECT_101))


def _shrink(image: Array) -> Array:
    """Each pixel the mean of all that it touches, along one axis after the other."""
    height, width = image.shape[:2]
    scale = _SEEN / min(height, width)
    if scale >= 1:
        return image
    return _average(_average(image, 0, round(height * scale)), 1, round(width * scale))


def _average(image: Array, axis: int, count: int) -> Array:
    length, numbers = image.shape[axis], np.arange(count)
    begins, ends = numbers * length // count, -(-(numbers + 1) * length // count)
    empty = np.zeros_like(image.take([0], axis), np.float64)
    sums = np.concatenate([empty, image.cumsum(axis, np.float64)], axis)
    widths = (ends - begins).reshape([-1 if place == axis else 1 for place in range(image.ndim)])
    return np.asarray((sums.take(ends, axis) - sums.take(begins, axis)) / widths, np.float32)


def _describe_texture(image: Array) -> Array:
    measure = _load_measure()
    found = []
    values = iter(measure(normalize(image)))
    for mean, square in zip(values, values, strict=True):
        deviation = np.sqrt(np.maximum(square - mean * mean, 0))
        found += [np.log(mean + _FLOOR), np.log(deviation + _FLOOR)]
    return np.concatenate(found)


def _load_measure() -> Measure:
    # Not torch where OpenVINO is there: it takes longer to load than all of the first look.
    if find_spec("openvino") is not None:
        from stylize_live.engine.first_look.openvino_features import measure
    else:
        from stylize_live.engine.first_look.torch_features import measure
    return measure


def _describe_colors(image: Array) -> Array:
    values = logits(image).reshape(-1, 3)
    return np.concatenate([values.mean(0), np.cov(values.T).ravel()]).astype(np.float32)
