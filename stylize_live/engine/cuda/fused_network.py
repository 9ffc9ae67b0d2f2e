"""The network on an NVIDIA GPU with kernels of its own between the convolutions, see `triton/network.py`.

Needs Triton, which torch brings along on Linux, and a C compiler, which Triton wants.
"""

from __future__ import annotations

import math
from dataclasses import fields
from typing import Any

import torch
import torch.nn.functional as F
import triton
from torch import Tensor

from stylize_live.engine.cuda.triton import network as kernels
from stylize_live.engine.cuda.triton.build import LAUNCH
from stylize_live.errors import StyleError
from stylize_live.nets.architecture import LUMA, NORM_EPSILON, STRIDE
from stylize_live.nets.layers import (
    ConvLayer,
    ConvNorm,
    Layer,
    PointwiseUpsample,
    Residual,
    ToPixels,
    UpsampleNorm,
    no_kernel,
)
from stylize_live.nets.transformer import ResidualTransformer, UpsampleConv, fold_upsampling

_BLOCK = 64  # places that a program works on at once
_PROGRAMS = 256  # that add up sums
_COLORS = 4  # of which the last is nothing: convolutions want even numbers
# Height and width of the weights that these kernels convolve with: with others they would read beyond.
_SIDES = {ConvNorm: 3, UpsampleNorm: 3, PointwiseUpsample: 1, ToPixels: 3}
# Fields of records that are heeded here; any other has to have its default.
_FIELDS = {"conv", "inputs", "outputs", "int8", "norm", "stride", "relu", "body", "brightness"}


