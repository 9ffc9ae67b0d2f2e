"""From levels to levels: all that is done to one picture, in torch, on whatever device it lies."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from stylize_live.engine.contract import Steady
from stylize_live.engine.finishing_torch import finished, reduced_to, settled
from stylize_live.engine.look import Look
from stylize_live.engine.motion_torch import reduced
from stylize_live.engine.smoothing_torch import Follow


class TensorPainter:
    """What `HostBackend` does, for tensors.

    Attributes:
        memory: the last smoothed painting, (1, 3, h, w) float32 in 0..255, or None; may be set.
        before: its input, see `motion_torch.reduced`, or None; may be set.
        network: paints, see `backend.paint`; to be set before the first picture. It may write over what it
            gave before.

    Args:
        follow: smooths, see `smoothing_torch.Follow`.
    """

    network: Callable[[Tensor], Tensor]

    def __init__(self, follow: Follow) -> None:
        self._follow = follow
        self.memory: Tensor | None = None
        self.before: Tensor | None = None

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
        return finished(painted, small, picture, look)

    def _smoothed(self, fresh: Tensor, picture: Tensor, steady: Steady) -> Tensor:
        before, self.before = self.before, reduced(picture)
        previous, begins = self.memory, steady.begins()
        if (
            begins
            or before is None
            or previous is None
            or not _alike((before, self.before), (previous, fresh))
        ):
            self.memory = fresh
        else:
            share = torch.full((), steady.share, device=fresh.device)
            self.memory = self._follow(previous, fresh, torch.stack((before, self.before)), share)
        return self.memory


def _alike(*pairs: tuple[Tensor, Tensor]) -> bool:
    return all(one.shape == other.shape for one, other in pairs)
