"""The optimiser: orthogonalised momentum for convolutions, Adam for scales and shifts.

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
        for matrix, momentum in zip(self._matrices, self._momenta, strict=True):
            if matrix.grad is None:
                continue
            momentum.lerp_(matrix.grad, 1 - _MOMENTUM)
            ahead = matrix.grad.lerp(momentum, _MOMENTUM)  # Nesterov's look ahead
            update = orthogonalised(ahead.flatten(1)).view_as(matrix)
            longest = max(matrix.shape[0], matrix[0].numel())
            matrix.add_(update, alpha=-rate * _RMS * longest**0.5)

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


def orthogonalised(matrix: Tensor) -> Tensor:
    """Nearly the nearest matrix with orthonormal rows or columns, by Newton-Schulz iteration.

    Args:
        matrix: (R, C) float.

    Returns:
        (R, C) of the same dtype; singular values between about 0.7 and 1.2, whatever they were.
    """
    a, b, c = _QUINTIC
    tall = matrix.shape[0] > matrix.shape[1]
    x: Tensor = matrix.T if tall else matrix
    x = x / (x.norm() + 1e-7)
    for _ in range(_STEPS):
        square = x @ x.T
        x = a * x + (b * square + c * square @ square) @ x
    return x.T if tall else x
