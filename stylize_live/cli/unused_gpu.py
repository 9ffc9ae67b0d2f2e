"""An NVIDIA GPU that is there and not used: why, and what mends it."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass

from stylize_live.install_hints import cuda_torch_commands
from stylize_live.system.gpus import CUDA_DRIVER

_LONGEST_NAME = 256


@dataclass(frozen=True, slots=True)
class Driver:
    """NVIDIA's driver.

    Attributes:
        gpu: name of its first GPU.
        cuda: major and minor version of the newest CUDA that it knows.
    """

    gpu: str
    cuda: tuple[int, int]


def explain_unused_gpu() -> str:
    """Why torch does not use the NVIDIA GPU and what mends it, "" if it does or there is none."""
    driver = ask_driver()
    if driver is None:
        return ""
    import torch

    if torch.cuda.is_available():
        return ""
    built_for = torch.version.cuda
    commands = ", then ".join(cuda_torch_commands())
    if built_for is None:
        return f"{driver.gpu} is not used, torch {torch.__version__} was built without CUDA: {commands}"
    if driver.cuda[0] < int(built_for.split(".")[0]):
        known = ".".join(map(str, driver.cuda))
        return (
            f"{driver.gpu} is not used, its driver knows CUDA {known} and torch was built for {built_for}: "
            f"update the driver, or {commands}"
        )
    return ""


def ask_driver() -> Driver | None:
    """What NVIDIA's driver tells, None if it or a GPU is missing. Asks the driver itself, not torch."""
    try:
        library = ctypes.CDLL(CUDA_DRIVER)
    except OSError:
        return None
    gpu, version, name = ctypes.c_int(), ctypes.c_int(), ctypes.create_string_buffer(_LONGEST_NAME)
    try:
        failed = (
            library.cuInit(0)
            or library.cuDeviceGet(ctypes.byref(gpu), 0)
            or library.cuDeviceGetName(name, _LONGEST_NAME, gpu)
            or library.cuDriverGetVersion(ctypes.byref(version))
        )
    except AttributeError:  # a library of that name without these functions
        return None
    if failed:
        return None
    return Driver(name.value.decode(errors="replace"), (version.value // 1000, version.value % 1000 // 10))
