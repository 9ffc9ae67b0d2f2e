"""Small networks under torch, on a CPU or a GPU."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from stylize_live.engine.operations.records import Convolution, Weights

RUNTIME = f"torch {torch.__version__}"


class TorchOperations:
    """See `Operations`."""

    def __init__(self, weights: Weights, device: torch.device) -> None:
        self._weights = {name: torch.from_numpy(array).to(device) for name, array in weights.items()}

    def convolve(self, x: Tensor, convolution: Convolution) -> Tensor:
        weight, bias = (self._weights[f"{convolution.name}.{part}"] for part in ("weight", "bias"))
        edges = convolution.padding
        if edges[0] != edges[1]:
            x = F.pad(x, 2 * edges)
        groups = convolution.outputs if convolution.depthwise else 1
        padding = edges[0] if edges[0] == edges[1] else 0
        return F.conv2d(x, weight, bias, convolution.stride, padding, groups=groups)

    def relu(self, x: Tensor) -> Tensor:
        return F.relu(x)

    def hard_swish(self, x: Tensor) -> Tensor:
        return F.hardswish(x)

    def sigmoid(self, x: Tensor) -> Tensor:
        return torch.sigmoid(x)

    def average(self, x: Tensor) -> Tensor:
        return x.mean((2, 3), keepdim=True)

    def add(self, x: Tensor, y: Tensor) -> Tensor:
        return x + y

    def multiply(self, x: Tensor, y: Tensor) -> Tensor:
        return x * y

    def enlarge(self, x: Tensor) -> Tensor:
        return F.interpolate(x, scale_factor=2, mode="bilinear")

    def halve(self, x: Tensor) -> Tensor:
        return F.max_pool2d(x, 2)

    def unfold(self, x: Tensor) -> Tensor:
        return F.pixel_shuffle(x, 2)