class FusedNetwork:
    """Paints as `torch_backend.paint` does.

    Args:
        network: on a GPU, channels last. Where its weights are changed in place, `refresh` is to be called.

    Attributes:
        kernels: see `GpuNetwork`.

    Raises:
        StyleError: from here or when called: the network has layers that these kernels do not compute.
    """

    kernels = f"torch {torch.__version__}, triton {triton.__version__}"

    def __init__(self, network: ResidualTransformer) -> None:
        for layer in network.layout.walk():
            _check(layer)
        self._network = network
        head = network.convolutions[network.layout.head.conv]
        parameter = head.weight
        self._options: dict[str, Any] = {"dtype": parameter.dtype, "device": parameter.device}
        lanes = _lanes(max(norm.weight.numel() for norm in network.norms.values()))
        self._sums = torch.empty(_PROGRAMS * 2 * lanes, device=parameter.device)
        self._ready = torch.zeros(1, dtype=torch.int32, device=parameter.device)
        self._folded = {
            name: _Folded(conv, _COLORS if conv is head else conv.weight.shape[0])
            for name, conv in network.convolutions.items()
            if isinstance(conv, UpsampleConv)
        }

    def refresh(self) -> None:
        """Take note of changed weights, in the order of the current stream."""
        for folded in self._folded.values():
            folded.refresh()

    def __call__(self, image: Tensor) -> Tensor:
        """See `torch_backend.paint`."""
        layout = self._network.layout
        h = self._compute_all((layout.stem, *layout.body), self._split_into_blocks(image))
        return self._make_image(self._folded[layout.head.conv](h), image)

    def _compute_all(self, layers: tuple[Layer, ...], edged: Tensor, other: Tensor | None = None) -> Tensor:
        """What layers give, one after the other, plus another image; all edged."""
        *first, last = layers
        for layer in first:
            edged = self._compute(layer, edged)
        return self._compute(last, edged, other)

    def _compute(self, layer: Layer, edged: Tensor, other: Tensor | None = None) -> Tensor:
        match layer:
            case ConvNorm():
                weight = self._network.convolutions[layer.conv].weight
                values = _convolve(edged, weight, stride=layer.stride)
                return self._norm(layer.norm, values, relu=layer.relu, other=other)
            case UpsampleNorm():
                values = self._folded[layer.conv](edged)
                return self._norm(layer.norm, values, relu=True, other=other, shuffled=True)
            # Adding is part of other kernels: here, enlarging, and no kernel that adds twice.
            case PointwiseUpsample() if other is not None:
                return self._upsample_and_add(
                    _convolve(edged, self._network.convolutions[layer.conv].weight), other
                )
            case Residual() if other is None:
                return self._compute_all(layer.body, edged, edged)
        raise no_kernel(layer, "Triton")

    def _split_into_blocks(self, image: Tensor) -> Tensor:
        height, width = image.shape[2:]
        rows, columns = (math.ceil(side / STRIDE) * (STRIDE // 4) for side in (height, width))
        out = self._make_edged(48, rows, columns)
        kernels.space_to_depth_padded[(_programs(out),)](
            image, out, height, width, rows, columns, *_steps(image), block=_BLOCK, **LAUNCH
        )
        return out

    def _upsample_and_add(self, small: Tensor, other: Tensor) -> Tensor:
        _check_sum((small.shape[1], 2 * small.shape[2] - 4, 2 * small.shape[3] - 4), other)
        out = torch.empty_like(other)
        channels, height, width = other.shape[1], other.shape[2] - 2, other.shape[3] - 2
        sizes = {"channels": channels, "lanes": _lanes(channels), "block": _BLOCK, **LAUNCH}
        kernels.upsample_padded[(_programs(out),)](small, other, out, height, width, **sizes)
        return out

    def _norm(
        self,
        name: str,
        values: Tensor,
        *,
        relu: bool = False,
        other: Tensor | None = None,
        shuffled: bool = False,
    ) -> Tensor:
        """Norm, and what follows it, of what a convolution made: (1, C, H, W), or four times the channels of
        half the size."""
        norm = self._network.norms[name]
        channels = norm.weight.numel()
        height, width = (side * (2 if shuffled else 1) for side in values.shape[2:])
        if other is not None:
            _check_sum((channels, height, width), other)
        lanes = _lanes(channels)
        factors = torch.empty((2, channels), device=values.device)
        kernels.norm_factors[(_PROGRAMS,)](
            values, norm.weight, norm.bias, self._sums, self._ready, factors, height * width, NORM_EPSILON,
            channels=channels, lanes=lanes, block=_BLOCK, programs=_PROGRAMS, **LAUNCH,
        )  # fmt: skip
        out = self._make_edged(channels, height, width)
        kernels.normalize_padded[(_programs(out),)](
            values, factors, values if other is None else other, out, height, width,
            channels=channels, lanes=lanes, relu=relu, added=other is not None, shuffled=shuffled,
            block=_BLOCK, **LAUNCH,
        )  # fmt: skip
        return out

    def _make_image(self, values: Tensor, image: Tensor) -> Tensor:
        height, width = image.shape[2:]
        out = torch.empty_like(image, memory_format=torch.channels_last)
        bias = self._network.convolutions[self._network.layout.head.conv].bias
        red, green, blue = LUMA
        kernels.image_of[(math.ceil(height * width / (4 * _BLOCK)),)](
            values, bias, self._network.brightness, image, out, height, width,
            values.shape[3], *_steps(image),
            red=red, green=green, blue=blue, block=4 * _BLOCK, **LAUNCH,
        )  # fmt: skip
        return out

    def _make_edged(self, channels: int, height: int, width: int) -> Tensor:
        shape = (1, channels, height + 2, width + 2)
        return torch.empty(shape, memory_format=torch.channels_last, **self._options)


def _check(layer: Layer | ToPixels) -> None:
    """Refuse what a record asks for and these kernels would not do."""
    for field in fields(layer):
        value = getattr(layer, field.name)
        if field.name not in _FIELDS and value != field.default:
            raise no_kernel(layer, "Triton", f"{field.name}={value!r}")
    if isinstance(layer, ConvLayer):
        if type(layer) not in _SIDES:
            raise no_kernel(layer, "Triton")
        height, width = layer.shapes()[layer.kernel][2:]
        if not height == width == _SIDES[type(layer)]:
            raise no_kernel(layer, "Triton", f"{height}x{width} convolutions")
    if isinstance(layer, ToPixels) and layer.outputs != len(LUMA):
        raise no_kernel(layer, "Triton", f"outputs={layer.outputs}")


def _check_sum(made: tuple[int, int, int], other: Tensor) -> None:
    """Refuse to add features of other channels or sizes than these: the kernels would read beyond."""
    _, channels, height, width = other.shape
    if made != (channels, height - 2, width - 2):
        raise StyleError(f"Triton cannot add features of {made} to {(channels, height - 2, width - 2)}")


class _Folded:
    """Bilinear x2 and a convolution as one before a shuffle (`fold_upsampling`), pixel by pixel.

    Args:
        layer: the two.
        outputs: channels of each pixel; those that the layer has not are 0.
    """

    def __init__(self, layer: UpsampleConv, outputs: int) -> None:
        self._layer = layer
        like, inputs = layer.weight, layer.weight.shape[1]
        # Written to in place: a recorded graph reads them where they are.
        kernel = like.new_zeros((4 * outputs, inputs, 3, 3))
        self._kernel = kernel.contiguous(memory_format=torch.channels_last)
        self.refresh()

    def refresh(self) -> None:
        """See `FusedNetwork.refresh`."""
        layer = self._layer
        made, *kernel = layer.weight.shape
        with torch.no_grad():
            folded = fold_upsampling(layer.weight, layer.split).view(made, 4, *kernel)
            self._kernel.view(4, -1, *kernel)[:, :made] = folded.transpose(0, 1)

    def __call__(self, edged: Tensor) -> Tensor:
        """(1, inputs, H + 2, W + 2) -> (1, 4 * outputs, H, W), the four pixels one behind the other.

        Without the layer's bias, for which torch would go over the result once more.
        """
        return _convolve(edged, self._kernel)


def _convolve(edged: Tensor, weight: Tensor, *, stride: Any = 1) -> Tensor:
    # The kernels count on channels side by side, which some libraries may not keep.
    return F.conv2d(edged, weight, stride=stride).contiguous(memory_format=torch.channels_last)


def _lanes(channels: int) -> int:
    return 1 << (channels - 1).bit_length()


def _programs(edged: Tensor) -> int:
    return math.ceil(edged.shape[2] * edged.shape[3] / _BLOCK)


def _steps(image: Tensor) -> tuple[int, int, int]:
    """From a pixel down, to the right, and to its next colour: the kernels take images however they lie."""
    return image.stride(2), image.stride(3), image.stride(1)
