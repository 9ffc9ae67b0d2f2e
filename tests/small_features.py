"""A feature network that takes a hundredth of VGG16's time."""

from __future__ import annotations

import torch


class SmallFeatures(torch.nn.Module):
    """In place of `VggFeatures`: the same layers' names, a hundredth of the work."""

    style_layers = ("relu1_2", "relu2_2", "relu3_3", "relu4_1")
    measured_layers = ("relu1_2", "relu2_2", "relu3_3", "relu4_3")
    content_layer = "relu3_3"
    gain = 1.0

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        widths = {
            "relu1_2": (3, 8),
            "relu2_2": (8, 12),
            "relu3_3": (12, 16),
            "relu4_1": (16, 16),
            "relu4_3": (16, 16),
        }
        self.stages = torch.nn.ModuleDict({n: torch.nn.Conv2d(*w, 3, padding=1) for n, w in widths.items()})
        self.requires_grad_(False)

    def forward(self, images: torch.Tensor, *, last: str = "") -> dict[str, torch.Tensor]:
        found, x = {}, images
        for name, layer in self.stages.items():
            x = torch.relu(layer(x))
            found[name] = x
            x = torch.nn.functional.max_pool2d(x, 2)
        return found
