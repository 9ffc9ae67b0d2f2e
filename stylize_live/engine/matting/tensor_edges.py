"""The arithmetic of `edges.py`, in torch: for mattes and images that are on a GPU and stay there."""

from __future__ import annotations

import torch
from torch import Tensor

from stylize_live.engine.cuda.motion_tensors import box_blur
from stylize_live.engine.cuda.smoothing import resize
from stylize_live.engine.matting.edges import (
    LEAST_SHARE,
    LEAST_VARIANCE,
    MOST_PIXELS,
    NOISE,
    NOTHING,
    RISE,
    WINDOW,
)
from stylize_live.engine.matting.tensor_reduction import halve


def follow_edges(likelihood: Tensor, small: Tensor, image: Tensor) -> Tensor:
    """See `edges.EdgeFollower`; the same to within two levels.

    Args:
        likelihood: (1, 1, h, w), 0 to 1.
        small: (1, 3, h, w) float32 in 0..255, the image reduced.
        image: (1, 3, H, W) float32 in 0..255.

    Returns:
        (H, W) uint8: 0 is background, 255 a person.
    """
    guide = halve(image, MOST_PIXELS)
    planes = resize(_fit(likelihood, small), guide.shape[2:])
    levels = torch.sum(planes[:, :3] * guide, 1, keepdim=True).add_(planes[:, 3:]).clamp_(0, 255)
    levels = box_blur(levels, NOISE)
    if levels.shape[2:] != image.shape[2:]:
        levels = resize(levels, image.shape[2:])
    return levels[0, 0].add_(0.5).byte()


def _fit(likelihood: Tensor, small: Tensor) -> Tensor:
    """Factors of red, green and blue, of 0 to 255 each, and what is added: (1, 4, h, w)."""
    planes = torch.cat((small / 255, likelihood), 1)[0]
    products = planes[:3, None] * planes
    means = box_blur(torch.cat((planes, products.flatten(0, 1)))[None], WINDOW)[0]
    mean, product = means[:4], means[4:].view_as(products)
    covariances = product - mean[:3, None] * mean  # of each color with all, and with the matte
    covariances.diagonal(dim1=0, dim2=1).add_(_least_variance(small))
    factors = _solve(covariances[:, :3], covariances[:, 3])
    added = mean[3] - torch.sum(factors * mean[:3], 0)
    fitted = box_blur(torch.cat((factors / 255, added[None] - NOTHING))[None], WINDOW)
    return fitted * RISE


def _least_variance(small: Tensor) -> Tensor:
    return (small.var((2, 3), correction=0).mean() * (LEAST_SHARE / 255**2)).clamp(min=LEAST_VARIANCE)


def _solve(rows: Tensor, right: Tensor) -> Tensor:
    """Three equations in each place, whose factors are symmetric: (3, 3, h, w) and (3, h, w) -> (3, h, w)."""
    # Cramer's rule: the adjugate's rows are cross products, and it is symmetric, too.
    adjugate = torch.linalg.cross(rows.roll(-1, 0), rows.roll(-2, 0), dim=1)
    determinant = torch.sum(rows[0] * adjugate[0], 0)
    return torch.sum(adjugate * right[:, None], 0) / determinant
