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
from stylize_live.nets.layers import Convolution, Norm, Operation, Relu, Sum, no_kernel

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
        normed: they are what a norm gives.
        unclipped: where they are what a norm and its ReLU give, the same without that ReLU; else None.
    """

    mean: _Array
    deviation: _Array
    positive: bool = False
    normed: bool = False
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
        deviation = np.sqrt(np.maximum(square - mean**2, 0))
        return _Spread(mean, deviation, positive=True, unclipped=self if self.normed else None)

    def convolve(self, weight: npt.NDArray[Any]) -> _Spread:
        """What a convolution makes of independent channels; weight is (O, C, height, width)."""
        # Neighbours may be alike or differ: they are taken to be what deviates most.
        exact = weight.astype(np.float64)
        mean, reach = exact.sum(axis=(2, 3)), np.abs(exact).sum(axis=(2, 3))
        return _Spread(mean @ self.mean, np.sqrt(reach**2 @ self.deviation**2))

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
        StyleError: the network has an operation of which it is not known what it makes of its input.
    """
    layout = checkpoint.architecture.layout()
    finder = _RangeFinder(checkpoint.weights)
    # Of pixels nothing is known, but each is in -0.5..0.5; a norm follows.
    pixels = _Spread(np.zeros(layout.stem.inputs), np.full(layout.stem.inputs, 0.5))
    finder.walk(layout.operations(), pixels)
    return finder.ranges


class _RangeFinder:
    """Goes through the network with what is known of its features, and notes ranges on the way."""

    def __init__(self, weights: Weights) -> None:
        self._weights = weights
        self.ranges: dict[str, Range] = {}

    def walk(self, operations: Iterable[Operation], x: _Spread) -> _Spread:
        """What operations give, one after the other."""
        for operation in operations:
            x = self._apply(operation, x)
        return x

    def _apply(self, operation: Operation, x: _Spread) -> _Spread:
        match operation:
            case Convolution():
                if operation.int8:
                    self.ranges[operation.weight] = x.range
                return x.convolve(self._weights[operation.weight])
            case Norm():
                scale, shift = (
                    self._weights[f"{operation.name}.{part}"].astype(np.float64) for part in _NORM
                )
                return _Spread(shift, np.abs(scale), normed=True)
            case Relu():
                return x.apply_relu()
            case Sum():
                # To all such blocks alike, though the first of a row gets no sum yet.
                return x + self.walk(operation.operations, replace(x, normed=False, unclipped=None))
        raise no_kernel(operation, "int8")


def quantize_weight(weight: npt.NDArray[Any]) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.float32]]:
    """A convolution's weight as int8, with a step for each output channel.

    Args:
        weight: (O, I, h, w).

    Returns:
        Steps, (O, I, h, w) from -127 to 127, and the size of a step, (O, 1, 1, 1).
    """
    largest = np.maximum(np.abs(weight).max(axis=(1, 2, 3), keepdims=True), 1e-12)
    return np.round(weight / largest * _MOST).astype(np.int8), (largest / _MOST).astype(np.float32)
