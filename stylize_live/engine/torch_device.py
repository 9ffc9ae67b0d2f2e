"""The device that torch is to use."""

from __future__ import annotations

import torch

from stylize_live.config import DeviceName
from stylize_live.engine.device_selection import choose_device_name


def choose_torch_device(name: DeviceName) -> torch.device:
    """Turn "auto", "cpu" or "cuda" into a device. Raises as `choose_device_name`."""
    return torch.device(choose_device_name(name))
