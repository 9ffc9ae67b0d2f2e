"""The usual style network, built from its published description, to time ours against.

Johnson et al., ECCV 2016 (arXiv:1603.08155), supplementary material, with instance norm and
nearest-neighbour upsampling as in the versions most tools ship: 32-64-128 channels, five residual
blocks, 9x9 first and last convolutions, 1.68 million parameters. Untrained: only its time matters.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn


class _Conv(nn.Module):
    def __init__(self, inputs: int, outputs: int, size: int, *, stride: int = 1, up: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, size, stride=stride, padding=size // 2, padding_mode="reflect")
        self.up = up

    def forward(self, x: Tensor) -> Tensor:
        if self.up > 1:
            x = F.interpolate(x, scale_factor=self.up, mode="nearest")
        return self.conv(x)


class _Block(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            _Conv(channels, channels, 3),
            nn.InstanceNorm2d(channels, affine=True),
            nn.ReLU(),
            _Conv(channels, channels, 3),
            nn.InstanceNorm2d(channels, affine=True),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.body(x)


def usual_network(width: int = 32) -> nn.Sequential:
    """The usual network for (N, 3, H, W) floats; `width` is its narrowest layer (32 as published)."""
    w = width

    def step(*conv: int, **options: int) -> list[nn.Module]:
        return [_Conv(*conv, **options), nn.InstanceNorm2d(conv[1], affine=True), nn.ReLU()]

    return nn.Sequential(
        *step(3, w, 9),
        *step(w, 2 * w, 3, stride=2),
        *step(2 * w, 4 * w, 3, stride=2),
        *(_Block(4 * w) for _ in range(5)),
        *step(4 * w, 2 * w, 3, up=2),
        *step(2 * w, w, 3, up=2),
        _Conv(w, 3, 9),
    )
