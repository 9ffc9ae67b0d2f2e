"""What a style network is trained on: relative style, content, smoothness and steadiness errors.

The style and content terms are relative, so that one set of weights serves every painting.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from stylize_live.nets.transformer import LUMA

Features = dict[str, Tensor]


def gram(features: Tensor) -> Tensor:
    """Gram matrices, averaged over positions (Gatys et al., CVPR 2016, equation 3).

    Args:
        features: (N, C, h, w).

    Returns:
        (N, C, C) float32, independent of the picture's size.
    """
    flat = features.flatten(2)
    return (flat @ flat.transpose(1, 2)).float() / flat.shape[2]


def grams(features: Features, layers: tuple[str, ...]) -> Features:
    """Gram matrix of each named layer."""
    return {layer: gram(features[layer]) for layer in layers}


def style_errors(found: Features, wanted: Features) -> Features:
    """Relative squared Gram error of every picture, layer by layer.

    Args:
        found: layer -> (N, C, C) Gram matrices of the pictures.
        wanted: layer -> (1, C, C) or (N, C, C) Gram matrices of the painting.

    Returns:
        layer -> (N,). Summed over the four layers, an untouched photo has 2 to 2.5, a good
        painted one 0.2 to 0.5.
    """
    return {
        layer: (found[layer] - target).square().sum((1, 2)) / target.square().sum((1, 2))
        for layer, target in wanted.items()
    }


def half_size(pictures: Tensor) -> Tensor:
    """(N, C, H, W) -> (N, C, H // 2, W // 2), each pixel the mean of four."""
    return F.avg_pool2d(pictures, 2)


def palette(picture: Tensor) -> Tensor:
    """Colours of one picture as a cloud of points: (3, H, W) in [0, 1] -> (3, n) float32.

    Means of 4 x 4 pixels, so that it is the paint that counts and not its fine grain.
    """
    return F.avg_pool2d(picture.float(), 4).flatten(1)


def palette_error(found: Tensor, wanted: Tensor, directions: Tensor) -> Tensor:
    """How differently two clouds of colours are spread: 0 for the same distribution.

    The sliced Wasserstein distance (Rabin et al., SSVM 2011): the clouds are compared along lines,
    by their quantiles. It is relative to the spread of the wanted cloud, a scalar. Gram matrices
    see colours only through their finest layer, which at full weight draws a mesh.

    Args:
        found: (3, n), see `palette`.
        wanted: (3, m).
        directions: (k, 3) unit vectors.
    """
    shares = torch.linspace(0.005, 0.995, 100, device=found.device)
    ours = torch.quantile(directions @ found, shares, dim=1)
    theirs = torch.quantile(directions @ wanted, shares, dim=1)
    # The floor keeps a nearly uniform painting from counting more than everything else.
    return (ours - theirs).square().mean() / ((theirs - theirs.mean(0)).square().mean() + 1e-3)


def content_error(found: Tensor, wanted: Tensor) -> Tensor:
    """Relative squared feature error of every picture: (N, C, h, w) twice -> (N,)."""
    found, wanted = found.float(), wanted.float()
    return (found - wanted).square().sum((1, 2, 3)) / wanted.square().sum((1, 2, 3))


def tone_error(found: Tensor, wanted: Tensor) -> Tensor:
    """How much light and dark places changed roles: 0 for kept, 2 for unrelated, 4 for inverted.

    The mean squared difference of the coarse, standardised brightness, which is twice one minus
    their correlation. Feature losses do not see slow changes of brightness, and without this term
    flat walls and skies grow dark blotches and bright halos.

    Args:
        found: (N, 3, H, W) in [0, 1], the painted pictures.
        wanted: the same shape, the photos.

    Returns:
        (N,).
    """
    difference = _coarse_brightness(found) - _coarse_brightness(wanted)
    return difference.square().mean((1, 2, 3))


def _coarse_brightness(pictures: Tensor) -> Tensor:
    # Rec. 709 luma of 16 x 16 cells: larger than strokes, which are free to be light or dark.
    weights = pictures.new_tensor(LUMA).view(1, 3, 1, 1)
    coarse = F.avg_pool2d((pictures.float() * weights).sum(1, keepdim=True), 16)
    centred = coarse - coarse.mean((2, 3), keepdim=True)
    # The floor keeps an even photo's noise from being blown up into a pattern to follow.
    return centred / (centred.square().mean((2, 3), keepdim=True) + 1e-3).sqrt()


def total_variation(pictures: Tensor) -> Tensor:
    """Mean absolute difference of neighbours, a scalar; (N, 3, H, W) in [0, 1]."""
    down = (pictures[:, :, 1:] - pictures[:, :, :-1]).abs().mean()
    across = (pictures[..., 1:] - pictures[..., :-1]).abs().mean()
    return down + across


def masked_mean_square(difference: Tensor, mask: Tensor) -> Tensor:
    """Mean square of (N, 3, H, W) over the pixels where (N, 1, H, W) is one; a scalar."""
    weight = mask.sum() * difference.shape[1]
    return (difference.square() * mask).sum() / torch.clamp(weight, min=1)
