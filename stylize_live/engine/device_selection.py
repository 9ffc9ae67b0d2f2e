"""Which processor, which arithmetic and which runtime to use. Asks torch only where nothing else knows.

Torch takes longer to load than all the rest of a start, and OpenVINO paints without it.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import get_args

from stylize_live.config import DeviceName, Precision, Runtime, explain_device, gpu_numbers
from stylize_live.engine.cpu import features
from stylize_live.engine.runtimes import RUNTIMES, ChosenPrecision, Device, RuntimeSpec, is_installed
from stylize_live.engine.speed_trials import Way, available_ways, measure_ways
from stylize_live.errors import DeviceError
from stylize_live.install_hints import install_command
from stylize_live.system.gpus import DRIVERS
from stylize_live.wording import option

_PLACES: dict[Device, str] = {"cpu": "the CPU", "cuda": "a GPU"}
# Of the time of a more exact way: a less exact one must save more than a twentieth.
_WORTH = 0.95


@dataclass(frozen=True, slots=True)
class ComputeChoice:
    """How the network is computed.

    Attributes:
        runtime: what computes it.
        precision: in which arithmetic.
        why: in words.
        speeds: what was measured to choose, milliseconds by runtime and precision; empty where nothing was.
    """

    runtime: str
    precision: ChosenPrecision
    why: str
    speeds: dict[str, float]


def choose_device_name(name: DeviceName) -> Device:
    """Turn the name of a device into "cpu" or "cuda"; which GPU, `choose_gpu` tells.

    Raises:
        DeviceError: CUDA was asked for and is not there, several GPUs were, or something else, such as
            Apple's "mps".
    """
    if why := explain_device(name):
        raise DeviceError(why)
    if name == "cpu" or (name == "auto" and not _may_have_gpu()):
        return "cpu"
    import torch

    available = torch.cuda.is_available()
    if name not in ("auto", "cuda"):
        choose_gpu(name)
    if name != "auto" and not available:
        cpu = option("device", "cpu")
        raise DeviceError(f"no CUDA device: use {cpu}, or install a driver and a CUDA build of torch")
    return "cuda" if available else "cpu"


def choose_gpu(name: DeviceName) -> int | None:
    """The number of the one GPU that a device's name means; None where it leaves that open.

    Raises:
        DeviceError: there is no such GPU, or the name means several.
    """
    devices = devices_of(name)
    if len(devices) > 1:
        first = option("device", devices[0])
        raise DeviceError(
            f"{option('device', name)}: several devices are for convert; {first} is one of them"
        )
    numbers = gpu_numbers(devices[0])
    return numbers[0] if numbers else None


def devices_of(name: DeviceName) -> list[str]:
    """The single devices that a name means: "cuda:0" and "cuda:1" for "cuda:0,1"; most names mean one.

    Raises:
        DeviceError: there is no such GPU.
    """
    asked = gpu_numbers(name)
    if not asked and name != "cuda:all":
        return [name]
    import torch

    there = torch.cuda.device_count()
    if not there:
        return ["cuda"]  # whose lack is told where it is asked for
    if missing := [number for number in asked if number >= there]:
        numbers = ", ".join(f"cuda:{number}" for number in range(there))
        raise DeviceError(f"{option('device', name)}: there is no GPU {missing[0]}, only {numbers}")
    return [f"cuda:{number}" for number in asked or range(there)]


@contextmanager
def on_gpu(number: int | None) -> Iterator[None]:
    """Whatever asks for a GPU gets this one meanwhile, and with streams made here ever after."""
    if number is None:
        yield
        return
    import torch

    with torch.cuda.device(number):
        yield


def _may_have_gpu() -> bool:
    if "torch" in sys.modules:
        return True  # it is loaded anyway, and knows
    for driver in DRIVERS:
        with suppress(OSError):
            ctypes.CDLL(driver)
            return True
    return False


def choose(runtime: Runtime, precision: Precision, device: Device) -> ComputeChoice:
    """What computes the network, and in which arithmetic.

    "auto" is float16 on a GPU. On a CPU, it is the fastest here of the ways whose images look the
    same, by measurement: see `measure_ways`. What another one outruns on x86 is not among them there, so
    that torch is not loaded where OpenVINO is installed.

    Raises:
        DeviceError: an unknown name; a runtime that is not installed or does not paint on the device; a
            precision that it does not have there, such as float16 on a CPU, where torch emulates it many
            times slower, or int8 without OpenVINO.
    """
    _check(runtime, precision, device)
    if device == "cuda":
        first = _find_runtimes(runtime, precision, device)[0]
        return ComputeChoice(first.name, "float16" if precision == "auto" else precision, "a GPU", {})
    tried = [way for way in _requested_ways(runtime, precision) if not _is_left_out(way, runtime)]
    if len(tried) == 1:
        only = tried[0]
        return ComputeChoice(only.runtime, only.precision, _why_only(precision), {})
    speeds = measure_ways(tried)
    best = select_fastest(speeds) if speeds else tried[0]
    return ComputeChoice(
        best.runtime,
        best.precision,
        "fastest here" if speeds else "nothing could be measured",
        {str(way): ms for way, ms in speeds.items()},
    )


def list_possible_ways(runtime: Runtime, precision: Precision, device: Device) -> list[Way]:
    """All ways that `choose` could ever give for the same arguments on this machine; none on a GPU."""
    return _requested_ways(runtime, precision) if device == "cpu" else []


def select_fastest(speeds: dict[Way, float]) -> Way:
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
    _check_name("runtime", runtime, ("auto", *RUNTIMES))
    _check_name("precision", precision, get_args(Precision))
    if runtime != "auto":
        _check_runtime(RUNTIMES[runtime], device)
    if not _find_runtimes(runtime, precision, device):
        raise _explain_lack(precision)


def _check_runtime(asked: RuntimeSpec, device: Device) -> None:
    instead = option("runtime", "torch")
    if not asked.is_installed:
        raise DeviceError(
            f"{asked.title} is not installed: {install_command(asked.package)}, or use {instead}"
        )
    if device not in asked.on:
        there = next(iter(asked.on))
        use = option("device", there)
        raise DeviceError(f"{asked.title} paints on {_PLACES[there]} here: use {use}, or {instead}")


def _find_runtimes(runtime: Runtime, precision: Precision, device: Device) -> list[RuntimeSpec]:
    """The installed runtimes that fit what was asked for."""
    return [
        spec
        for spec in RUNTIMES.values()
        if (spec.is_automatic if runtime == "auto" else runtime == spec.name)
        and spec.is_installed
        and device in spec.on
        and precision in ("auto", *spec.precisions(device))
    ]


def _explain_lack(precision: Precision) -> DeviceError:
    """Why nothing that was asked for computes in this precision."""
    able = [spec for spec in RUNTIMES.values() if precision in spec.precisions("cpu")]
    if not able:
        return DeviceError(f"{precision} needs a GPU: use {option('precision', 'bfloat16')} or float32")
    missing = [spec.package for spec in able if not spec.is_installed]
    instead = install_command(*missing) if missing else option("runtime", able[0].name)
    needed = " or ".join(spec.title for spec in able)
    return DeviceError(
        f"{precision} needs {needed} on a CPU: use {option('precision', 'auto')}, or {instead}"
    )


def _requested_ways(runtime: Runtime, precision: Precision) -> list[Way]:
    """The ways that fit what was asked for; what was asked for in full is taken, however slow it is."""
    names = [spec.name for spec in _find_runtimes(runtime, precision, "cpu")]
    if precision != "auto":
        return [Way(name, precision) for name in names]
    return [way for way in available_ways() if way.runtime in names]


def _is_left_out(way: Way, asked: Runtime) -> bool:
    """Whether it is slower than another on every processor of this kind, so that none has to be measured."""
    return asked == "auto" and is_installed(RUNTIMES[way.runtime].outrun_by) and features.is_x86()


def _why_only(precision: Precision) -> str:
    return "as asked for" if precision != "auto" else "the only arithmetic that this processor is quick at"
