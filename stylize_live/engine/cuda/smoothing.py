"""The arithmetic of `engine/cpu/smoothing.py`, in torch: for images that are on a GPU and stay there."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from stylize_live.engine.cpu.smoothing import COARSE_BLUR, FINE_BLUR, HALVINGS, SHARPNESS_BLUR, Tuning
from stylize_live.engine.cuda.compositing import light_of
from stylize_live.engine.cuda.motion_tensors import TensorMotion, box_blur

# Smooths a painting: the last result and the fresh painting, (1, 3, H, W) float32 in 0..255 each; their
# inputs, (2, h, w) float32, see `motion_tensors.shrink`; and the least share, () float32. The next call may
# write over the result.
Smoother = Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]


def smooth(previous: Tensor, fresh: Tensor, motion: TensorMotion, share: Tensor, tuning: Tuning) -> Tensor:
    """See `smoothing.smooth`; the same to within two levels.

    Args:
        previous: (1, 3, H, W) float32 in 0..255, on any device.
        fresh: the same, the image as the network painted it.
        motion: of the input, on the same device.
        share: () float32, least share of the fresh image.
        tuning: constants.

    Returns:
        (1, 3, H, W) float32 in 0..255.
    """
    size = fresh.shape[2:]
    moved = _move(previous, motion.flow)
    slow = _coarse(fresh - moved, COARSE_BLUR)
    changed = _smoothstep(slow.abs().amax(1, keepdim=True), tuning.change, tuning.replaced)
    cells = torch.maximum(changed, resize(distrust(motion, tuning), changed.shape[2:]))
    cells = torch.maximum(cells, (share + tuning.light * motion.light).clamp(max=1))
    result = torch.lerp(moved, fresh, resize(cells, size))
    result += resize((tuning.follow - cells).clamp(min=0) * slow, size)
    return _sharpen(result, fresh, tuning)


def distrust(motion: TensorMotion, tuning: Tuning) -> Tensor:
    """See `smoothing.distrust`: (1, 1, h, w), 0 to 1."""
    doubts = motion.mismatch / (tuning.doubt + tuning.doubt_by_texture * motion.texture)
    return _smoothstep(doubts, 1.0, tuning.disbelief)


def _move(image: Tensor, flow: Tensor) -> Tensor:
    height, width = image.shape[2:]
    # In units of grid_sample, where an image spans -1 to 1: independent of the flow's own size.
    across, down = flow[:, :1], flow[:, 1:]
    scaled = torch.cat((across * (2 / flow.shape[3]), down * (2 / flow.shape[2])), 1)
    shift = resize(scaled, (height, width)).permute(0, 2, 3, 1)
    rows = (torch.arange(height, device=image.device) * 2 + 1) / height - 1
    columns = (torch.arange(width, device=image.device) * 2 + 1) / width - 1
    grid = torch.stack(torch.meshgrid(columns, rows, indexing="xy"), -1)[None] + shift
    return F.grid_sample(image, grid, "bilinear", "border", align_corners=False)


def _sharpen(result: Tensor, fresh: Tensor, tuning: Tuning) -> Tensor:
    ours, theirs = _fine(result), _fine(fresh)
    gain = ((tuning.sharpness * _energy(theirs) + 0.5) / (_energy(ours) + 0.5)).sqrt()
    more = resize(gain.clamp(1, tuning.most_gain) - 1, result.shape[2:])
    return (result + more * ours).clamp(0, 255)


def _fine(image: Tensor) -> Tensor:
    light = light_of(image)
    return light - box_blur(light, FINE_BLUR)


def _energy(fine: Tensor) -> Tensor:
    return _coarse(fine * fine, SHARPNESS_BLUR)


def _coarse(planes: Tensor, blur: tuple[int, int]) -> Tensor:
    for _ in range(HALVINGS):
        height, width = planes.shape[2:]
        planes = resize(planes, (max(1, height // 2), max(1, width // 2)))
    return box_blur(planes, blur)


def resize(planes: Tensor, size: torch.Size | tuple[int, int]) -> Tensor:
    """(1, C, H, W) at another (height, width), bilinear, as OpenCV does it."""
    return F.interpolate(planes, tuple(size), mode="bilinear", align_corners=False)


def _smoothstep(values: Tensor, low: float, high: float) -> Tensor:
    t = ((values - low) / (high - low)).clamp(0, 1)
    return t * t * (3 - 2 * t)
