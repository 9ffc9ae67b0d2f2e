"""The device that torch is to use."""

from __future__ import annotations

import torch

from stylize_live.config import DeviceName
from stylize_live.engine.device_selection import choose_device_name, choose_gpu


def choose_torch_device(name: DeviceName) -> torch.device:
    """Turn the name of a device into one. Raises as `choose_device_name`."""
    kind, number = choose_device_name(name), choose_gpu(name)
    return torch.device(kind) if number is None else torch.device(kind, number)
