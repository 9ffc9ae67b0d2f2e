"""Quantisation of convolutions to int8: the ranges of their inputs, and the steps of their weights.

No images are needed. Other networks have to be shown samples before anybody knows how large their features
get. Here an instance norm stands before nearly every convolution and gives each channel, whatever the image,
the mean and the deviation that a style's own weights say. What adds up through residual blocks has longer
tails than a normal distribution, so more deviations of that are covered; what lies beyond is clipped.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from stylize_live.nets.checkpoint import Checkpoint, Weights
from stylize_live.nets.layers import (
    ConvNorm,
    Layer,
    PointwiseUpsample,
    Residual,
    ToPixels,
    UpsampleNorm,
    no_kernel,
)

# Deviations that are covered, tried on four styles and six photos of 320x240. Levels off float32, the mean
# over all and the 99.9th percentile of the worst photo: with 10 and 16 0.89 and 13, with 8 and 13 0.74 and
# 12, with 7 and 11 0.66 and 7, with 6 and 10 0.63 and 9. Wider steps cost more than clipping, until tails
# are cut.
_NORMED, _SUMMED = 7.0, 11.0
_MOST = 127  # of a weight; -128 has no counterpart
_NORM = ("weight", "bias")

_Array = npt.NDArray[np.float64]
Range = tuple[float, float]  # least and greatest value


@dataclass(frozen=True, slots=True)
class _Spread:
    """What is known of features.

    Attributes:
        mean, deviation: of each channel, (C,).
        positive: nothing is below 0.
        unclipped: where they are what a norm and its ReLU give, the same without that ReLU; else None.
    """

    mean: _Array
    deviation: _Array
    positive: bool = False
    unclipped: _Spread | None = None

    def __add__(self, other: _Spread) -> _Spread:
        return _Spread(self.mean + other.mean, np.hypot(self.deviation, other.deviation))

    def apply_relu(self) -> _Spread:
        """What a ReLU makes of normal distributions."""
        z = self.mean / np.maximum(self.deviation, 1e-9)
        above = np.array([0.5 * (1 + math.erf(value / math.sqrt(2))) for value in z])
        density = np.exp(-z * z / 2) / math.sqrt(2 * math.pi)
        mean = self.mean * above + self.deviation * density
        square = (self.mean**2 + self.deviation**2) * above + self.mean * self.deviation * density
        return _Spread(mean, np.sqrt(np.maximum(square - mean**2, 0)), positive=True, unclipped=self)

    def mix_channels(self, weight: npt.NDArray[Any]) -> _Spread:
        """What a 1x1 convolution makes of independent channels; weight is (O, C, 1, 1)."""
        matrix = weight[:, :, 0, 0].astype(np.float64)
        return _Spread(matrix @ self.mean, np.sqrt(matrix**2 @ self.deviation**2))

    @property
    def range(self) -> Range:
        """A range that holds nearly all values of all channels."""
        if self.unclipped is not None:
            return 0.0, self.unclipped._cover(_NORMED)[1]
        return self._cover(_SUMMED)

    def _cover(self, deviations: float) -> Range:
        """The range of all that lies up to so many deviations from the channels' means."""
        reach = deviations * self.deviation
        low = 0.0 if self.positive else min(0.0, float((self.mean - reach).min()))
        return low, max(1e-6, float((self.mean + reach).max()))


def input_ranges(checkpoint: Checkpoint) -> dict[str, Range]:
    """The convolutions that are worth eight bits, as their layers say, and the range of their inputs.

    Returns:
        Name of the convolution's weight -> least and greatest value of its input.

    Raises:
        StyleError: the network has a kind of layer of which it is not known what it makes of its input.
    """
    layout = checkpoint.architecture.layout()
    finder = _RangeFinder(checkpoint.weights)
    finder.note(layout.head, finder.walk(layout.body, finder.apply_norm(layout.stem)))
    return finder.ranges


class _RangeFinder:
    """Goes through the network with what is known of its features, and notes ranges on the way."""

    def __init__(self, weights: Weights) -> None:
        self._weights = weights
        self.ranges: dict[str, Range] = {}

    def note(self, layer: ConvNorm | UpsampleNorm | PointwiseUpsample | ToPixels, x: _Spread) -> None:
        """Note the range of x, the input of that layer's convolution."""
        if layer.int8:
            self.ranges[layer.kernel] = x.range

    def apply_norm(self, layer: ConvNorm | UpsampleNorm) -> _Spread:
        """What a layer that ends in a norm gives, whatever its input."""
        scale, shift = (self._weights[f"{layer.norm}.{part}"].astype(np.float64) for part in _NORM)
        found = _Spread(shift, np.abs(scale))
        return found if isinstance(layer, ConvNorm) and not layer.relu else found.apply_relu()

    def walk(self, layers: Iterable[Layer], x: _Spread) -> _Spread:
        """What layers give, one after the other."""
        for layer in layers:
            match layer:
                case ConvNorm() | UpsampleNorm():
                    self.note(layer, x)
                    x = self.apply_norm(layer)
                case PointwiseUpsample():
                    self.note(layer, x)
                    x = x.mix_channels(self._weights[layer.kernel])
                case Residual():
                    # To all such blocks alike, though the first of a row gets no sum yet.
                    x = x + self.walk(layer.body, replace(x, unclipped=None))
                case _:
                    raise no_kernel(layer, "int8")
        return x


def quantize_weight(weight: npt.NDArray[Any]) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.float32]]:
    """A convolution's weight as int8, with a step for each output channel.

    Args:
        weight: (O, I, h, w).

    Returns:
        Steps, (O, I, h, w) from -127 to 127, and the size of a step, (O, 1, 1, 1).
    """
    largest = np.maximum(np.abs(weight).max(axis=(1, 2, 3), keepdims=True), 1e-12)
    return np.round(weight / largest * _MOST).astype(np.int8), (largest / _MOST).astype(np.float32)
