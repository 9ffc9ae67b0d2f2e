"""Motion on a GPU: what `engine/cpu/optical_flow.py` makes of a flow, in torch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from stylize_live.engine.cpu.optical_flow import STILL_MARGIN, STILL_PIXELS, WINDOW, Motion, shrunk_size
from stylize_live.engine.cuda.compositing import light_of


@dataclass(frozen=True, slots=True)
class TensorMotion:
    """See `optical_flow.Motion`.

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
        """Motion that was measured by the processor."""
        planes = torch.as_tensor(np.dstack((motion.flow, motion.mismatch, motion.texture)), device=device)
        flow, mismatch, texture = planes.permute(2, 0, 1)[None].split_with_sizes((2, 1, 1), 1)
        return cls(flow, mismatch, texture, torch.tensor(motion.light, device=device))


def shrink(image: Tensor) -> Tensor:
    """See `optical_flow.shrink`: (1, 3, H, W) float32 in 0..255 -> (h, w) float32."""
    width, height = shrunk_size((image.shape[3], image.shape[2]))
    return light_of(F.interpolate(image, (height, width), mode="area"))[0, 0]


def fit_motion(images: Tensor, flow: Tensor, change: Tensor) -> TensorMotion:
    """Keep of a flow what explains an image better than standing still does.

    Args:
        images: (2, h, w) float32 in 0..255, the one before and the one now.
        flow: (2, h, w) float32.
        change: (h, w) float32, the one before, moved along the flow, less the one now.
    """
    before, now = images
    planes = torch.stack(((before - now).abs(), change.abs(), now, now * now))
    unmoved, moved, mean, square = box_blur(planes[None], WINDOW)[0, :, None, None].unbind()
    far = torch.linalg.vector_norm(flow, dim=0) >= STILL_PIXELS
    moving = far | (unmoved - moved > STILL_MARGIN)
    return TensorMotion(
        flow=torch.where(moving, flow, 0.0),
        mismatch=torch.where(moving, moved, unmoved),
        texture=(square - mean * mean).clamp(min=0).sqrt(),
        light=change.mean().abs(),
    )


def box_blur(planes: Tensor, window: tuple[int, int]) -> Tensor:
    """The mean of a window around each place: (1, n, h, w) -> the same; as OpenCV's, edges are mirrored."""
    reach = window[0] // 2
    # Mirroring needs more pixels than it reaches; tiny images repeat their edge instead.
    mode = "reflect" if min(planes.shape[2:]) > reach else "replicate"
    return F.avg_pool2d(F.pad(planes, (reach,) * 4, mode), window, stride=1)
