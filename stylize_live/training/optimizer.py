"""The optimizer: orthogonalised momentum for convolutions, Adam for scales and shifts.

Muon (Jordan et al., 2024) replaces the momentum of a weight matrix by the nearest orthogonal one, so that
rare directions are learned as fast as common ones. The step has the root mean square of Adam's (Liu et al.,
"Muon is scalable for LLM training", arXiv:2502.16982, section 2.2), so one learning rate serves both parts.
Here it comes to a lower style and content error than Adam after equal steps, at a hundredth of a step's time.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

_MOMENTUM = 0.95
_BETAS = (0.9, 0.99)
# Coefficients of the quintic iteration: they bring singular values near 1 in five steps.
_QUINTIC = (3.4445, -4.7750, 2.0315)
_STEPS = 5
_RMS = 0.2  # of one step, as a share of the learning rate: what Adam's usually is


class MuonAdam:
    """Updates the parameters of a network.

    Args:
        network: its four-dimensional parameters are convolutions, all others go to Adam.
    """

    def __init__(self, network: nn.Module) -> None:
        self._parameters = list(network.parameters())
        self._matrices = [p for p in self._parameters if p.ndim == 4]
        self._momenta = [torch.zeros_like(p) for p in self._matrices]
        self._alike: dict[torch.Size, list[tuple[Tensor, Tensor]]] = {}
        for matrix, momentum in zip(self._matrices, self._momenta, strict=True):
            self._alike.setdefault(matrix.shape, []).append((matrix, momentum))
        self._adam = torch.optim.Adam([p for p in self._parameters if p.ndim != 4], betas=_BETAS)

    def zero_grad(self) -> None:
        """Forget the gradients."""
        for parameter in self._parameters:
            parameter.grad = None

    @torch.no_grad()
    def step(self, rate: float) -> None:
        """Move every parameter by its gradient, `rate` being the learning rate."""
        for group in self._adam.param_groups:
            group["lr"] = rate
        self._adam.step()
        for alike in self._alike.values():
            learned = [(m, m.grad, momentum) for m, momentum in alike if m.grad is not None]
            if learned:
                self._move(learned, rate)

    @staticmethod
    def _move(alike: list[tuple[Tensor, Tensor, Tensor]], rate: float) -> None:
        """Move matrices of one shape, given with gradients and momenta: together, a GPU being kept waiting
        by many small steps."""
        ahead = []
        for _, gradient, momentum in alike:
            momentum.lerp_(gradient, 1 - _MOMENTUM)
            ahead.append(gradient.lerp(momentum, _MOMENTUM).flatten(1))  # Nesterov's look ahead
        updates = orthogonalize(torch.stack(ahead))
        longest = max(updates.shape[1:])
        for (matrix, _, _), update in zip(alike, updates, strict=True):
            matrix.add_(update.view_as(matrix), alpha=-rate * _RMS * longest**0.5)

    def tensors(self) -> dict[str, Tensor]:
        """All that `load` needs to go on, by name."""
        found = {f"momentum.{i}": m for i, m in enumerate(self._momenta)}
        for number, moments in self._adam.state_dict()["state"].items():
            found |= {f"adam.{number}.{name}": value for name, value in moments.items()}
        return found

    def load(self, tensors: dict[str, Tensor]) -> None:
        """Inverse of `tensors`.

        Raises:
            KeyError: a tensor is missing.
        """
        for index, momentum in enumerate(self._momenta):
            momentum.copy_(tensors[f"momentum.{index}"])
        state: dict[int, dict[str, Tensor]] = {}
        for name, value in tensors.items():
            kind, number, *rest = name.split(".")
            if kind == "adam":
                state.setdefault(int(number), {})[rest[0]] = value
        self._adam.load_state_dict({**self._adam.state_dict(), "state": state})


def orthogonalize(matrices: Tensor) -> Tensor:
    """Nearly the nearest matrices with orthonormal rows or columns, by Newton-Schulz iteration.

    Args:
        matrices: (..., R, C) float.

    Returns:
        (..., R, C) of the same dtype; singular values between about 0.7 and 1.2, whatever they were.
    """
    a, b, c = _QUINTIC
    tall = matrices.shape[-2] > matrices.shape[-1]
    x: Tensor = matrices.mT if tall else matrices
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    for _ in range(_STEPS):
        square = x @ x.mT
        x = a * x + (b * square + c * square @ square) @ x
    return x.mT if tall else x
