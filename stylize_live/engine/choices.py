"""Which processor, which arithmetic and which runtime to use. Asks torch only where nothing else knows.

Torch takes longer to load than all the rest of a start, and OpenVINO paints without it.
"""

from __future__ import annotations

import ctypes
import sys
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal, get_args

from stylize_live.config import APPLES_GPU, NO_APPLE_GPU, DeviceName, Precision, Runtime
from stylize_live.engine import processor
from stylize_live.engine.trials import ChosenPrecision, ChosenRuntime, Way, has_openvino, milliseconds, ways
from stylize_live.errors import DeviceError
from stylize_live.installing import command_for
from stylize_live.system.gpus import DRIVERS
from stylize_live.wording import option

Device = Literal["cpu", "cuda"]
# Of the time of a more exact way: a less exact one must save more than a twentieth.
_WORTH = 0.95


@dataclass(frozen=True, slots=True)
class Choice:
    """How the network is computed.

    Attributes:
        runtime: what computes it.
        precision: in which arithmetic.
        why: in words.
        speeds: what was measured to choose, milliseconds by runtime and precision; empty where nothing was.
    """

    runtime: ChosenRuntime
    precision: ChosenPrecision
    why: str
    speeds: dict[str, float]


def choose_device_name(name: DeviceName) -> Device:
    """Turn "auto", "cpu" or "cuda" into one of the latter two.

    Raises:
        DeviceError: CUDA was asked for and is not there, or something else, such as Apple's "mps".
    """
    if name == APPLES_GPU:
        raise DeviceError(NO_APPLE_GPU)
    _check_name("device", name, get_args(DeviceName))
    if name == "cpu" or (name == "auto" and not _may_have_gpu()):
        return "cpu"
    import torch

    available = torch.cuda.is_available()
    if name == "cuda" and not available:
        cpu = option("device", "cpu")
        raise DeviceError(f"no CUDA device: use {cpu}, or install a driver and a CUDA build of torch")
    return "cuda" if available else "cpu"


def _may_have_gpu() -> bool:
    if "torch" in sys.modules:
        return True  # it is loaded anyway, and knows
    for driver in DRIVERS:
        with suppress(OSError):
            ctypes.CDLL(driver)
            return True
    return False


def choose(runtime: Runtime, precision: Precision, device: Device) -> Choice:
    """What computes the network, and in which arithmetic.

    "auto" is torch in float16 on a GPU. On a CPU, it is what is fastest here of the ways that look the same,
    by measurement: see `speeds`. Torch is not among them on x86 where OpenVINO is installed, which was
    faster in every precision on each such processor that was tried, and paints without loading it.

    Raises:
        DeviceError: OpenVINO was asked for and is not installed, or is to use a GPU; float16 on a CPU, where
            torch emulates it many times slower; int8 without OpenVINO.
    """
    _check(runtime, precision, device)
    if device == "cuda":
        return Choice("torch", "float16" if precision == "auto" else precision, "a GPU", {})
    tried = [way for way in _asked(runtime, precision) if not _left_out(way, runtime)]
    if len(tried) == 1:
        only = tried[0]
        return Choice(only.runtime, only.precision, _why_only(precision), {})
    speeds = milliseconds(tried)
    best = fastest(speeds) if speeds else tried[0]
    return Choice(
        best.runtime,
        best.precision,
        "fastest here" if speeds else "nothing could be measured",
        {str(way): ms for way, ms in speeds.items()},
    )


def possible(runtime: Runtime, precision: Precision, device: Device) -> list[Way]:
    """All ways that `choose` could ever give for the same arguments on this machine; none on a GPU."""
    return _asked(runtime, precision) if device == "cpu" else []


def fastest(speeds: dict[Way, float]) -> Way:
    """The best of ways in order, the most exact first: a later one has to save a twentieth of the time."""
    best, *others = speeds
    for way in others:
        if speeds[way] < _WORTH * speeds[best]:
            best = way
    return best


def _check_name(what: str, name: str, known: tuple[str, ...]) -> None:
    """The command line has looked already; Python takes any word."""
    if name not in known:
        *others, last = map(repr, known)
        raise DeviceError(f"{what}: expected {', '.join(others)} or {last}, got {name!r}")


def _check(runtime: Runtime, precision: Precision, device: Device) -> None:
    _check_name("runtime", runtime, get_args(Runtime))
    _check_name("precision", precision, get_args(Precision))
    if runtime == "openvino" and not has_openvino():
        torch = option("runtime", "torch")
        raise DeviceError(f"OpenVINO is not installed: {command_for('openvino')}, or use {torch}")
    if runtime == "openvino" and device != "cpu":
        cpu, torch = option("device", "cpu"), option("runtime", "torch")
        raise DeviceError(f"OpenVINO paints on the CPU here: use {cpu}, or {torch}")
    if precision == "float16" and device == "cpu":
        raise DeviceError(f"float16 needs a GPU: use {option('precision', 'bfloat16')} or float32")
    if precision == "int8" and (device != "cpu" or runtime == "torch" or not has_openvino()):
        auto = option("precision", "auto")
        raise DeviceError(f"int8 needs OpenVINO on a CPU: use {auto}, or {command_for('openvino')}")


def _asked(runtime: Runtime, precision: Precision) -> list[Way]:
    """The ways that fit what was asked for; what was asked for in full is taken, however slow it is."""
    runtimes: list[ChosenRuntime] = ["torch", "openvino"] if has_openvino() else ["torch"]
    if runtime != "auto":
        runtimes = [runtime]
    if precision == "int8":
        runtimes = ["openvino"]
    if precision != "auto":
        return [Way(name, precision) for name in runtimes]
    return [way for way in ways() if way.runtime in runtimes]


def _left_out(way: Way, asked: Runtime) -> bool:
    """Whether it is slower than another on every processor of this kind, so that none has to be measured."""
    return way.runtime == "torch" and asked == "auto" and has_openvino() and processor.is_x86()


def _why_only(precision: Precision) -> str:
    return "as asked for" if precision != "auto" else "the only arithmetic that this processor is quick at"
