"""What a GPU needs of a system, by the name that it has there."""

from __future__ import annotations

import sys

CUDA_DRIVER = "nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1"
"""NVIDIA's driver."""

DRIVERS = (CUDA_DRIVER,) if sys.platform == "win32" else (CUDA_DRIVER, "libamdhip64.so")
"""Without one of these libraries, torch finds no GPU: NVIDIA's driver, AMD's runtime."""


def triton_package() -> str:
    """What an index calls the compiler of our kernels; torch brings it on Linux, and not on Windows."""
    return "triton-windows" if sys.platform == "win32" else "triton"
