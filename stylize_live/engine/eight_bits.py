"""Eight-bit convolutions: in which steps their inputs and weights are counted. No pictures are needed.

Other networks have to be shown samples before anybody knows how large their features get. Here an instance
norm stands before nearly every convolution and gives each channel, whatever the picture, the mean and the
deviation that a style's own weights say. What adds up through residual blocks has longer tails than a normal
distribution, so more deviations of that are covered; what lies beyond is clipped.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from stylize_live.nets.checkpoint import Checkpoint

# Deviations that are covered, tried on four styles and six photos of 320x240. Levels off float32, the mean
# over all and the 99.9th percentile of the worst photo: with 10 and 16 0.89 and 13, with 8 and 13 0.74 and
# 12, with 7 and 11 0.66 and 7, with 6 and 10 0.63 and 9. Wider steps cost more than clipping, until tails
# are cut.
_NORMED, _SUMMED = 7.0, 11.0
_MOST = 127  # of a weight; -128 has no counterpart

_Array = npt.NDArray[np.float64]
Range = tuple[float, float]  # least and greatest value


@dataclass(frozen=True, slots=True)
class _Spread:
    """What is known of features.

    Attributes:
        mean, deviation: of each channel, (C,).
        positive: nothing is below 0.
    """

    mean: _Array
    deviation: _Array
    positive: bool = False

    def __add__(self, other: _Spread) -> _Spread:
        return _Spread(self.mean + other.mean, np.hypot(self.deviation, other.deviation))

    def rectified(self) -> _Spread:
        """What a ReLU makes of normal distributions."""
        z = self.mean / np.maximum(self.deviation, 1e-9)
        above = np.array([0.5 * (1 + math.erf(value / math.sqrt(2))) for value in z])
        density = np.exp(-z * z / 2) / math.sqrt(2 * math.pi)
        mean = self.mean * above + self.deviation * density
        square = (self.mean**2 + self.deviation**2) * above + self.mean * self.deviation * density
        return _Spread(mean, np.sqrt(np.maximum(square - mean**2, 0)), positive=True)

    def mixed(self, weight: npt.NDArray[Any]) -> _Spread:
        """What a 1x1 convolution makes of independent channels; weight is (O, C, 1, 1)."""
        matrix = weight[:, :, 0, 0].astype(np.float64)
        return _Spread(matrix @ self.mean, np.sqrt(matrix**2 @ self.deviation**2))

    def covered(self, deviations: float) -> Range:
        """A range that holds all channels' values up to so many deviations from their means."""
        reach = deviations * self.deviation
        low = 0.0 if self.positive else min(0.0, float((self.mean - reach).min()))
        return low, max(1e-6, float((self.mean + reach).max()))


def input_ranges(checkpoint: Checkpoint) -> dict[str, Range]:
    """Which convolutions are worth eight bits, and the range of their inputs.

    Left out are the first, whose inputs are pixels, and the way down to an eighth, which takes a thirtieth
    of the time and makes a tenth to a fifth of the error.

    Returns:
        Name of the convolution's weight -> least and greatest value of its input.
    """
    walk, a = _Walk(checkpoint), checkpoint.architecture
    x = walk.norm("stem.1").rectified()
    x = walk.blocks("body_in", a.blocks_in, x)
    if a.deep_width:
        deep = walk.blocks("deep.blocks", a.blocks_deep, walk.norm("deep.down.1").rectified())
        walk.note("deep.up.weight", deep)
        x = x + deep.mixed(checkpoint.weights["deep.up.weight"])
    walk.note("to_half.weight", walk.blocks("body_out", a.blocks_out, x))
    walk.note_normed("refine.0.weight", "to_half_norm")
    walk.note_normed("to_full.weight", "refine.1")
    return walk.ranges


class _Walk:
    """Goes through the network with what is known of its features, and notes ranges on the way."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        self._weights = checkpoint.weights
        self.ranges: dict[str, Range] = {}

    def note(self, weight: str, x: _Spread) -> None:
        """This is the input of the convolution with that weight."""
        self.ranges[weight] = x.covered(_SUMMED)

    def note_normed(self, weight: str, norm: str) -> None:
        """So is what that norm gives, after a ReLU."""
        self.ranges[weight] = 0.0, self.norm(norm).covered(_NORMED)[1]

    def norm(self, name: str) -> _Spread:
        """What a norm gives."""
        scale, shift = (self._weights[f"{name}.{part}"].astype(np.float64) for part in ("weight", "bias"))
        return _Spread(shift, np.abs(scale))

    def blocks(self, name: str, count: int, x: _Spread) -> _Spread:
        """Through residual blocks."""
        for block in (f"{name}.{number}" for number in range(count)):
            self.note(f"{block}.first.0.weight", x)
            self.note_normed(f"{block}.second.0.weight", f"{block}.first.1")
            x = x + self.norm(f"{block}.second.1")
        return x


def in_steps(weight: npt.NDArray[Any]) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.float32]]:
    """A convolution's weight in whole steps, as large for each output as it needs.

    Args:
        weight: (O, I, h, w).

    Returns:
        Steps, (O, I, h, w) from -127 to 127, and the size of a step, (O, 1, 1, 1).
    """
    largest = np.maximum(np.abs(weight).max(axis=(1, 2, 3), keepdims=True), 1e-12)
    return np.round(weight / largest * _MOST).astype(np.int8), (largest / _MOST).astype(np.float32)
