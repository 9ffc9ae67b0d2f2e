"""The image transformation network (the field's "transformer"): one image in, one painted image out.

Layout, in the tradition of Johnson et al., ECCV 2016 (arXiv:1603.08155), but with nearly all the
work at a quarter and an eighth of the resolution, which makes it an order of magnitude cheaper:

    pixel_unshuffle(4) -> conv -> blocks (1/4) -> down -> blocks (1/8) -> up, skip -> blocks (1/4)
    -> up (1/2) -> conv (1/2) -> up (1/1) -> plus a share of the input's brightness -> sigmoid

The eighth-resolution stage is where long strokes come from: it doubles the reach of every block.
Upsampling is bilinear: a one-step sub-pixel head leaves a four-pixel dot grid, and nearest-neighbour
steps, each followed by a convolution, a four-pixel mesh. Every convolution repeats the edge: zeros
leave a dark rim, and repeating costs less than the margin that would hide it.

How much of the input's brightness is added at the end is a weight of its own, `brightness`: 0 for styles
that paint, in which nothing of the photo's fine grain is left; 2 in styles of earlier formats. Its colours
are never added: dark places would stay brown or black where the painting would have blue.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from stylize_live.nets.architecture import FULL_BRIGHTNESS, LUMA, NORM_EPSILON, SPLIT, STRIDE
from stylize_live.nets.architecture import Architecture as Architecture
from stylize_live.nets.layers import (
    ConvNorm,
    Layer,
    PointwiseUpsample,
    Residual,
    ToPixels,
    UpsampleNorm,
    last_norms,
    no_kernel,
)


class InstanceNorm(nn.Module):
    """Instance normalisation with scale and shift (Ulyanov et al., arXiv:1607.08022).

    A group norm with one group a channel is the same function, and torch's kernel for it keeps
    channels_last and bfloat16 on the CPU where its instance norm copies.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        # Not F.group_norm: it refuses a single position, which tiny images have at depth.
        return torch.group_norm(x, x.shape[1], self.weight, self.bias, NORM_EPSILON)


def _conv3(inputs: int, outputs: int, *, stride: int = 1, bias: bool = False) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=bias, padding_mode="replicate")


def fold_upsampling(weight: Tensor, split: Tensor | None = None) -> Tensor:
    """Turn "bilinear x2, then this 3x3 kernel" into one 3x3 kernel before ``pixel_shuffle(2)``.

    The same function, without ever making the enlarged features; it differs only in the outermost
    row and column, where the enlarged and the small features repeat their edges differently.

    Args:
        weight: (O, I, 3, 3), any float dtype.
        split: `SPLIT` on the same device, of the same dtype; without it, it is brought there, and a GPU
            is waited for.

    Returns:
        (4 * O, I, 3, 3) of the same dtype; outputs ordered as ``pixel_shuffle`` reads them.
    """
    split = weight.new_tensor(SPLIT) if split is None else split
    folded = torch.einsum("arp,bsq,oipq->oabirs", split, split, weight)
    outputs, inputs = weight.shape[:2]
    return folded.reshape(4 * outputs, inputs, 3, 3)


