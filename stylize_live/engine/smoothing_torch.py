"""The arithmetic of `smoothing`, in torch: for pictures that are on a GPU and stay there."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from stylize_live.engine.finishing_torch import light_of
from stylize_live.engine.motion_torch import TensorMotion, blurred
from stylize_live.engine.smoothing import (
    COARSE_BLUR,
    FINE_BLUR,
    HALVINGS,
    SHARPNESS_BLUR,
    Tuning,
)

# Smooths a painting: the last result and the fresh painting, (1, 3, H, W) float32 in 0..255 each; their
# inputs, (2, h, w) float32, see `motion_torch.reduced`; and the least share, () float32. The next call may
# write over the result.
Follow = Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]


def smoothed(previous: Tensor, fresh: Tensor, motion: TensorMotion, share: Tensor, tuning: Tuning) -> Tensor:
    """See `smoothing.smoothed`; the same to within two levels.

    Args:
        previous: (1, 3, H, W) float32 in 0..255, on any device.
        fresh: the same, the picture as the network painted it.
        motion: of the input, on the same device.
        share: () float32, least share of the fresh picture.
        tuning: constants.

    Returns:
        (1, 3, H, W) float32 in 0..255.
    """
    size = fresh.shape[2:]
    moved = _moved(previous, motion.flow)
    slow = _coarse(fresh - moved, COARSE_BLUR)
    distrust = _smoothstep(
        motion.mismatch / (tuning.doubt + tuning.doubt_by_texture * motion.texture), 1.0, tuning.disbelief
    )
    changed = _smoothstep(slow.abs().amax(1, keepdim=True), tuning.change, tuning.replaced)
    cells = torch.maximum(changed, _resized(distrust, changed.shape[2:]))
    cells = torch.maximum(cells, (share + tuning.light * motion.light).clamp(max=1))
    result = torch.lerp(moved, fresh, _resized(cells, size))
    result += _resized((tuning.follow - cells).clamp(min=0) * slow, size)
    return _sharpened(result, fresh, tuning)


def _moved(picture: Tensor, flow: Tensor) -> Tensor:
    height, width = picture.shape[2:]
    # In units of grid_sample, where a picture spans -1 to 1: independent of the flow's own size.
    across, down = flow[:, :1], flow[:, 1:]
    scaled = torch.cat((across * (2 / flow.shape[3]), down * (2 / flow.shape[2])), 1)
    shift = _resized(scaled, (height, width)).permute(0, 2, 3, 1)
    rows = (torch.arange(height, device=picture.device) * 2 + 1) / height - 1
    columns = (torch.arange(width, device=picture.device) * 2 + 1) / width - 1
    grid = torch.stack(torch.meshgrid(columns, rows, indexing="xy"), -1)[None] + shift
    return F.grid_sample(picture, grid, "bilinear", "border", align_corners=False)


def _sharpened(result: Tensor, fresh: Tensor, tuning: Tuning) -> Tensor:
    ours, theirs = _fine(result), _fine(fresh)
    gain = ((tuning.sharpness * _energy(theirs) + 0.5) / (_energy(ours) + 0.5)).sqrt()
    more = _resized(gain.clamp(1, tuning.most_gain) - 1, result.shape[2:])
    return (result + more * ours).clamp(0, 255)


def _fine(picture: Tensor) -> Tensor:
    light = light_of(picture)
    return light - blurred(light, FINE_BLUR)


def _energy(fine: Tensor) -> Tensor:
    return _coarse(fine * fine, SHARPNESS_BLUR)


def _coarse(planes: Tensor, blur: tuple[int, int]) -> Tensor:
    for _ in range(HALVINGS):
        height, width = planes.shape[2:]
        planes = _resized(planes, (max(1, height // 2), max(1, width // 2)))
    return blurred(planes, blur)


def _resized(planes: Tensor, size: torch.Size | tuple[int, int]) -> Tensor:
    return F.interpolate(planes, tuple(size), mode="bilinear", align_corners=False)


def _smoothstep(values: Tensor, low: float, high: float) -> Tensor:
    t = ((values - low) / (high - low)).clamp(0, 1)
    return t * t * (3 - 2 * t)
