"""What this processor is and can do, and which of its instructions libraries may not use. Does without
torch where the system tells.

OpenVINO is not asked: it says that it knows bfloat16 on every processor with AVX-512, and under its limits.
"""

from __future__ import annotations

import os
import platform
from functools import cache
from pathlib import Path
from typing import Literal

from stylize_live.system.processor import read_instructions, read_name

_CPU_INFO = Path("/proc/cpuinfo")
_LISTED = ("flags", "Features")  # how its lists of instructions begin: on x86, on ARM
# As Linux and torch name what multiplies it.
_BFLOAT16 = {"avx512_bf16", "amx_bf16", "bf16"}
_X86 = {"x86_64", "amd64", "i386", "i686"}

# What keeps libraries from instructions that a processor has, so that a fast one shows what others do:
# oneDNN, which torch and OpenVINO have a copy of each, torch's own kernels, MKL, OpenCV and its IPP, NumPy.
LIMITS = (
    "ONEDNN_MAX_CPU_ISA",
    "ATEN_CPU_CAPABILITY",
    "MKL_ENABLE_INSTRUCTIONS",
    "OPENCV_CPU_DISABLE",
    "OPENCV_IPP",
    "NPY_DISABLE_CPU_FEATURES",
)
# oneDNN's levels, each with those before, as far as they matter here, and the first to allow instructions.
_LEVELS = ("SSE41", "AVX", "AVX2", "AVX2_VNNI", "AVX512_CORE", "AVX512_CORE_VNNI", "AVX512_CORE_BF16")
_FIRST = {
    "avx2": "AVX2",
    "avx_vnni": "AVX2_VNNI",
    "avx512f": "AVX512_CORE",
    "avx512bw": "AVX512_CORE",
    "avx512_vnni": "AVX512_CORE_VNNI",
    "avx512_bf16": "AVX512_CORE_BF16",
}
_ABOVE = ("amx_",)  # allowed by levels above all these only


def library_limits() -> dict[str, str]:
    """Environment variables that keep libraries from instructions, as far as they are set."""
    return {name: os.environ[name] for name in LIMITS if os.environ.get(name)}


def instructions() -> frozenset[str]:
    """What this processor can do and oneDNN may, by the names that Linux or torch have for it."""
    level = os.environ.get("ONEDNN_MAX_CPU_ISA", "").upper()
    found = _instructions(_CPU_INFO)
    if level not in _LEVELS:
        return found
    reached = _LEVELS.index(level)
    barred = {name for name, first in _FIRST.items() if _LEVELS.index(first) > reached}
    return frozenset(name for name in found - barred if not name.startswith(_ABOVE))


@cache
def _instructions(listing: Path) -> frozenset[str]:
    if listing.exists():
        # Not to its end: there is a part for each core, and all say the same.
        with listing.open(encoding="utf-8", errors="replace") as lines:
            return frozenset(next((line for line in lines if line.startswith(_LISTED)), "").split())
    told = read_instructions()
    if told is not None and told.complete:
        return told.names
    import torch

    capabilities: dict[str, object] = getattr(torch.cpu, "get_capabilities", dict)()
    found = frozenset(name for name, there in capabilities.items() if there)
    return found | (told.names if told is not None else frozenset())


def multiplies_bfloat16() -> bool:
    """Whether this processor multiplies bfloat16 in hardware, and may."""
    return not _BFLOAT16.isdisjoint(instructions())


def emulates_bfloat16() -> bool:
    """Whether all libraries can compute with bfloat16 here, however slowly."""
    return not is_x86() or not {"avx512f", "avx512_f"}.isdisjoint(instructions()) or multiplies_bfloat16()


def floating_precision() -> Literal["float32", "bfloat16"]:
    """The default of the two: bfloat16 on x86 with instructions for it, else float32.

    On other processors, such as Apple's, nobody has measured yet how fast it is and how it looks.
    """
    return "bfloat16" if is_x86() and multiplies_bfloat16() else "float32"


def is_x86() -> bool:
    """Whether this is a processor of Intel's or AMD's kind."""
    return platform.machine().lower() in _X86


def instruction_set() -> str:
    """What it computes with, in words: "AVX-512 (VNNI, bfloat16, AMX)", "AVX2"."""
    found = instructions()
    if not is_x86():
        return "ARM with bfloat16" if multiplies_bfloat16() else platform.machine()
    if not {"avx512f", "avx512_f"}.isdisjoint(found):
        parts = {"VNNI": {"avx512_vnni"}, "bfloat16": {"avx512_bf16"}, "AMX": {"amx_int8", "amx_bf16"}}
        there = [name for name, flags in parts.items() if not flags.isdisjoint(found)]
        return f"AVX-512 ({', '.join(there)})" if there else "AVX-512"
    if "avx2" in found:
        return "AVX2 with VNNI" if "avx_vnni" in found else "AVX2"
    return "less than AVX2" if found else "unknown"


def processor_name() -> str:
    """What its maker calls it."""
    if _CPU_INFO.exists():
        with _CPU_INFO.open(encoding="utf-8", errors="replace") as lines:
            for line in lines:
                if line.startswith("model name"):
                    return line.partition(":")[2].strip()
    return read_name() or platform.processor() or platform.machine()


def cores() -> int:
    """Cores that this process may use."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None
    return allowed or os.cpu_count() or 1
