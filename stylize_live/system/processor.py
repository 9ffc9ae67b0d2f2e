"""What the system tells of its processor, on systems without Linux's list of instructions."""

from __future__ import annotations

import ctypes
import importlib
import platform
import sys
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from stylize_live.system.native import load_library, load_windows_library

# Of Windows' winnt.h, with Linux' names.
_WINDOWS = {"avx": 39, "avx2": 40, "avx512f": 41}
_REGISTERED = r"HARDWARE\DESCRIPTION\System\CentralProcessor\0"
# What AMD's processors with AVX-512 have all of, from the first; Windows does not tell.
_AMD_AVX512 = {"avx512bw", "avx512_vnni", "avx512_bf16"}
# Of macOS' sysctl, with Linux' names.
_MACOS = {
    "hw.optional.AdvSIMD": "asimd",
    "hw.optional.arm.FEAT_I8MM": "i8mm",
    "hw.optional.arm.FEAT_BF16": "bf16",
}
_MACOS_NAME = "machdep.cpu.brand_string"
_LONGEST_NAME = 256


@dataclass(frozen=True, slots=True)
class InstructionSet:
    """What a processor can do, as its system tells.

    Attributes:
        names: of instructions, as Linux has them.
        complete: whether none is missing of those that multiply bfloat16.
    """

    names: frozenset[str]
    complete: bool


def read_instructions() -> InstructionSet | None:
    """What Windows and macOS tell; None on other systems, and where they do not answer."""
    if sys.platform == "win32":
        return _by_windows(load_windows_library("kernel32"))
    if sys.platform == "darwin":
        return _by_macos(load_library(None))
    return None


def read_name() -> str:
    """What the maker of this processor calls it, as Windows and macOS tell; "" where nobody does."""
    if sys.platform == "win32":
        return _read_registered_name()
    if sys.platform == "darwin":
        return (_ask(load_library(None), _MACOS_NAME) or b"").rstrip(b"\0").decode(errors="replace").strip()
    return ""


def _by_windows(kernel: Any) -> InstructionSet | None:
    ask = getattr(kernel, "IsProcessorFeaturePresent", None)
    if ask is None:
        return None
    names = {name for name, number in _WINDOWS.items() if ask(number)}
    if "avx512f" not in names:
        return InstructionSet(frozenset(names), complete=True)  # on x86, bfloat16 came after
    if "AuthenticAMD" in platform.processor():
        return InstructionSet(frozenset(names | _AMD_AVX512), complete=True)
    return InstructionSet(frozenset(names), complete=False)


def _by_macos(system: Any) -> InstructionSet | None:
    answers = {name: _ask(system, key) for key, name in _MACOS.items()}
    if not any(answers.values()):
        return None
    return InstructionSet(
        frozenset(name for name, answer in answers.items() if any(answer or b"")), complete=True
    )


def _ask(system: Any, key: str) -> bytes | None:
    """What macOS has under a key, in bytes; None where there is none."""
    value, size = ctypes.create_string_buffer(_LONGEST_NAME), ctypes.c_size_t(_LONGEST_NAME)
    try:
        failed = system.sysctlbyname(key.encode(), value, ctypes.byref(size), None, ctypes.c_size_t(0))
    except AttributeError:
        return None
    return None if failed else value.raw[: size.value]


def _read_registered_name() -> str:
    with suppress(ImportError, OSError):
        registry: Any = importlib.import_module("winreg")  # not there for mypy on other systems
        with registry.OpenKey(registry.HKEY_LOCAL_MACHINE, _REGISTERED) as key:
            return str(registry.QueryValueEx(key, "ProcessorNameString")[0]).strip()
    return ""
