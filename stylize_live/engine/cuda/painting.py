"""From levels to levels: all that is done to one image, in torch, on whatever device it lies."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from stylize_live.engine.core.protocols import TemporalContext, sizes_of
from stylize_live.engine.core.render_options import RenderOptions
from stylize_live.engine.cuda.compositing import attenuate_low_contrast, composite, shrink_to
from stylize_live.engine.cuda.motion_tensors import shrink
from stylize_live.engine.cuda.smoothing import Follow


class TensorPainter:
    """What `CpuBackend` does, for tensors.

    Attributes:
        past: the last smoothed painting, (1, 3, h, w) float32 in 0..255, and its input, see
            `motion_tensors.shrink`; or None. May be set.
        network: paints, see `torch_backend.paint`; to be set before the first frame. It may write over what
            it gave before.

    Args:
        follow: smooths, see `smoothing.Follow`.
    """

    network: Callable[[Tensor], Tensor]

    def __init__(self, follow: Follow) -> None:
        self._follow = follow
        self.past: tuple[Tensor, Tensor] | None = None

    def __call__(self, image: Tensor, look: RenderOptions, steady: TemporalContext | None) -> Tensor:
        """Paint one image.

        Args:
            image: (1, 3, H, W) float32 in 0..255.
            look: how.
            steady: how it follows from the one before, if it does.

        Returns:
            The same shape; a little may lie outside of 0..255.
        """
        small = shrink_to(image, look.working_size((image.shape[3], image.shape[2])))
        painted = attenuate_low_contrast(self.network(small), small)
        if steady is not None:
            painted = self._smoothed(painted, image, steady)
        return composite(painted, image, look)

    def _smoothed(self, fresh: Tensor, image: Tensor, steady: TemporalContext) -> Tensor:
        past, now, shown = self.past, shrink(image), fresh
        if not steady.begins and past is not None and sizes_of(past) == sizes_of((fresh, now)):
            share = torch.full((), steady.share, device=fresh.device)
            shown = self._follow(past[0], fresh, torch.stack((past[1], now)), share)
        self.past = shown, now
        return shown
