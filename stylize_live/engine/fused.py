"""The network on an NVIDIA GPU with kernels of its own between the convolutions, see `network_kernels`.

Needs Triton, which torch brings along on Linux, and a C compiler, which Triton wants.
"""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
import triton
from torch import Tensor

from stylize_live.engine import network_kernels as kernels
from stylize_live.engine.triton_kernels import HOW
from stylize_live.nets.architecture import LUMA, NORM_EPSILON, STRIDE
from stylize_live.nets.transformer import (
    ConvNorm,
    InstanceNorm,
    ResidualBlock,
    ResidualTransformer,
    UpsampleConv,
    fold_upsampling,
)

_BLOCK = 64  # places that a program works on at once
_PROGRAMS = 256  # that add up sums
_COLOURS = 4  # of which the last is nothing: convolutions want even numbers


class FusedNetwork:
    """Paints as `backend.paint` does.

    Args:
        network: on a GPU, channels last. Where its weights are changed in place, `refresh` is to be called.

    Attributes:
        kernels: see `GpuNetwork`.
    """

    kernels = f"torch {torch.__version__}, triton {triton.__version__}"

    def __init__(self, network: ResidualTransformer) -> None:
        self._network = network
        parameter = network.to_full.weight
        self._options: dict[str, Any] = {"dtype": parameter.dtype, "device": parameter.device}
        a = network.architecture
        lanes = _lanes(max(a.width, a.deep_width, a.head_width))
        self._sums = torch.empty(_PROGRAMS * 2 * lanes, device=parameter.device)
        self._ready = torch.zeros(1, dtype=torch.int32, device=parameter.device)
        self._half = _Folded(network.to_half, network.to_half.weight.shape[0])
        self._full = _Folded(network.to_full, _COLOURS)

    def refresh(self) -> None:
        """Take note of changed weights, in the order of the current stream."""
        self._half.refresh()
        self._full.refresh()

    def __call__(self, picture: Tensor) -> Tensor:
        """See `backend.paint`."""
        network = self._network
        h = self._conv_norm(network.stem, self._blocks(picture), relu=True)
        for block in network.body_in:
            h = self._block(block, h)
        if network.architecture.deep_width:
            h = self._deep(h)
        for block in network.body_out:
            h = self._block(block, h)
        h = self._norm(network.to_half_norm, self._half(h), relu=True, shuffled=True)
        h = self._conv_norm(network.refine, h, relu=True)
        return self._picture(self._full(h), picture)

    def _blocks(self, picture: Tensor) -> Tensor:
        height, width = picture.shape[2:]
        rows, columns = (math.ceil(side / STRIDE) * (STRIDE // 4) for side in (height, width))
        out = self._edged(48, rows, columns)
        kernels.blocks_edged[(_programs(out),)](
            picture, out, height, width, rows, columns, *_steps(picture), block=_BLOCK, **HOW
        )
        return out

    def _conv_norm(
        self, layer: ConvNorm, edged: Tensor, *, relu: bool = False, other: Tensor | None = None
    ) -> Tensor:
        conv, norm = layer[0], layer[1]
        assert isinstance(conv, torch.nn.Conv2d)
        assert isinstance(norm, InstanceNorm)
        return self._norm(norm, _convolved(edged, conv.weight, stride=conv.stride), relu=relu, other=other)

    def _block(self, block: torch.nn.Module, edged: Tensor) -> Tensor:
        assert isinstance(block, ResidualBlock)
        return self._conv_norm(block.second, self._conv_norm(block.first, edged, relu=True), other=edged)

    def _deep(self, edged: Tensor) -> Tensor:
        stage = self._network.deep
        h = self._conv_norm(stage.down, edged, relu=True)  # type: ignore[arg-type]
        for block in stage.blocks:  # type: ignore[union-attr]
            h = self._block(block, h)
        small = _convolved(h, stage.up.weight)  # type: ignore[union-attr, arg-type]
        out = torch.empty_like(edged)
        channels, height, width = edged.shape[1], edged.shape[2] - 2, edged.shape[3] - 2
        sizes = {"channels": channels, "lanes": _lanes(channels), "block": _BLOCK, **HOW}
        kernels.risen_edged[(_programs(out),)](small, edged, out, height, width, **sizes)
        return out

    def _norm(
        self,
        norm: InstanceNorm,
        values: Tensor,
        *,
        relu: bool = False,
        other: Tensor | None = None,
        shuffled: bool = False,
    ) -> Tensor:
        """Norm, and what follows it, of what a convolution made: (1, C, H, W), or four times the channels of
        half the size."""
        channels = norm.weight.numel()
        height, width = (side * (2 if shuffled else 1) for side in values.shape[2:])
        lanes = _lanes(channels)
        factors = torch.empty((2, channels), device=values.device)
        kernels.norm_factors[(_PROGRAMS,)](
            values, norm.weight, norm.bias, self._sums, self._ready, factors, height * width, NORM_EPSILON,
            channels=channels, lanes=lanes, block=_BLOCK, programs=_PROGRAMS, **HOW,
        )  # fmt: skip
        out = self._edged(channels, height, width)
        kernels.normed_edged[(_programs(out),)](
            values, factors, values if other is None else other, out, height, width,
            channels=channels, lanes=lanes, relu=relu, added=other is not None, shuffled=shuffled,
            block=_BLOCK, **HOW,
        )  # fmt: skip
        return out

    def _picture(self, values: Tensor, picture: Tensor) -> Tensor:
        height, width = picture.shape[2:]
        out = torch.empty_like(picture, memory_format=torch.channels_last)
        red, green, blue = LUMA
        kernels.picture_of[(math.ceil(height * width / (4 * _BLOCK)),)](
            values, self._network.to_full.bias, self._network.brightness, picture, out, height, width,
            values.shape[3], *_steps(picture),
            red=red, green=green, blue=blue, block=4 * _BLOCK, **HOW,
        )  # fmt: skip
        return out

    def _edged(self, channels: int, height: int, width: int) -> Tensor:
        shape = (1, channels, height + 2, width + 2)
        return torch.empty(shape, memory_format=torch.channels_last, **self._options)


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
        return _convolved(edged, self._kernel)


def _convolved(edged: Tensor, weight: Tensor, *, stride: Any = 1) -> Tensor:
    # The kernels count on channels side by side, which some libraries may not keep.
    return F.conv2d(edged, weight, stride=stride).contiguous(memory_format=torch.channels_last)


def _lanes(channels: int) -> int:
    return 1 << (channels - 1).bit_length()


def _programs(edged: Tensor) -> int:
    return math.ceil(edged.shape[2] * edged.shape[3] / _BLOCK)


def _steps(picture: Tensor) -> tuple[int, int, int]:
    """From a pixel down, to the right, and to its next colour: the kernels take pictures however they lie."""
    return picture.stride(2), picture.stride(3), picture.stride(1)
