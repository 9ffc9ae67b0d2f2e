"""What a benchmark runs on: figures without it mean nothing."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version

from stylize_live.engine.cpu import features
from stylize_live.engine.device_selection import choose_device_name
from stylize_live.engine.runtimes import list_packages
from stylize_live.system.processes import installed_memory

_PACKAGES = ("stylize-live", *list_packages(), "av", "opencv-python", "numpy")


def describe_machine() -> dict[str, object]:
    """Processor, its instructions and limits to them, cores, memory, GPU, system and versions, by name.

    None is unknown, or no GPU.
    """
    return {
        "processor": features.processor_name(),
        "instructions": features.instruction_set(),
        "limits": features.library_limits(),
        "cores": features.cores(),
        "memory_gb": round(installed_memory() / 1e9, 1),
        "gpu": _gpu(),
        "system": platform.platform(),
        "versions": {"python": platform.python_version()} | _versions(),
    }


def read_load() -> float | None:
    """The load average of the last minute, None where the system does not tell.

    It should be nearly 0: a benchmark measures what other programs leave.
    """
    return round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None


def _gpu() -> str | None:
    if choose_device_name("auto") == "cpu":
        return None
    import torch

    return torch.cuda.get_device_name()


def _versions() -> dict[str, str]:
    found = {}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
