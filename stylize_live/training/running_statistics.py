"""Style statistics over the last few crops.

A painting has flat places and busy ones; a photo of a wall has only flat ones. Asked to show the
whole painting's statistics in every single crop, a network fills walls and faces with a lattice of marks.
Measured over several crops together, texture may go where the photo has some.
"""

from __future__ import annotations

import torch
from torch import Tensor

_CROPS = 10  # that statistics are taken over


class RunningStatistics:
    """Remembers what was measured on earlier crops, for one painting.

    The error is that of the pooled statistics; its gradient is as large as if all the crops of the
    pool were learned from at once, or older crops would slow learning down.
    """

    def __init__(self) -> None:
        self._means: dict[str, Tensor] = {}

    def mean(self, name: str, found: Tensor) -> Tensor:
        """Fold new measurements into a running mean.

        Args:
            name: of the statistic.
            found: (n, ...) one for each new crop.

        Returns:
            (...) with the gradient of the new crops, raised to that of the whole pool.
        """
        share = min(1.0, len(found) / _CROPS)
        fresh = found.mean(0)
        before = self._means.get(name)
        pooled = fresh if before is None else torch.lerp(before.to(fresh.device), fresh, share)
        self._means[name] = pooled.detach()
        return pooled.detach() + (fresh - fresh.detach())

    def tensors(self) -> dict[str, Tensor]:
        """All that `load` needs to go on, by name."""
        return dict(self._means)

    def load(self, tensors: dict[str, Tensor]) -> None:
        """Inverse of `tensors`."""
        self._means = dict(tensors)
