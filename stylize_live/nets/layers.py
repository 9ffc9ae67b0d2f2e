"""What a network consists of, layer by layer: torch, OpenVINO, Triton and int8 all walk these records.

`Architecture.layout` writes them down. A layer says which weights it has and what it does, and nothing of
how; what cannot compute a kind of layer says so by `no_kernel`. Does without torch, which takes seconds to
load.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from stylize_live.errors import StyleError

Shapes = dict[str, tuple[int, ...]]  # of weights, by name


@dataclass(frozen=True, slots=True)
class _Convolution:
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


@dataclass(frozen=True, slots=True)
class ConvNorm(_Convolution):
    """3x3 convolution of an image whose edge is repeated, instance norm, and perhaps a ReLU.

    Attributes:
        norm: the norm's name in style files.
        stride: 2 halves both sides.
        relu: whether a ReLU follows.
    """

    norm: str
    stride: int = 1
    relu: bool = True

    def shapes(self) -> Shapes:
        """Its weights."""
        return {self.kernel: (self.outputs, self.inputs, 3, 3)} | _norm(self.norm, self.outputs)


@dataclass(frozen=True, slots=True)
class UpsampleNorm(_Convolution):
    """Bilinear x2, 3x3 convolution, instance norm, ReLU.

    Attributes:
        norm: the norm's name in style files.
    """

    norm: str

    def shapes(self) -> Shapes:
        """Its weights."""
        return {self.kernel: (self.outputs, self.inputs, 3, 3)} | _norm(self.norm, self.outputs)


@dataclass(frozen=True, slots=True)
class PointwiseUpsample(_Convolution):
    """1x1 convolution, then bilinear x2."""

    def shapes(self) -> Shapes:
        """Its weights."""
        return {self.kernel: (self.outputs, self.inputs, 1, 1)}


@dataclass(frozen=True, slots=True)
class Residual:
    """Layers whose result is added to their input (He et al., arXiv:1512.03385, without the last ReLU).

    Attributes:
        body: at least one; the size and channels of what they give are those of what they take.
    """

    body: tuple[Layer, ...]

    def shapes(self) -> Shapes:
        """Their weights."""
        return _shapes_of(self.body)


Layer = ConvNorm | UpsampleNorm | PointwiseUpsample | Residual


@dataclass(frozen=True, slots=True)
class ToPixels(_Convolution):
    """The end: bilinear x2, 3x3 convolution with bias, plus a share of the input's brightness, sigmoid.

    Attributes:
        brightness: name of that share in style files.
    """

    brightness: str

    @property
    def bias(self) -> str:
        """The name of its bias."""
        return f"{self.conv}.bias"

    def shapes(self) -> Shapes:
        """Its weights."""
        kernel = (self.outputs, self.inputs, 3, 3)
        return {self.kernel: kernel, self.bias: (self.outputs,), self.brightness: (1,)}


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

    def shapes(self) -> Shapes:
        """Names and shapes of all weights."""
        return self.stem.shapes() | _shapes_of(self.body) | self.head.shapes()


def no_kernel(layer: object, backend: str) -> StyleError:
    """What to raise where a backend cannot compute a kind of layer."""
    return StyleError(f"{backend} has no kernel for layers of the kind {type(layer).__name__}")


def _walk(layers: tuple[Layer, ...]) -> Iterator[Layer]:
    for layer in layers:
        yield layer
        if isinstance(layer, Residual):
            yield from _walk(layer.body)


def _shapes_of(layers: tuple[Layer, ...]) -> Shapes:
    found: Shapes = {}
    for layer in layers:
        found |= layer.shapes()
    return found


def _norm(name: str, channels: int) -> Shapes:
    return {f"{name}.weight": (channels,), f"{name}.bias": (channels,)}