class UpsampleConv(nn.Module):
    """Bilinear x2 and a 3x3 convolution, computed at the lower resolution (see `fold_upsampling`)."""

    def __init__(self, inputs: int, outputs: int, *, bias: bool) -> None:
        super().__init__()
        plain = _conv3(inputs, outputs, bias=bias)
        self.weight = plain.weight
        self.bias = plain.bias
        self.split: Tensor
        self.register_buffer("split", torch.tensor(SPLIT), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        bias = None if self.bias is None else self.bias.repeat_interleave(4)
        edged = F.pad(x, (1, 1, 1, 1), mode="replicate")
        return F.pixel_shuffle(F.conv2d(edged, fold_upsampling(self.weight, self.split), bias), 2)


class ResidualTransformer(nn.Module):
    """Small residual image transformation network.

    Args:
        architecture: widths and depths; None is the usual one.

    Attributes:
        layout: its layers.
        convolutions, norms: its modules, by the names that layers have for them.
    """

    def __init__(self, architecture: Architecture | None = None) -> None:
        super().__init__()
        self.architecture = architecture or Architecture()
        self.layout = self.architecture.layout()
        self.convolutions: dict[str, nn.Conv2d | UpsampleConv] = {}
        self.norms: dict[str, InstanceNorm] = {}
        for layer in self.layout.walk():
            self._make(layer)
        # No parameter: training decides on it, gradients do not.
        self.brightness: Tensor
        self.register_buffer(self.layout.head.brightness, torch.full((1,), FULL_BRIGHTNESS))

    def _make(self, layer: Layer | ToPixels) -> None:
        match layer:
            case ConvNorm():
                self._add(layer.conv, _conv3(layer.inputs, layer.outputs, stride=layer.stride))
                self._add(layer.norm, InstanceNorm(layer.outputs))
            case UpsampleNorm():
                self._add(layer.conv, UpsampleConv(layer.inputs, layer.outputs, bias=False))
                self._add(layer.norm, InstanceNorm(layer.outputs))
            case PointwiseUpsample():
                self._add(layer.conv, nn.Conv2d(layer.inputs, layer.outputs, 1, bias=False))
            case Residual():
                pass  # has no weights of its own
            case ToPixels():
                self._add(layer.conv, UpsampleConv(layer.inputs, layer.outputs, bias=True))
            case _:
                raise no_kernel(layer, "torch")

    def _add(self, name: str, module: nn.Conv2d | UpsampleConv | InstanceNorm) -> None:
        """Put a module where its name says, so that its weights have the names that style files have."""
        *folders, last = name.split(".")
        here: nn.Module = self
        for folder in folders:
            if not hasattr(here, folder):
                here.add_module(folder, nn.Sequential())  # a folder only: it is never called
            here = here.get_submodule(folder)
        here.add_module(last, module)
        if isinstance(module, InstanceNorm):
            self.norms[name] = module
        else:
            self.convolutions[name] = module

    def forward(self, x: Tensor) -> Tensor:
        """Paint a batch.

        Args:
            x: (N, 3, H, W) float32 RGB in [0, 1], whatever the dtype of the weights; H and W any
                size from 1.

        Returns:
            (N, 3, H, W) float32 RGB in [0, 1].

        Raises:
            ValueError: not a batch of three-channel images.
        """
        if x.ndim != 4 or x.shape[1] != 3 or 0 in x.shape:
            raise ValueError(f"expected (N, 3, H, W) with no empty side, got {tuple(x.shape)}")
        height, width = x.shape[2:]
        # Fill up to whole strides by repeating the edge; cropped again below.
        x = F.pad(x, (0, -width % STRIDE, 0, -height % STRIDE), mode="replicate")
        # The body may run in 16 bits; the image itself stays in 32, or smooth skies would band.
        to_full = self.convolutions[self.layout.head.conv]
        h = self._compute(self.layout.stem, F.pixel_unshuffle(x - 0.5, 4).to(to_full.weight.dtype))
        h = self._through(self.layout.body, h)
        y = torch.sigmoid(to_full(h).float() + self.brightness.float() * (_brightness(x) - 0.5))
        return y[:, :, :height, :width]

    def _through(self, layers: tuple[Layer, ...], x: Tensor) -> Tensor:
        for layer in layers:
            x = self._compute(layer, x)
        return x

    def _compute(self, layer: Layer, x: Tensor) -> Tensor:
        match layer:
            case ConvNorm():
                h: Tensor = self.norms[layer.norm](self.convolutions[layer.conv](x))
                return F.relu(h, inplace=True) if layer.relu else h
            case UpsampleNorm():
                return F.relu(self.norms[layer.norm](self.convolutions[layer.conv](x)), inplace=True)
            case PointwiseUpsample():
                return F.interpolate(self.convolutions[layer.conv](x), scale_factor=2, mode="bilinear")
            case Residual():
                return x + self._through(layer.body, x)
        raise no_kernel(layer, "torch")


def _brightness(x: Tensor) -> Tensor:
    """Rec. 709 luma of (N, 3, H, W), as (N, 1, H, W)."""
    # Numbers and not a tensor of them, for which a GPU would be waited for.
    red, green, blue = x[:, :1], x[:, 1:2], x[:, 2:]
    return LUMA[0] * red + LUMA[1] * green + LUMA[2] * blue


def initialise(network: ResidualTransformer, seed: int) -> None:
    """Fill a network with reproducible starting weights.

    The last norm of each block starts at a tenth, so that a fresh network is nearly linear and
    the first hundred steps are spent on colours and not on undoing noise.
    """
    generator = torch.Generator().manual_seed(seed)
    for module in network.modules():
        if isinstance(module, nn.Conv2d | UpsampleConv):
            nn.init.kaiming_uniform_(module.weight, a=1.0, generator=generator)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, InstanceNorm):
            nn.init.ones_(module.weight)
            nn.init.zeros_(module.bias)
    for name in last_norms(network.layout.operations()):
        nn.init.constant_(network.norms[name].weight, 0.1)
