"""The network that finds people under torch, on a CPU or a GPU."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from stylize_live.engine.matting.network import compute
from stylize_live.engine.matting.weights import load_weights
from stylize_live.engine.operations.torch_operations import RUNTIME as RUNTIME
from stylize_live.engine.operations.torch_operations import TorchOperations
from stylize_live.frame import Pixels


class TorchNetwork:
    """See `PersonNetwork`.

    Args:
        device: of its weights.
    """

    def __init__(self, device: torch.device) -> None:
        self._operations = TorchOperations(load_weights(), device)

    def __call__(self, pixels: Pixels) -> npt.NDArray[np.float32]:
        """See `PersonNetwork`; on a CPU."""
        with torch.inference_mode(), _one_thread():
            levels = torch.from_numpy(np.ascontiguousarray(pixels))
            # Its memory seen as NCHW is exactly channels_last: no copy.
            x = levels.permute(2, 0, 1)[None].float().mul_(1 / 255)
            found: npt.NDArray[np.float32] = self.find(x)[0, 0].numpy()
        return found

    def find(self, x: Tensor) -> Tensor:
        """(1, 3, h, w) float32, 0 to 1, on its device -> (1, 1, h, w), how much of a person."""
        return compute(x, self._operations)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Compute on this thread alone: layers are so small that several would mostly wait for each other."""
    usual = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(usual)
