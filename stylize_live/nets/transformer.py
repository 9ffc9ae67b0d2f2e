"""The image transformation network (the field's "transformer"): one picture in, one painted picture out.

Layout, in the tradition of Johnson et al., ECCV 2016 (arXiv:1603.08155), but with nearly all the
work at a quarter and an eighth of the resolution, which makes it an order of magnitude cheaper:

    pixel_unshuffle(4) -> conv -> blocks (1/4) -> down -> blocks (1/8) -> up, skip -> blocks (1/4)
    -> up (1/2) -> conv (1/2) -> up (1/1) -> plus the input's brightness -> sigmoid

The eighth-resolution stage is where long strokes come from: it doubles the reach of every block.
Upsampling is bilinear: a one-step sub-pixel head leaves a four-pixel dot grid, and nearest-neighbour
steps, each followed by a convolution, a four-pixel mesh. Every convolution repeats the edge: zeros
leave a dark rim, and repeating costs less than the margin that would hide it. Only the brightness of
the input is added at the end: with its colours added too, they shine through, and dark places stay
brown or black where the painting would have blue.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields

import torch
import torch.nn.functional as F
from torch import Tensor, nn

# Sides are filled up to a multiple of this and cropped at the end.
STRIDE = 8
# Shares of red, green and blue in brightness (Rec. 709).
LUMA = (0.2126, 0.7152, 0.0722)
NORM_EPSILON = 1e-5  # added to variances


@dataclass(frozen=True, slots=True)
class Architecture:
    """Numbers that define a network; stored in every checkpoint.

    Attributes:
        width: channels at quarter resolution.
        deep_width: channels at eighth resolution; 0 leaves that stage out.
        head_width: channels at half resolution.
        blocks_in: residual blocks at quarter resolution before the deep stage.
        blocks_deep: residual blocks at eighth resolution.
        blocks_out: residual blocks at quarter resolution after the deep stage.
    """

    width: int = 48
    deep_width: int = 64
    head_width: int = 24
    blocks_in: int = 1
    blocks_deep: int = 3
    blocks_out: int = 1

    def to_dict(self) -> dict[str, int]:
        """The fields as a plain dictionary, as checkpoints store them."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, object]) -> Architecture:
        """Inverse of :meth:`to_dict`.

        Raises:
            ValueError: a field is missing, unknown, no integer, or out of the range 0..512.
        """
        names = {field.name for field in fields(cls)}
        if set(values) != names:
            raise ValueError(f"architecture fields are {sorted(values)}, expected {sorted(names)}")
        for name, value in values.items():
            low = 0 if name == "deep_width" or name.startswith("blocks") else 1
            if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= 512:
                raise ValueError(f"architecture field {name} is {value!r}, expected {low}..512")
        return cls(**{name: int(str(values[name])) for name in names})


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
        # Not F.group_norm: it refuses a single position, which tiny pictures have at depth.
        return torch.group_norm(x, x.shape[1], self.weight, self.bias, NORM_EPSILON)


def _conv3(inputs: int, outputs: int, *, stride: int = 1, bias: bool = False) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=bias, padding_mode="replicate")


class ConvNorm(nn.Sequential):
    """3x3 convolution without bias (the norm would cancel it), then instance norm."""

    def __init__(self, inputs: int, outputs: int, *, stride: int = 1) -> None:
        super().__init__(_conv3(inputs, outputs, stride=stride), InstanceNorm(outputs))


