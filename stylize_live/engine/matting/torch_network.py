"""The network that finds people under torch, on a CPU or a GPU."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from stylize_live.engine.matting.network import Convolution, compute
from stylize_live.engine.matting.weights import Weights, load_weights
from stylize_live.frame import Pixels

RUNTIME = f"torch {torch.__version__}"


class TorchNetwork:
    """See `PersonNetwork`.

    Args:
        device: as torch calls it.
    """

    def __init__(self, device: str) -> None:
        self._device = torch.device(device)
        self._operations = _Operations(load_weights(), self._device)

    def __call__(self, pixels: Pixels) -> npt.NDArray[np.float32]:
        """See `PersonNetwork`."""
        alone = _one_thread() if self._device.type == "cpu" else nullcontext()
        with torch.inference_mode(), alone:
            levels = torch.from_numpy(np.ascontiguousarray(pixels)).to(self._device)
            # Its memory seen as NCHW is exactly channels_last: no copy.
            x = levels.permute(2, 0, 1)[None].float().mul_(1 / 255)
            found: npt.NDArray[np.float32] = compute(x, self._operations)[0, 0].cpu().numpy()
        return found


@contextmanager
def _one_thread() -> Iterator[None]:
    """Compute on this thread alone: layers are so small that several would mostly wait for each other."""
    usual = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(usual)


class _Operations:
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

    def unfold(self, x: Tensor) -> Tensor:
        return F.pixel_shuffle(x, 2)
