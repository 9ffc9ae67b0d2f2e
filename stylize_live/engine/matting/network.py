"""The network that finds people, operation by operation: OpenVINO and torch compute the same records.

MediaPipe's selfie segmentation (Google, Apache-2.0), as its model files have it: the layers of MobileNetV3
(Howard et al., ICCV 2019, arXiv:1905.02244) down to a sixteenth, pooled context, and three steps up, in each
of which channels of the encoder are weighed by what is seen in all of the image. A quarter of a megabyte.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass

from stylize_live.engine.operations.records import Convolution, Operations, T, shapes_of

STRIDE = 16  # both sides of its input are multiples of this


class Layer(ABC):
    """What layers say of themselves."""

    __slots__ = ()

    @abstractmethod
    def convolutions(self) -> tuple[Convolution, ...]:
        """What has weights in it, in the order of the original's file."""


@dataclass(frozen=True, slots=True)
class Bottleneck(Layer):
    """MobileNetV3's block: wider, depthwise, weighed channel by channel (if `squeezed`), narrower.

    Attributes:
        name: of its weights.
        inputs, expanded, outputs: channels.
        side: of the depthwise convolution.
        stride: of that; at 1, the block's input is added to what it gives.
        squeezed: channels of squeeze and excitation (Hu et al., CVPR 2018); 0 is without.
        hard_swish: instead of ReLU.
    """

    name: str
    inputs: int
    expanded: int
    outputs: int
    side: int = 3
    stride: int = 1
    squeezed: int = 0
    hard_swish: bool = False

    @property
    def expand(self) -> Convolution:
        """Into the wide middle."""
        return Convolution(f"{self.name}.expand", self.inputs, self.expanded)

    @property
    def depthwise(self) -> Convolution:
        """In the middle."""
        wide = self.expanded
        return Convolution(f"{self.name}.depthwise", wide, wide, self.side, self.stride, depthwise=True)

    @property
    def gate(self) -> Gate | None:
        """What weighs channels in the middle."""
        return Gate(f"{self.name}.gate", self.expanded, self.squeezed) if self.squeezed else None

    @property
    def project(self) -> Convolution:
        """Out of the middle."""
        return Convolution(f"{self.name}.project", self.expanded, self.outputs)

    def convolutions(self) -> tuple[Convolution, ...]:
        """See `Layer.convolutions`."""
        gate = self.gate.convolutions() if self.gate else ()
        return self.expand, self.depthwise, *gate, self.project


@dataclass(frozen=True, slots=True)
class Gate(Layer):
    """Squeeze and excitation: each channel times a number from 0 to 1 that all means together give."""

    name: str
    channels: int
    squeezed: int

    @property
    def squeeze(self) -> Convolution:
        """Of means."""
        return Convolution(f"{self.name}.squeeze", self.channels, self.squeezed)

    @property
    def excite(self) -> Convolution:
        """Back to all channels."""
        return Convolution(f"{self.name}.excite", self.squeezed, self.channels)

    def convolutions(self) -> tuple[Convolution, ...]:
        """See `Layer.convolutions`."""
        return self.squeeze, self.excite


@dataclass(frozen=True, slots=True)
class Context(Layer):
    """The deepest: each channel times a number that all means give (MobileNetV3's LR-ASPP)."""

    name: str
    inputs: int
    outputs: int

    @property
    def local(self) -> Convolution:
        """Of each place."""
        return Convolution(f"{self.name}.local", self.inputs, self.outputs)

    @property
    def whole(self) -> Convolution:
        """Of the means."""
        return Convolution(f"{self.name}.whole", self.inputs, self.outputs)

    def convolutions(self) -> tuple[Convolution, ...]:
        """See `Layer.convolutions`."""
        return self.local, self.whole


@dataclass(frozen=True, slots=True)
class StepUp(Layer):
    """Twice as large, joined with the encoder's values of that size, and refined.

    Attributes:
        name: of its weights.
        inputs: channels from below.
        outputs: channels of the encoder, and of what it gives.
    """

    name: str
    inputs: int
    outputs: int

    @property
    def reduce(self) -> Convolution:
        """Of what is enlarged."""
        return Convolution(f"{self.name}.reduce", self.inputs, self.outputs)

    @property
    def gate(self) -> Gate:
        """What weighs the encoder's channels."""
        return Gate(f"{self.name}.gate", self.outputs, self.outputs)

    @property
    def mix(self) -> Convolution:
        """Of both."""
        return Convolution(f"{self.name}.mix", self.outputs, self.outputs)

    @property
    def refine(self) -> Convolution:
        """Added to that."""
        return Convolution(f"{self.name}.refine", self.outputs, self.outputs, 3, depthwise=True)

    def convolutions(self) -> tuple[Convolution, ...]:
        """See `Layer.convolutions`."""
        return self.reduce, *self.gate.convolutions(), self.mix, self.refine


