"""The arithmetic of `smoothing.py`, in torch: for mattes that are on a GPU and stay there."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from stylize_live.engine.cpu.smoothing import Tuning
from stylize_live.engine.cuda.compositing import light_of
from stylize_live.engine.cuda.motion_tensors import TensorMotion
from stylize_live.engine.cuda.smoothing import distrust, resize
from stylize_live.engine.matting.smoothing import DOUBTED, FAST, MOVING, SURE, reduced_size
from stylize_live.engine.matting.tensor_motion import move


def shrink(small: Tensor) -> Tensor:
    """The grey image that motion is measured on: (1, 3, h, w) in 0..255 -> (height, width)."""
    width, height = reduced_size((small.shape[3], small.shape[2]))
    return F.interpolate(light_of(small), (height, width), mode="area")[0, 0]


def smooth(previous: Tensor, fresh: Tensor, motion: TensorMotion, least: Tensor) -> Tensor:
    """One step of `smoothing.MatteSmoother`.

    Args:
        previous, fresh: (1, 1, h, w), 0 to 1: the last result, and the matte of this frame alone.
        motion: of a smaller image of the frame.
        least: (), least share of the fresh one: 1 where nothing goes on from the last.

    Returns:
        (1, 1, h, w), 0 to 1.
    """
    farther = motion.flow.abs().amax(1, keepdim=True)
    rush = F.max_pool2d((farther * (MOVING / FAST)).clamp(max=MOVING), 3, 1, 1)
    lost = resize(torch.maximum(distrust(motion, Tuning()), rush), fresh.shape[2:])
    rest = DOUBTED + (fresh - 0.5).abs_() * (2 * (SURE - DOUBTED))
    shares = torch.maximum(torch.maximum(lost, rest), least)
    return torch.lerp(move(previous, motion.flow), fresh, shares)
