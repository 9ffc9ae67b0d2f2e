"""What a style network is trained on: relative style and content, color, smoothness, steadiness errors.

The style and content terms are relative, so that one set of weights serves every painting.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

Features = dict[str, Tensor]

# Places of features on each side that see what lies beyond an image: of VGG16's relu3_3 4.5, of relu4_1 3.3.
_OUTER = 5
_MOST_OUTER = 0.2  # of all places of a side: a small image keeps something


def inner(features: Features) -> Features:
    """Features without the places that see what lies beyond the image, layer -> (N, C, h, w)."""
    return {layer: _middle(found) for layer, found in features.items()}


def _middle(found: Tensor) -> Tensor:
    rows, columns = (min(_OUTER, int(_MOST_OUTER * side)) for side in found.shape[2:])
    return found[:, :, rows : found.shape[2] - rows, columns : found.shape[3] - columns]


def gram(features: Tensor) -> Tensor:
    """Gram matrices, averaged over positions (Gatys et al., CVPR 2016, equation 3).

    Args:
        features: (N, C, h, w).

    Returns:
        (N, C, C) float32, independent of the image's size.
    """
    flat = features.flatten(2)
    return (flat @ flat.transpose(1, 2)).float() / flat.shape[2]


def grams(features: Features, layers: tuple[str, ...]) -> Features:
    """Gram matrix of each named layer."""
    return {layer: gram(features[layer]) for layer in layers}


def style_errors(found: Features, wanted: Features, scales: Features | None = None) -> Features:
    """Relative squared Gram error of every image, layer by layer.

    Args:
        found: layer -> (N, C, C) Gram matrices of the images.
        wanted: layer -> (1, C, C) or (N, C, C) Gram matrices of the painting.
        scales: layer -> what errors are relative to, at least; None for the painting alone.

    Returns:
        layer -> (N,). Summed over the four layers, an untouched photo has
        about 4 in ImageNet's VGG16.
    """
    own = {layer: strength(target) for layer, target in wanted.items()}
    least = own if scales is None else {layer: own[layer].clamp(min=scales[layer]) for layer in own}
    return {
        layer: (found[layer] - target).square().sum((1, 2)) / least[layer] for layer, target in wanted.items()
    }


def strength(gram: Tensor) -> Tensor:
    """How much texture there is in a layer: squared norms of Gram matrices, (N, C, C) -> (N,)."""
    return gram.square().sum((1, 2))


def half_size(images: Tensor) -> Tensor:
    """(N, C, H, W) -> (N, C, H // 2, W // 2), each pixel the mean of four."""
    return F.avg_pool2d(images, 2)


def content_error(found: Tensor, wanted: Tensor) -> Tensor:
    """Relative squared feature error of every image: (N, C, h, w) twice -> (N,)."""
    found, wanted = found.float(), wanted.float()
    return (found - wanted).square().sum((1, 2, 3)) / wanted.square().sum((1, 2, 3))


def color_error(found: Tensor, wanted: Tensor) -> Tensor:
    """Mean squared difference of the means of 8 x 8 pixels, so that strokes are free; a scalar.

    Args:
        found: (N, 3, H, W) in [0, 1], the painted images.
        wanted: the same shape.
    """
    return (F.avg_pool2d(found, 8) - F.avg_pool2d(wanted, 8)).square().mean()


def total_variation(images: Tensor) -> Tensor:
    """Mean absolute difference of neighbours, a scalar; (N, 3, H, W) in [0, 1]."""
    down = (images[:, :, 1:] - images[:, :, :-1]).abs().mean()
    across = (images[..., 1:] - images[..., :-1]).abs().mean()
    return down + across


def masked_mean_square(difference: Tensor, mask: Tensor) -> Tensor:
    """Mean square of (N, 3, H, W) over the pixels where (N, 1, H, W) is one; a scalar."""
    weight = mask.sum() * difference.shape[1]
    return (difference.square() * mask).sum() / torch.clamp(weight, min=1)