STEM = Convolution("stem", 3, 16, 3, 2)
# Down to these shares of the sides. What the stem and the first two give is joined on the way up.
QUARTER = (Bottleneck("down.0", 16, 16, 16, stride=2, squeezed=8),)
EIGHTH = (Bottleneck("down.1", 16, 72, 24, stride=2), Bottleneck("down.2", 24, 88, 24))
SIXTEENTH = (
    Bottleneck("down.3", 24, 96, 32, 5, 2, 24, hard_swish=True),
    Bottleneck("down.4", 32, 128, 32, 5, 1, 32, hard_swish=True),
    Bottleneck("down.5", 32, 128, 32, 5, 1, 32, hard_swish=True),
    Bottleneck("down.6", 32, 96, 32, 5, 1, 24, hard_swish=True),
    Bottleneck("down.7", 32, 96, 32, 5, 1, 24, hard_swish=True),
)
CONTEXT = Context("context", 32, 128)
UP = (StepUp("up.0", 128, 24), StepUp("up.1", 24, 16), StepUp("up.2", 16, 16))
END = Convolution("end", 16, 4)  # the original's transposed convolution, 2x2 without overlap


def list_convolutions() -> Iterator[Convolution]:
    """All of them, in the order of the original's file."""
    yield STEM
    for layer in (*QUARTER, *EIGHTH, *SIXTEENTH, CONTEXT, *UP):
        yield from layer.convolutions()
    yield END


def shapes() -> dict[str, tuple[int, ...]]:
    """Of all weights, by name."""
    return shapes_of(list_convolutions())


def compute(x: T, ops: Operations[T]) -> T:
    """(1, 3, H, W), 0 to 1 -> (1, 1, H, W), 0 to 1: how much of a person; sides are multiples of `STRIDE`."""
    half = ops.hard_swish(ops.convolve(x, STEM))
    quarter = _go_down(half, QUARTER, ops)
    eighth = _go_down(quarter, EIGHTH, ops)
    h = _see_context(_go_down(eighth, SIXTEENTH, ops), ops)
    for layer, seen in zip(UP, (eighth, quarter, half), strict=True):
        h = _step_up(h, seen, layer, ops)
    return ops.sigmoid(ops.unfold(ops.convolve(h, END)))


def _go_down(x: T, layers: tuple[Bottleneck, ...], ops: Operations[T]) -> T:
    for layer in layers:
        x = _bottleneck(x, layer, ops)
    return x


def _bottleneck(x: T, layer: Bottleneck, ops: Operations[T]) -> T:
    bend = ops.hard_swish if layer.hard_swish else ops.relu
    h = bend(ops.convolve(bend(ops.convolve(x, layer.expand)), layer.depthwise))
    if layer.gate:
        h = ops.multiply(h, _weigh(h, layer.gate, ops))
    h = ops.convolve(h, layer.project)
    return ops.add(h, x) if layer.stride == 1 else h


def _weigh(x: T, gate: Gate, ops: Operations[T]) -> T:
    """(1, C, 1, 1), 0 to 1."""
    squeezed = ops.relu(ops.convolve(ops.average(x), gate.squeeze))
    return ops.sigmoid(ops.convolve(squeezed, gate.excite))


def _see_context(x: T, ops: Operations[T]) -> T:
    weights = ops.sigmoid(ops.convolve(ops.average(x), CONTEXT.whole))
    return ops.multiply(ops.relu(ops.convolve(x, CONTEXT.local)), weights)


def _step_up(x: T, seen: T, layer: StepUp, ops: Operations[T]) -> T:
    # The original enlarges first: the same, as each place is convolved by itself, and four times the work.
    h = ops.enlarge(ops.convolve(x, layer.reduce))
    h = ops.add(ops.multiply(seen, _weigh(ops.add(seen, h), layer.gate, ops)), h)
    h = ops.relu(ops.convolve(h, layer.mix))
    return ops.add(h, ops.relu(ops.convolve(h, layer.refine)))
