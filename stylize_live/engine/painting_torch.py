"""From levels to levels: all that is done to one picture, in torch, on whatever device it lies."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from stylize_live.engine.contract import Steady, sizes_of
from stylize_live.engine.finishing_torch import finished, reduced_to, settled
from stylize_live.engine.look import Look
from stylize_live.engine.motion_torch import reduced
from stylize_live.engine.smoothing_torch import Follow


class TensorPainter:
    """What `HostBackend` does, for tensors.

    Attributes:
        past: the last smoothed painting, (1, 3, h, w) float32 in 0..255, and its input, see
            `motion_torch.reduced`; or None. May be set.
        network: paints, see `backend.paint`; to be set before the first picture. It may write over what it
            gave before.

    Args:
        follow: smooths, see `smoothing_torch.Follow`.
    """

    network: Callable[[Tensor], Tensor]

    def __init__(self, follow: Follow) -> None:
        self._follow = follow
        self.past: tuple[Tensor, Tensor] | None = None

    def __call__(self, picture: Tensor, look: Look, steady: Steady | None) -> Tensor:
        """Paint one picture.

        Args:
            picture: (1, 3, H, W) float32 in 0..255.
            look: how.
            steady: how it follows from the one before, if it does.

        Returns:
            The same shape; a little may lie outside of 0..255.
        """
        small = reduced_to(picture, look.working_size((picture.shape[3], picture.shape[2])))
        painted = settled(self.network(small), small)
        if steady is not None:
            painted = self._smoothed(painted, picture, steady)
        return finished(painted, picture, look)

    def _smoothed(self, fresh: Tensor, picture: Tensor, steady: Steady) -> Tensor:
        past, now, shown = self.past, reduced(picture), fresh
        if not steady.begins and past is not None and sizes_of(past) == sizes_of((fresh, now)):
            share = torch.full((), steady.share, device=fresh.device)
            shown = self._follow(past[0], fresh, torch.stack((past[1], now)), share)
        self.past = shown, now
        return shown
