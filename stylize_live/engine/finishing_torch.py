"""The arithmetic of `finishing`, in torch: for pictures that are on a GPU and stay there."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from stylize_live.engine.look import DETAIL, LEAST_CONTRAST, Look, contrast_step

_LIGHT = (0.299, 0.587, 0.114)  # Rec. 601, as OpenCV's grey has it


def reduced_to(picture: Tensor, size: tuple[int, int]) -> Tensor:
    """See `finishing.reduced_to`: (1, 3, H, W) floats -> (1, 3, h, w), size as (width, height)."""
    return _resized(picture, (size[1], size[0]))


def settled(painted: Tensor, small: Tensor) -> Tensor:
    """See `finishing.settled`; both (1, 3, h, w) float32 in 0..255."""
    step = contrast_step(*small.shape[2:])
    deviation = small[:, :, ::step, ::step].std((2, 3), correction=0).amax()
    mean = painted.mean((2, 3), keepdim=True)
    return torch.lerp(mean, painted, (deviation / LEAST_CONTRAST).clamp(max=1))


def finished(painted: Tensor, small: Tensor, picture: Tensor, look: Look) -> Tensor:
    """See `finishing.finished`; all (1, 3, H, W) float32 in 0..255, the same to within a few levels."""
    detail = DETAIL if small.shape != picture.shape else 0.0
    size = picture.shape[2:]
    if look.keep_colors:
        light = _resized(light_of(painted) - detail * light_of(small), size)
        shown = picture + (light + (detail - 1) * light_of(picture))
    elif detail:
        shown = _resized(painted - detail * light_of(small), size) + detail * light_of(picture)
    else:
        shown = painted
    return torch.lerp(picture, shown, look.strength) if look.strength < 1 else shown


def light_of(picture: Tensor) -> Tensor:
    # Numbers and not a tensor of them, for which a GPU would be waited for.
    red, green, blue = picture[:, :1], picture[:, 1:2], picture[:, 2:]
    return _LIGHT[0] * red + _LIGHT[1] * green + _LIGHT[2] * blue


def _resized(planes: Tensor, size: torch.Size | tuple[int, int]) -> Tensor:
    if planes.shape[2:] == tuple(size):
        return planes
    if size[0] < planes.shape[2]:
        return F.interpolate(planes, tuple(size), mode="bilinear", antialias=True)
    return F.interpolate(planes, tuple(size), mode="bicubic")
