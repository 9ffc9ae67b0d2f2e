"""The motion that mattes go by on a GPU: small, searched in one step, and not by kernels of our own.

Each place is compared with all of the image before that lie up to two pixels away, a window around both
(block matching), and a parabola through the best and its neighbours says what is less than a pixel (Tian and
Huhns, "Algorithms for subpixel registration", CVGIP 1986). The matte hardly follows what moves farther:
nearly all of the fresh one counts there, see `smoothing.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from stylize_live.engine.cuda.motion_tensors import TensorMotion, box_blur, fit_motion
from stylize_live.engine.cuda.smoothing import resize

_REACH = 2  # pixels to each side
_SIDE = 2 * _REACH + 1
_WINDOW = (7, 7)  # pixels that are compared
# Grey levels, squared, that a pixel of motion has to win: where nothing is seen, nothing moves.
_STILLNESS = 0.25
_LEAST_CURVE = 1e-3


def measure_motion(images: Tensor) -> TensorMotion:
    """How a small grey image follows from another.

    Args:
        images: (2, h, w) float32 in 0..255, the one before and the one now.
    """
    before, now = images[:1, None], images[1]
    flow = _search(before, now)
    return fit_motion(images, flow, move(before, flow[None])[0, 0] - now)


def move(image: Tensor, flow: Tensor) -> Tensor:
    """See `optical_flow.warp`: (1, C, H, W), along a flow of any size, (1, 2, h, w) in its own pixels."""
    height, width = image.shape[2:]
    # For grid_sample, images span -1 to 1, whatever their size.
    places, scale = _places(height, width, *flow.shape[2:], image.device)
    if flow.shape[2:] != image.shape[2:]:
        flow = resize(flow, (height, width))
    grid = places + flow.permute(0, 2, 3, 1) * scale
    return F.grid_sample(image, grid, "bilinear", "border", align_corners=False)


def _search(before: Tensor, now: Tensor) -> Tensor:
    """(1, 1, h, w) and (h, w) -> (2, h, w), pixels across and down, from one to where it was."""
    tables = _tables(now.device)
    near = F.unfold(F.pad(before, (_REACH,) * 4, "replicate"), _SIDE).view(1, _SIDE**2, *now.shape)
    costs = box_blur((near - now).square_(), _WINDOW)[0] + tables.penalties
    least, best = costs.min(0, keepdim=True)
    beside = costs.gather(0, (best + tables.neighbours).clamp_(0, _SIDE**2 - 1))
    lower, higher = beside[:2], beside[2:]
    curve = torch.sub(lower + higher, least, alpha=2).clamp_(min=_LEAST_CURVE)
    part = ((lower - higher) / curve).clamp_(-1, 1)
    return torch.add(tables.steps[best[0]].permute(2, 0, 1), part, alpha=0.5)


@dataclass(frozen=True, slots=True)
class _Tables:
    """Of the places that are compared, row by row.

    Attributes:
        steps: (n, 2) float32, pixels across and down to each.
        penalties: (n, 1, 1) float32, what is added to its cost.
        neighbours: (4, 1, 1) int64, from the number of one to those at its left, above, right, and below.
    """

    steps: Tensor
    penalties: Tensor
    neighbours: Tensor


# Kept for good, as graphs read them where they lie; copied from the host, which waits for that: so they are
# there for every stream. There are no more of them than sizes of the network's input.
@cache
def _tables(device: torch.device) -> _Tables:
    axis = np.arange(-_REACH, _REACH + 1)
    steps = np.stack(np.meshgrid(axis, axis), -1).reshape(-1, 2).astype(np.float32)
    penalties = _STILLNESS * (steps**2).sum(1).reshape(-1, 1, 1)
    neighbours = np.array([-1, -_SIDE, 1, _SIDE]).reshape(-1, 1, 1)
    return _Tables(*(torch.from_numpy(table).to(device) for table in (steps, penalties, neighbours)))


@cache
def _places(height: int, width: int, rows: int, columns: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Where an image's pixels are, (1, height, width, 2), and how far a pixel of a flow is, (2,)."""
    across, down = ((np.arange(side, dtype=np.float32) * 2 + 1) / side - 1 for side in (width, height))
    places = np.stack(np.meshgrid(across, down), -1)[None]
    scale = np.array([2 / columns, 2 / rows], np.float32)
    return torch.from_numpy(places).to(device), torch.from_numpy(scale).to(device)
