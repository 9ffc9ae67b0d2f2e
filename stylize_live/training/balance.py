"""Content against style: a weight that moves until the content error is where it was asked to be.

How much of a photo survives a given content weight differs from painting to painting, by more than a
half. The wanted content error differs little: it is what a person means by "still recognisable".
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

_MEMORY = 0.05  # share of the newest step in the running mean: some twenty steps
_SPEED = 0.02  # change of the weight's logarithm per step, for an error e times too large
_MOST = math.log(4)  # either way
_LEAST_ERROR = 1e-3


class ContentBalance:
    """A factor of the content weight.

    Args:
        target: the relative content error to reach.
    """

    def __init__(self, target: float) -> None:
        self._target = target
        # Of logarithms: a crop of plain sky can have ten times the error of others.
        self._mean: float | None = None
        self._log = 0.0

    @property
    def factor(self) -> float:
        """What the content weight is multiplied by, a quarter to four."""
        return math.exp(self._log)

    def update(self, error: float) -> None:
        """Take note of a step's content error: too large raises the factor."""
        found = math.log(max(error, _LEAST_ERROR) / self._target)
        before = found if self._mean is None else self._mean
        self._mean = before + _MEMORY * (found - before)
        moved = self._log + _SPEED * self._mean
        self._log = min(_MOST, max(-_MOST, moved))

    def tensors(self) -> dict[str, Tensor]:
        """All that `load` needs to go on, by name."""
        mean = math.nan if self._mean is None else self._mean
        return {"balance": torch.tensor([mean, self._log], dtype=torch.float64)}

    def load(self, tensors: dict[str, Tensor]) -> None:
        """Inverse of `tensors`."""
        mean, self._log = tensors["balance"].tolist()
        self._mean = None if math.isnan(mean) else mean
