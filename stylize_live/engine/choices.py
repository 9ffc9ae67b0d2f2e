"""Which processor, which arithmetic and which runtime to use. Asks torch only where nothing else knows.

Torch takes longer to load than all the rest of a start, and OpenVINO paints without it.
"""

from __future__ import annotations

import ctypes
import sys
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from stylize_live.config import DeviceName, Precision, Runtime
from stylize_live.errors import DeviceError

Device = Literal["cpu", "cuda"]
ChosenPrecision = Literal["float32", "bfloat16", "float16", "int8"]
ChosenRuntime = Literal["torch", "openvino"]
# Without one of these libraries, torch finds no GPU: NVIDIA's driver, AMD's runtime.
_DRIVERS = ("nvcuda.dll",) if sys.platform == "win32" else ("libcuda.so.1", "libamdhip64.so")
# As Linux and torch name what multiplies it.
_BFLOAT16 = {"avx512_bf16", "amx_bf16", "bf16"}
# And whole numbers of eight bits, without overflow on the way; of x86 alone, as nothing else was tried.
_INT8 = {"avx512_vnni", "avx_vnni", "amx_int8"}
_CPU_INFO = Path("/proc/cpuinfo")
_LISTED = ("flags", "Features")  # how its lists of instructions begin: on x86, on ARM


def choose_device_name(name: DeviceName) -> Device:
    """Turn "auto", "cpu" or "cuda" into one of the latter two.

    Raises:
        DeviceError: CUDA was asked for and is not there.
    """
    if name == "cpu" or (name == "auto" and not _may_have_gpu()):
        return "cpu"
    import torch

    available = torch.cuda.is_available()
    if name == "cuda" and not available:
        raise DeviceError("no CUDA device: use --device cpu, or install a driver and a CUDA build of torch")
    return "cuda" if available else "cpu"


def _may_have_gpu() -> bool:
    if "torch" in sys.modules:
        return True  # it is loaded anyway, and knows
    for driver in _DRIVERS:
        with suppress(OSError):
            ctypes.CDLL(driver)
            return True
    return False


def choose_precision(name: Precision, device: Device, runtime: ChosenRuntime) -> ChosenPrecision:
    """The arithmetic of the network.

    "auto" is float16 on a GPU; under OpenVINO int8 on a CPU with instructions for it; else
    `floating_precision`.

    Raises:
        DeviceError: float16 on a CPU, where torch emulates it many times slower, or int8 without OpenVINO.
    """
    if name == "float16" and device == "cpu":
        raise DeviceError("float16 needs a GPU: use --precision bfloat16 or float32")
    if name == "int8" and runtime != "openvino":
        raise DeviceError("int8 needs OpenVINO on a CPU: use --precision auto, or pip install openvino")
    if name != "auto":
        return name
    if device == "cuda":
        return "float16"
    return "int8" if runtime == "openvino" and fast_int8() else floating_precision()


def floating_precision() -> Literal["float32", "bfloat16"]:
    """What a CPU does best of the two: bfloat16 with instructions for it, else float32."""
    return "bfloat16" if fast_bfloat16() else "float32"


def choose_runtime(name: Runtime, device: Device) -> ChosenRuntime:
    """What computes the network; "auto" is OpenVINO on a CPU if it is installed, else torch.

    Raises:
        DeviceError: OpenVINO was asked for and is not installed, or is to use a GPU.
    """
    installed = find_spec("openvino") is not None
    if name == "openvino" and not installed:
        raise DeviceError("OpenVINO is not installed: pip install openvino, or use --runtime torch")
    if name == "openvino" and device != "cpu":
        raise DeviceError("OpenVINO paints on the CPU here: use --device cpu, or --runtime torch")
    return "openvino" if name != "torch" and installed and device == "cpu" else "torch"


def fast_bfloat16() -> bool:
    """Whether this CPU multiplies bfloat16 in hardware."""
    return not _BFLOAT16.isdisjoint(_instructions())


def fast_int8() -> bool:
    """Whether this CPU multiplies and adds up whole numbers of eight bits in hardware."""
    return not _INT8.isdisjoint(_instructions())


def _instructions() -> frozenset[str]:
    """What this CPU can do, by the names that Linux or torch have for it."""
    if _CPU_INFO.exists():
        # Not to its end: there is a part for each core, and all say the same.
        with _CPU_INFO.open(encoding="utf-8", errors="replace") as lines:
            return frozenset(next((line for line in lines if line.startswith(_LISTED)), "").split())
    import torch

    capabilities: dict[str, object] = getattr(torch.cpu, "get_capabilities", dict)()
    return frozenset(name for name, there in capabilities.items() if there)
