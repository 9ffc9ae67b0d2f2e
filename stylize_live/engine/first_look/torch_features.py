"""What a painting is seen with, under torch on a CPU."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch

from stylize_live.engine.first_look.feature_network import compute
from stylize_live.engine.first_look.feature_weights import load_weights
from stylize_live.engine.operations.torch_operations import TorchOperations


def measure(image: npt.NDArray[np.float32]) -> list[npt.NDArray[np.float32]]:
    """See `Measure`."""
    with torch.inference_mode():
        x = torch.from_numpy(image).contiguous(memory_format=torch.channels_last)
        found = compute(x, TorchOperations(load_weights(), torch.device("cpu")))
        return [values[0, :, 0, 0].numpy() for values in found]
