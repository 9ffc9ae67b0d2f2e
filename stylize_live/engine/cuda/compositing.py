"""The arithmetic of `engine/cpu/compositing.py`, in torch: for images that are on a GPU and stay there."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from stylize_live.engine.core.render_options import (
    LEAST_CONTRAST,
    SHARPEN_SIGMA,
    SHARPEN_WIDTH,
    RenderOptions,
    contrast_step,
    sharpening,
)

_LIGHT = (0.299, 0.587, 0.114)  # Rec. 601, as OpenCV's grey has it
_BELL = [math.exp(-0.5 * ((i - SHARPEN_WIDTH // 2) / SHARPEN_SIGMA) ** 2) for i in range(SHARPEN_WIDTH)]
_GAUSSIAN = [value / sum(_BELL) for value in _BELL]


def shrink_to(image: Tensor, size: tuple[int, int]) -> Tensor:
    """See `compositing.shrink_to`: (1, 3, H, W) floats -> (1, 3, h, w), size as (width, height)."""
    return _resize(image, (size[1], size[0]))


def attenuate_low_contrast(painted: Tensor, small: Tensor) -> Tensor:
    """See `compositing.attenuate_low_contrast`; both (1, 3, h, w) float32 in 0..255."""
    step = contrast_step(*small.shape[2:])
    deviation = small[:, :, ::step, ::step].std((2, 3), correction=0).amax()
    mean = painted.mean((2, 3), keepdim=True)
    return torch.lerp(mean, painted, (deviation / LEAST_CONTRAST).clamp(max=1))


def composite(painted: Tensor, image: Tensor, options: RenderOptions) -> Tensor:
    """See `compositing.composite`; both (1, 3, H, W) float32 in 0..255, the same to within a few levels."""
    size = image.shape[2:]
    sharp = sharpen(painted, sharpening(painted.shape[2:], size))
    if options.keep_colors:
        shown = image + (_resize(light_of(sharp), size) - light_of(image))
    else:
        shown = _resize(sharp, size)
    return torch.lerp(image, shown, options.strength) if options.strength < 1 else shown


def sharpen(painted: Tensor, amount: float) -> Tensor:
    """See `compositing.sharpen`; (1, 3, h, w) float32."""
    if not amount:
        return painted
    side = SHARPEN_WIDTH // 2
    soft = F.pad(painted, (side, side, side, side), mode="reflect")
    for axis in (2, 3):
        # Shifted and added: a grouped convolution of three channels is slower on a GPU, and its weights
        # would have to be brought there.
        length = painted.shape[axis]
        parts = [share * soft.narrow(axis, at, length) for at, share in enumerate(_GAUSSIAN)]
        soft = torch.stack(parts).sum(0)
    return torch.lerp(soft, painted, 1 + amount)


def light_of(image: Tensor) -> Tensor:
    # Numbers and not a tensor of them, for which a GPU would be waited for.
    red, green, blue = image[:, :1], image[:, 1:2], image[:, 2:]
    return _LIGHT[0] * red + _LIGHT[1] * green + _LIGHT[2] * blue


def _resize(planes: Tensor, size: torch.Size | tuple[int, int]) -> Tensor:
    if planes.shape[2:] == tuple(size):
        return planes
    if size[0] < planes.shape[2]:
        return F.interpolate(planes, tuple(size), mode="bilinear", antialias=True)
    return F.interpolate(planes, tuple(size), mode="bicubic")
