"""What a GPU needs of a system, by the name that it has there."""

from __future__ import annotations

import os
import sys

_VISIBLE = "CUDA_VISIBLE_DEVICES"
CUDA_DRIVER = "nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1"
"""NVIDIA's driver."""

DRIVERS = (CUDA_DRIVER,) if sys.platform == "win32" else (CUDA_DRIVER, "libamdhip64.so")
"""Without one of these libraries, torch finds no GPU: NVIDIA's driver, AMD's runtime."""


def triton_package() -> str:
    """What an index calls the compiler of our kernels; torch brings it on Linux, and not on Windows."""
    return "triton-windows" if sys.platform == "win32" else "triton"


def see_one_gpu(number: int) -> None:
    """Let this process see one GPU alone, as its first: by the number that the GPU has had so far.

    It decodes there, too. To be called before anything has asked for a GPU.
    """
    seen = os.environ.get(_VISIBLE)
    os.environ[_VISIBLE] = str(number) if seen is None else seen.split(",")[number].strip()
