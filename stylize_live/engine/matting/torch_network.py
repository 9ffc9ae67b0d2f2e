"""The network that finds people under torch, on a CPU or a GPU."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import numpy as np
import numpy.typing as npt
import torch

from stylize_live.engine.matting.network import compute
from stylize_live.engine.matting.weights import load_weights
from stylize_live.engine.operations.torch_operations import RUNTIME as RUNTIME
from stylize_live.engine.operations.torch_operations import TorchOperations
from stylize_live.frame import Pixels


class TorchNetwork:
    """See `PersonNetwork`.

    Args:
        device: as torch calls it.
    """

    def __init__(self, device: str) -> None:
        self._device = torch.device(device)
        self._operations = TorchOperations(load_weights(), self._device)

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
