"""What small networks are made of: their records say what is computed, and two runtimes say how."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np
import numpy.typing as npt

Weights = Mapping[str, npt.NDArray[np.float32]]
"""Weights and biases of convolutions, by name."""

T = TypeVar("T")  # a runtime's values: (1, C, H, W)


@dataclass(frozen=True, slots=True)
class Convolution:
    """A convolution with bias; what lies outside of an image is 0.

    Attributes:
        name: of its weights, `name.weight` and `name.bias`.
        inputs, outputs: channels.
        side: of its kernel.
        stride: 2 halves both sides.
        depthwise: whether each channel is convolved by itself.
    """

    name: str
    inputs: int
    outputs: int
    side: int = 1
    stride: int = 1
    depthwise: bool = False

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Of its weights, by name: (outputs, inputs, height, width), one input if depthwise; and biases."""
        inputs = 1 if self.depthwise else self.inputs
        weight = (self.outputs, inputs, self.side, self.side)
        return {f"{self.name}.weight": weight, f"{self.name}.bias": (self.outputs,)}

    @property
    def padding(self) -> tuple[int, int]:
        """Zeros before and behind each axis of an even length; as TensorFlow's "SAME" has them."""
        more = self.side - self.stride
        return (more // 2, more - more // 2) if self.side > 1 else (0, 0)


def shapes_of(convolutions: Iterable[Convolution]) -> dict[str, tuple[int, ...]]:
    """Of all weights of these, by name."""
    return {name: shape for one in convolutions for name, shape in one.shapes().items()}


class Operations(Protocol[T]):
    """What a runtime has to do."""

    def convolve(self, x: T, convolution: Convolution) -> T:
        """With the weights of that name."""

    def relu(self, x: T) -> T:
        """max(x, 0)."""

    def hard_swish(self, x: T) -> T:
        """x * min(max(x + 3, 0), 6) / 6."""

    def sigmoid(self, x: T) -> T:
        """1 / (1 + exp(-x))."""

    def average(self, x: T) -> T:
        """(1, C, 1, 1), each channel's mean."""

    def add(self, x: T, y: T) -> T:
        """Value by value; sides of 1 are repeated."""

    def multiply(self, x: T, y: T) -> T:
        """Likewise."""

    def enlarge(self, x: T) -> T:
        """Both sides twice as long, bilinear, the centres of pixels in place."""

    def halve(self, x: T) -> T:
        """The largest of every 2x2; a last odd row or column is left out."""

    def unfold(self, x: T) -> T:
        """(1, 4, H, W) -> (1, 1, 2 H, 2 W): the four are the places of a square, row by row."""
