"""What a network consists of, layer by layer: torch, OpenVINO, Triton and int8 all walk these records.

`Architecture.layout` writes them down. A layer says which weights it has and what it does, and nothing of
how; what cannot compute a kind of layer says so by `no_kernel`. What only has to know what becomes of values
goes by `Record.operations` and knows no kinds. Does without torch, which takes seconds to load.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, field

from stylize_live.errors import StyleError

Shapes = dict[str, tuple[int, ...]]  # of weights, by name


@dataclass(frozen=True, slots=True)
class Convolution:
    """A weighted sum of channels and neighbours.

    Attributes:
        weight: the name of its weight.
        shape: of that, (outputs, inputs, height, width).
        int8: whether it is worth eight bits.
    """

    weight: str
    shape: tuple[int, int, int, int]
    int8: bool


@dataclass(frozen=True, slots=True)
class Norm:
    """Instance norm: each channel gets a mean and a deviation that are weights.

    Attributes:
        name: in style files.
        channels: how many.
    """

    name: str
    channels: int


@dataclass(frozen=True, slots=True)
class Relu:
    """What is below 0 becomes 0."""


@dataclass(frozen=True, slots=True)
class Sum:
    """What operations give, added to what they take.

    Attributes:
        operations: one after the other.
    """

    operations: tuple[Operation, ...]


# Of values alone: enlarging and strides leave a channel's mean and deviation as they are.
Operation = Convolution | Norm | Relu | Sum


class Record(ABC):
    """What all kinds of layers say of themselves."""

    __slots__ = ()

    @abstractmethod
    def operations(self) -> tuple[Operation, ...]:
        """What becomes of values in it, one operation after the other."""

    def layers(self) -> tuple[Layer, ...]:
        """Layers that it is made of, if it is."""
        return ()

    def shapes(self) -> Shapes:
        """Its weights, and those of the layers that it is made of."""
        return _shapes_of(self.operations()) | _all_shapes(self.layers())


@dataclass(frozen=True, slots=True)
class ConvLayer(Record):
    """What all convolutions have in common. None has a bias unless it says so: a norm would cancel it.

    Attributes:
        conv: its name in style files.
        inputs, outputs: channels.
        int8: whether it is worth eight bits, see `engine/cpu/int8.py`.
    """

    conv: str
    inputs: int
    outputs: int
    int8: bool = field(default=True, kw_only=True)

    @property
    def kernel(self) -> str:
        """The name of its weight."""
        return f"{self.conv}.weight"

    def _convolution(self, side: int) -> Convolution:
        return Convolution(self.kernel, (self.outputs, self.inputs, side, side), self.int8)


@dataclass(frozen=True, slots=True)
class ConvNorm(ConvLayer):
    """3x3 convolution of an image whose edge is repeated, instance norm, and perhaps a ReLU.

    Attributes:
        norm: the norm's name in style files.
        stride: 2 halves both sides.
        relu: whether a ReLU follows.
    """

    norm: str
    stride: int = 1
    relu: bool = True

    def operations(self) -> tuple[Operation, ...]:
        """See `Record.operations`."""
        normed = self._convolution(3), Norm(self.norm, self.outputs)
        return (*normed, Relu()) if self.relu else normed


@dataclass(frozen=True, slots=True)
class UpsampleNorm(ConvLayer):
    """Bilinear x2, 3x3 convolution, instance norm, ReLU.

    Attributes:
        norm: the norm's name in style files.
    """

    norm: str

    def operations(self) -> tuple[Operation, ...]:
        """See `Record.operations`."""
        return self._convolution(3), Norm(self.norm, self.outputs), Relu()


@dataclass(frozen=True, slots=True)
class PointwiseUpsample(ConvLayer):
    """1x1 convolution, then bilinear x2."""

    def operations(self) -> tuple[Operation, ...]:
        """See `Record.operations`."""
        return (self._convolution(1),)


@dataclass(frozen=True, slots=True)
class Residual(Record):
    """Layers whose result is added to their input (He et al., arXiv:1512.03385, without the last ReLU).

    Attributes:
        body: at least one; the size and channels of what they give are those of what they take.
    """

    body: tuple[Layer, ...]

    def operations(self) -> tuple[Operation, ...]:
        """See `Record.operations`."""
        return (Sum(_operations_of(self.body)),)

    def layers(self) -> tuple[Layer, ...]:
        """See `Record.layers`."""
        return self.body


Layer = ConvNorm | UpsampleNorm | PointwiseUpsample | Residual


@dataclass(frozen=True, slots=True)
class ToPixels(ConvLayer):
    """The end: bilinear x2, 3x3 convolution with bias, plus a share of the input's brightness, sigmoid.

    Attributes:
        brightness: name of that share in style files.
    """

    brightness: str

    @property
    def bias(self) -> str:
        """The name of its bias."""
        return f"{self.conv}.bias"

    def operations(self) -> tuple[Operation, ...]:
        """See `Record.operations`; up to what no convolution follows."""
        return (self._convolution(3),)

    def shapes(self) -> Shapes:
        """Its weights."""
        return _shapes_of(self.operations()) | {self.bias: (self.outputs,), self.brightness: (1,)}


@dataclass(frozen=True, slots=True)
class Layout:
    """A whole network.

    Attributes:
        stem: takes blocks of 4x4 pixels as 48 channels.
        body: what follows, in order.
        head: what makes pixels of that.
    """

    stem: ConvNorm
    body: tuple[Layer, ...]
    head: ToPixels

    def walk(self) -> Iterator[Layer | ToPixels]:
        """All layers in order, those within others behind these."""
        yield self.stem
        yield from _walk(self.body)
        yield self.head

    def operations(self) -> tuple[Operation, ...]:
        """What becomes of values in all of it."""
        return _operations_of((self.stem, *self.body, self.head))

    def shapes(self) -> Shapes:
        """Names and shapes of all weights."""
        return _all_shapes((self.stem, *self.body, self.head))


def last_norms(operations: tuple[Operation, ...]) -> Iterator[str]:
    """Names of the norms behind which nothing but a ReLU comes before something is added to them."""
    for operation in operations:
        if isinstance(operation, Sum):
            yield from last_norms(operation.operations)
            last = next((o for o in reversed(operation.operations) if not isinstance(o, Relu)), None)
            if isinstance(last, Norm):
                yield last.name


def no_kernel(layer: object, backend: str, lacking: str = "") -> StyleError:
    """What to raise where a backend cannot compute a kind of layer, or only without something of it."""
    with_what = f" with {lacking}" if lacking else ""
    return StyleError(f"{backend} has no kernel for layers of the kind {type(layer).__name__}{with_what}")


def _walk(layers: tuple[Layer, ...]) -> Iterator[Layer]:
    for layer in layers:
        yield layer
        yield from _walk(layer.layers())


def _operations_of(layers: tuple[Record, ...]) -> tuple[Operation, ...]:
    return tuple(operation for layer in layers for operation in layer.operations())


def _all_shapes(layers: tuple[Record, ...]) -> Shapes:
    return {name: shape for layer in layers for name, shape in layer.shapes().items()}


def _shapes_of(operations: tuple[Operation, ...]) -> Shapes:
    found: Shapes = {}
    for operation in operations:
        match operation:
            case Convolution():
                found[operation.weight] = operation.shape
            case Norm():
                found |= {f"{operation.name}.{part}": (operation.channels,) for part in ("weight", "bias")}
            case Sum():
                found |= _shapes_of(operation.operations)
    return found
