"""What can compute the network: a runtime is a file with a backend, and a line of the table here.

All that depends on runtimes asks the table: what may be chosen, what is measured, what is refused and why.
Nothing of a runtime is imported before it paints.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from stylize_live.engine.core.protocols import Backend
    from stylize_live.nets.checkpoint import Checkpoint

Device = Literal["cpu", "cuda"]
ChosenPrecision = Literal["float32", "bfloat16", "float16", "int8"]


@dataclass(frozen=True, slots=True)
class Support:
    """What a runtime can do on one device.

    Attributes:
        precisions: the most exact first, float32 among them. Whether this processor is quick at them is
            found out elsewhere, see `speed_trials.available_ways`.
        backend: "module:class". The class takes a `Checkpoint` and a precision and is a `Backend`; on a CPU
            a `CpuBackend`.
    """

    precisions: tuple[ChosenPrecision, ...]
    backend: str


@dataclass(frozen=True, slots=True)
class RuntimeSpec:
    """A runtime that may be asked for.

    Attributes:
        name: as it is asked for.
        title: its name in sentences.
        on: what it can do, by device.
        package: what it needs, as Python and a package index call it; "" is nothing.
        outrun_by: name of a runtime that was faster in every precision on each x86 processor that was tried.
        is_automatic: whether "auto" may choose it. One on trial, which may paint otherwise, has to be asked
            for by name, however quick it is.
    """

    name: str
    title: str
    on: Mapping[Device, Support]
    package: str = ""
    outrun_by: str = ""
    is_automatic: bool = True

    def precisions(self, device: Device) -> tuple[ChosenPrecision, ...]:
        """What it computes in on a device; nothing where it does not paint."""
        return self.on[device].precisions if device in self.on else ()

    @property
    def is_installed(self) -> bool:
        """Whether its package is there."""
        return not self.package or has_package(self.package)


# In the order in which they are tried. `Runtime` in config.py names them, too.
_TABLE = (
    RuntimeSpec(
        "torch",
        "torch",
        {
            "cpu": Support(("float32", "bfloat16"), "stylize_live.engine.cpu.torch_backend:TorchCpuBackend"),
            "cuda": Support(
                ("float32", "bfloat16", "float16"), "stylize_live.engine.cuda.backend:CudaBackend"
            ),
        },
        package="torch",
        outrun_by="openvino",
    ),
    RuntimeSpec(
        "openvino",
        "OpenVINO",
        {
            "cpu": Support(
                ("float32", "bfloat16", "int8"), "stylize_live.engine.cpu.openvino_backend:OpenVinoBackend"
            )
        },
        package="openvino",
    ),
)
RUNTIMES: dict[str, RuntimeSpec] = {spec.name: spec for spec in _TABLE}


def has_package(name: str) -> bool:
    """Whether a package is installed; it is not loaded."""
    return find_spec(name) is not None


def is_installed(name: str) -> bool:
    """Whether a runtime is there to be used."""
    return name in RUNTIMES and RUNTIMES[name].is_installed


def list_packages() -> list[str]:
    """The packages that runtimes need, installed or not."""
    return [spec.package for spec in RUNTIMES.values() if spec.package]


def make_backend(runtime: str, device: Device, precision: str, checkpoint: Checkpoint) -> Backend:
    """A backend that paints a style; loads its runtime, and no other."""
    backend: Callable[[Checkpoint, str], Backend] = resolve_name(RUNTIMES[runtime].on[device].backend)
    return backend(checkpoint, precision)
