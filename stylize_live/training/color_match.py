"""A style's colors brought to its painting's, at no cost when it paints.

The last layer of the network gives three logits for each pixel. A linear map of them, which gives painted
photos the mean and the covariance of the painting's own logits, is folded into that layer, see
`monge_kantorovich`. It mends what training leaves pale: colors that are rare in photos, and darks.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from stylize_live.engine.first_look.colors import monge_kantorovich

_LEAST = 0.02  # a value nearer to black or white counts as so near


def logits(images: Tensor) -> Tensor:
    """(N, 3, H, W) in [0, 1] -> (N * H * W, 3) float64: what a sigmoid would make such images of."""
    return torch.logit(images.double().clamp(_LEAST, 1 - _LEAST)).movedim(1, 3).reshape(-1, 3)


def color_map(given: Tensor, wanted: Tensor, share: float) -> tuple[Tensor, Tensor]:
    """The map that moves colors as little as possible and gives them the mean and covariance of others.

    Args:
        given: (n, 3) logits of painted photos.
        wanted: (m, 3) logits of the painting.
        share: of the way that is gone, 0 to 1.

    Returns:
        A (3, 3) matrix and a shift, (3,): `matrix @ color + shift`.
    """
    covariances = (torch.cov(logits.T).double().cpu().numpy() for logits in (given, wanted))
    matrix = torch.from_numpy(monge_kantorovich(*covariances)).to(given)
    shift = wanted.mean(0) - matrix @ given.mean(0)
    return torch.lerp(torch.eye(3, dtype=matrix.dtype, device=matrix.device), matrix, share), shift * share


def match_colors(ends: Iterable[dict[str, Tensor]], painted: Tensor, painting: Tensor, share: float) -> None:
    """Fold the map into the last layer of networks of one style, in place.

    Args:
        ends: weights by name.
        painted: (N, 3, H, W) in [0, 1], photos that one of the networks has painted.
        painting: (1, 3, H, W) in [0, 1].
        share: see `color_map`.
    """
    matrix, shift = color_map(logits(painted), logits(painting), share)
    for weights in ends:
        weight, bias = weights["to_full.weight"], weights["to_full.bias"]
        weight.copy_(torch.einsum("ij,jkhw->ikhw", matrix.to(weight), weight))
        bias.copy_(matrix.to(bias) @ bias + shift.to(bias))
