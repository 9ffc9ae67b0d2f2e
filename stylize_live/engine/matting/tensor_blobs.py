"""The arithmetic of `blobs.py`, in torch: for mattes that are on a GPU and stay there."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from stylize_live.engine.matting.blobs import BELIEVED, DOUBTED, ENOUGH, LEAST
from stylize_live.engine.matting.edges import NOTHING

# Enough for combs, legs, rings and soft noise, see the tests; a labyrinth as narrow as a matte allows falls
# apart, and each of its parts is then judged by itself.
_ROUNDS = 5
_JUMPS = 3  # towards the root in each


def remove_weak_blobs(likelihood: Tensor) -> Tensor:
    """See `blobs.remove_weak_blobs`; the same.

    Args:
        likelihood: (1, 1, h, w), 0 to 1, of less than 2 ** 24 pixels; is not changed.

    Returns:
        The same, a new tensor.
    """
    shown = likelihood > NOTHING
    roots = find_roots(shown)
    none = likelihood.new_zeros(likelihood.numel())
    areas = none.scatter_add(0, roots, shown.flatten().float())
    surest = none.scatter_reduce(0, roots, likelihood.flatten(), "amax")
    weights = _rise(areas / likelihood.numel(), LEAST, ENOUGH) * _rise(surest, DOUBTED, BELIEVED)
    return torch.where(shown, likelihood * weights[roots].view_as(likelihood), 0.0)


def find_roots(shown: Tensor) -> Tensor:
    """Which pixels belong together: all of a blob have one of its pixels in common.

    Trees of pixels are hooked to their largest neighbours and flattened, a few times over, as in FastSV
    (Zhang, Azad and Hu, SIAM PP 2020): so many steps whatever is seen, so that nothing is waited for.

    Args:
        shown: (1, 1, h, w), which pixels belong to blobs; corners touch.

    Returns:
        (h * w,) int64: the number of that pixel, row by row; of others their own.
    """
    roots = torch.arange(shown.numel(), device=shown.device)
    for _ in range(_ROUNDS):
        # Pooling knows floats alone.
        near = F.max_pool2d(torch.where(shown, roots.view_as(shown), -1.0), 3, 1, 1)
        near = torch.where(shown, near, -1.0).flatten().long()  # what is not shown must not join two
        parents = roots.scatter_reduce(0, roots, near, "amax")
        for _ in range(_JUMPS):
            parents = parents[parents]
        roots = parents[roots]
    return roots


def _rise(values: Tensor, low: float, high: float) -> Tensor:
    t = ((values - low) / (high - low)).clamp_(0, 1)
    return t * t * torch.rsub(t, 3, alpha=2)