class ResidualBlock(nn.Module):
    """conv, norm, ReLU, conv, norm, plus the input (He et al., arXiv:1512.03385, without the last ReLU)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = ConvNorm(channels, channels)
        self.second = ConvNorm(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        branch: Tensor = self.second(F.relu(self.first(x), inplace=True))
        return x + branch


# _SPLIT[phase][r][t]: how much of source pixel r - 1 the tap t of a 3-tap kernel sees when the source
# is first doubled bilinearly (weights 3/4 and 1/4) and the output pixel has that phase.
_SPLIT = (
    ((0.75, 0.25, 0.00), (0.25, 0.75, 0.75), (0.00, 0.00, 0.25)),
    ((0.25, 0.00, 0.00), (0.75, 0.75, 0.25), (0.00, 0.25, 0.75)),
)


def fold_upsampling(weight: Tensor) -> Tensor:
    """Turn "bilinear x2, then this 3x3 kernel" into one 3x3 kernel before ``pixel_shuffle(2)``.

    The same function, without ever making the enlarged features; it differs only in the outermost
    row and column, where the enlarged and the small features repeat their edges differently.

    Args:
        weight: (O, I, 3, 3), any float dtype.

    Returns:
        (4 * O, I, 3, 3) of the same dtype; outputs ordered as ``pixel_shuffle`` reads them.
    """
    split = weight.new_tensor(_SPLIT)
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

    def forward(self, x: Tensor) -> Tensor:
        bias = None if self.bias is None else self.bias.repeat_interleave(4)
        edged = F.pad(x, (1, 1, 1, 1), mode="replicate")
        return F.pixel_shuffle(F.conv2d(edged, fold_upsampling(self.weight), bias), 2)


class DeepStage(nn.Module):
    """Residual blocks at half the resolution of their input, added back to it."""

    def __init__(self, channels: int, deep_channels: int, blocks: int) -> None:
        super().__init__()
        self.down = ConvNorm(channels, deep_channels, stride=2)
        self.blocks = nn.Sequential(*(ResidualBlock(deep_channels) for _ in range(blocks)))
        self.up = nn.Conv2d(deep_channels, channels, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        deep = self.up(self.blocks(F.relu(self.down(x), inplace=True)))
        return x + F.interpolate(deep, scale_factor=2, mode="bilinear")


class ResidualTransformer(nn.Module):
    """Small residual image transformation network.

    Args:
        architecture: widths and depths.
    """

    def __init__(self, architecture: Architecture = Architecture()) -> None:
        super().__init__()
        a = self.architecture = architecture
        self.stem = ConvNorm(48, a.width)
        self.body_in = nn.Sequential(*(ResidualBlock(a.width) for _ in range(a.blocks_in)))
        self.deep = DeepStage(a.width, a.deep_width, a.blocks_deep) if a.deep_width else nn.Identity()
        self.body_out = nn.Sequential(*(ResidualBlock(a.width) for _ in range(a.blocks_out)))
        self.to_half = UpsampleConv(a.width, a.head_width, bias=False)
        self.to_half_norm = InstanceNorm(a.head_width)
        self.refine = ConvNorm(a.head_width, a.head_width)
        self.to_full = UpsampleConv(a.head_width, 3, bias=True)

    def forward(self, x: Tensor) -> Tensor:
        """Paint a batch.

        Args:
            x: (N, 3, H, W) float32 RGB in [0, 1], whatever the dtype of the weights; H and W any
                size from 1.

        Returns:
            (N, 3, H, W) float32 RGB in [0, 1].

        Raises:
            ValueError: not a batch of three-channel pictures.
        """
        if x.ndim != 4 or x.shape[1] != 3 or 0 in x.shape:
            raise ValueError(f"expected (N, 3, H, W) with no empty side, got {tuple(x.shape)}")
        height, width = x.shape[2:]
        # Fill up to whole strides by repeating the edge; cropped again below.
        x = F.pad(x, (0, -width % STRIDE, 0, -height % STRIDE), mode="replicate")
        # The body may run in 16 bits; the picture itself stays in 32, or smooth skies would band.
        dtype = self.to_full.weight.dtype
        h = F.relu(self.stem(F.pixel_unshuffle(x - 0.5, 4).to(dtype)), inplace=True)
        h = self.body_out(self.deep(self.body_in(h)))
        h = F.relu(self.to_half_norm(self.to_half(h)), inplace=True)
        h = F.relu(self.refine(h), inplace=True)
        y = torch.sigmoid(self.to_full(h).float() + 2 * (_brightness(x) - 0.5))
        return y[:, :, :height, :width]


def _brightness(x: Tensor) -> Tensor:
    """Rec. 709 luma of (N, 3, H, W), as (N, 1, H, W)."""
    return (x * x.new_tensor(LUMA).view(1, 3, 1, 1)).sum(1, keepdim=True)


def initialise(network: ResidualTransformer, seed: int) -> None:
    """Fill a network with reproducible starting weights.

    The second norm of each block starts at a tenth, so that a fresh network is nearly linear and
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
    for module in network.modules():
        if isinstance(module, ResidualBlock):
            norm = module.second[1]
            assert isinstance(norm, InstanceNorm)
            nn.init.constant_(norm.weight, 0.1)
