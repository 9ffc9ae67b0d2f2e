"""Motion on a GPU: what `flow` makes of a flow, in torch."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from stylize_live.engine.flow import STILL_MARGIN, STILL_PIXELS, WINDOW, Motion


@dataclass(frozen=True, slots=True)
class TensorMotion:
    """See `flow.Motion`.

    Attributes:
        flow: (1, 2, h, w) float32, across and down.
        mismatch, texture: (1, 1, h, w) float32.
        light: () float32.
    """

    flow: Tensor
    mismatch: Tensor
    texture: Tensor
    light: Tensor

    @classmethod
    def of(cls, motion: Motion, device: torch.device) -> TensorMotion:
        """Motion that was measured elsewhere."""
        planes = (*motion.flow.transpose(2, 0, 1), motion.mismatch, motion.texture)
        across, down, mismatch, texture = (torch.as_tensor(plane.copy())[None, None] for plane in planes)
        light = torch.tensor(motion.light, dtype=torch.float32)
        parts = torch.cat((across, down), 1), mismatch, texture, light
        return cls(*(part.to(device, non_blocking=True) for part in parts))


def fitted(pictures: Tensor, flow: Tensor, change: Tensor) -> TensorMotion:
    """Keep of a flow what explains a picture better than standing still does.

    Args:
        pictures: (2, h, w) float32 in 0..255, the one before and the one now.
        flow: (2, h, w) float32.
        change: (h, w) float32, the one before, moved along the flow, less the one now.
    """
    before, now = pictures
    change = change.round()  # whole levels, as without moving: otherwise it would be the one with less noise
    planes = torch.stack(((before - now).abs(), change.abs(), now, now * now))
    unmoved, moved, mean, square = blurred(planes[None], WINDOW)[0, :, None, None].unbind()
    far = torch.linalg.vector_norm(flow, dim=0) >= STILL_PIXELS
    moving = far | (unmoved - moved > STILL_MARGIN)
    return TensorMotion(
        flow=torch.where(moving, flow, 0.0),
        mismatch=torch.where(moving, moved, unmoved),
        texture=(square - mean * mean).clamp(min=0).sqrt(),
        light=change.mean().abs(),
    )


def blurred(planes: Tensor, window: tuple[int, int]) -> Tensor:
    """The mean of a window around each place: (1, n, h, w) -> the same; as OpenCV's, edges are mirrored."""
    reach = window[0] // 2
    # Mirroring needs more pixels than it reaches; tiny pictures repeat their edge instead.
    mode = "reflect" if min(planes.shape[2:]) > reach else "replicate"
    return F.avg_pool2d(F.pad(planes, (reach,) * 4, mode), window, stride=1)
