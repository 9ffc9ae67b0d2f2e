"""All that is done to one image, from levels to levels, in torch, on any device."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from stylize_live.engine.core.protocols import TemporalContext, sizes_of
from stylize_live.engine.core.render_options import RenderOptions
from stylize_live.engine.cuda.compositing import attenuate_low_contrast, composite, shrink_to
from stylize_live.engine.cuda.motion_tensors import shrink
from stylize_live.engine.cuda.smoothing import Smoother


class TensorStylizer:
    """What `CpuBackend` does, for tensors.

    Attributes:
        past: the last smoothed painting, (1, 3, h, w) float32 in 0..255, and its input, see
            `motion_tensors.shrink`; or None. May be set.
        network: paints, see `torch_backend.paint`; to be set before the first frame. It may write over what
            it gave before.

    Args:
        follow: smooths, see `smoothing.Smoother`.
    """

    network: Callable[[Tensor], Tensor]

    def __init__(self, follow: Smoother) -> None:
        self._follow = follow
        self.past: tuple[Tensor, Tensor] | None = None

    def __call__(self, image: Tensor, options: RenderOptions, context: TemporalContext | None) -> Tensor:
        """Paint one image.

        Args:
            image: (1, 3, H, W) float32 in 0..255.
            options: how.
            context: how it follows from the one before, if it does.

        Returns:
            The same shape; a little may lie outside of 0..255.
        """
        small = shrink_to(image, options.working_size((image.shape[3], image.shape[2])))
        painted = attenuate_low_contrast(self.network(small), small)
        if context is not None:
            painted = self._smooth_over_time(painted, image, context)
        return composite(painted, image, options)

    def _smooth_over_time(self, fresh: Tensor, image: Tensor, context: TemporalContext) -> Tensor:
        past, now, shown = self.past, shrink(image), fresh
        if context.resizes and past is not None and past[0].shape != fresh.shape:
            past = F.interpolate(past[0], fresh.shape[2:], mode="bilinear"), past[1]
        if not context.begins and past is not None and sizes_of(past) == sizes_of((fresh, now)):
            share = torch.full((), context.share, device=fresh.device)
            shown = self._follow(past[0], fresh, torch.stack((past[1], now)), share)
        self.past = shown, now
        return shown
