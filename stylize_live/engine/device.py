"""Which processor and which arithmetic to use."""

from __future__ import annotations

import logging
from importlib.util import find_spec
from typing import Literal

import torch

from stylize_live.config import DeviceName, Precision, Runtime
from stylize_live.errors import DeviceError

log = logging.getLogger(__name__)

_DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


class GpuLoad:
    """How busy the GPU is that torch works on, whoever keeps it busy. Not known without nvidia-ml-py."""

    def __init__(self) -> None:
        self._known = True

    def __call__(self) -> float | None:
        """Share of the last moments in which it worked, 0 to 1; None where none is used, or unknown."""
        if not self._known or not _cuda_in_use():
            return None
        try:
            return torch.cuda.utilization() / 100
        except Exception as error:  # the driver's own exceptions, and a library that is not there
            log.info("the GPU's load is not known: %s", error)
            self._known = False
            return None


def _cuda_in_use() -> bool:
    return bool(torch.cuda.is_initialized())  # type: ignore[no-untyped-call]


def choose_device(name: DeviceName) -> torch.device:
    """Turn "auto", "cpu" or "cuda" into a device.

    Raises:
        DeviceError: CUDA was asked for and is not there.
    """
    available = torch.cuda.is_available()
    if name == "cuda" and not available:
        raise DeviceError("no CUDA device: use --device cpu, or install a driver and a CUDA build of torch")
    return torch.device("cuda" if available and name != "cpu" else "cpu")


def choose_precision(name: Precision, device: torch.device) -> torch.dtype:
    """The arithmetic of the network.

    "auto" is float16 on a GPU, bfloat16 on a CPU with instructions for it, else float32.

    Raises:
        DeviceError: float16 on a CPU, where torch emulates it many times slower.
    """
    if name == "float16" and device.type == "cpu":
        raise DeviceError("float16 needs a GPU: use --precision bfloat16 or float32")
    if name != "auto":
        return _DTYPES[name]
    if device.type == "cuda":
        return torch.float16
    return torch.bfloat16 if fast_bfloat16() else torch.float32


def choose_runtime(name: Runtime, device: torch.device) -> Literal["torch", "openvino"]:
    """What computes the network; "auto" is OpenVINO on a CPU if it is installed, else torch.

    Raises:
        DeviceError: OpenVINO was asked for and is not installed, or is to use a GPU.
    """
    installed = find_spec("openvino") is not None
    if name == "openvino" and not installed:
        raise DeviceError("OpenVINO is not installed: pip install openvino, or use --runtime torch")
    if name == "openvino" and device.type != "cpu":
        raise DeviceError("OpenVINO paints on the CPU here: use --device cpu, or --runtime torch")
    return "openvino" if name != "torch" and installed and device.type == "cpu" else "torch"


def fast_bfloat16() -> bool:
    """Whether this CPU multiplies bfloat16 in hardware."""
    capabilities: dict[str, object] = getattr(torch.cpu, "get_capabilities", dict)()
    return any(bool(capabilities.get(key)) for key in ("avx512_bf16", "amx_bf16", "bf16"))
