"""The network computed in every way that this machine has, to see which is the fastest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Literal

import numpy as np

from stylize_live.engine import processor, speeds

if TYPE_CHECKING:
    from stylize_live.engine.backend import CpuBackend
    from stylize_live.engine.openvino import OpenVinoBackend
    from stylize_live.nets.checkpoint import Checkpoint

ChosenPrecision = Literal["float32", "bfloat16", "float16", "int8"]
ChosenRuntime = Literal["torch", "openvino"]

WIDTH, HEIGHT = 480, 270  # of the picture that is painted


@dataclass(frozen=True, slots=True)
class Way:
    """How a network can be computed on a CPU.

    Attributes:
        runtime: what computes it.
        precision: in which arithmetic; "int8" is for most convolutions, the rest is as `beside` says.
    """

    runtime: ChosenRuntime
    precision: ChosenPrecision

    def __str__(self) -> str:
        return f"{self.runtime} {self.precision}"


def ways() -> list[Way]:
    """What can be computed here, the most exact first and torch before OpenVINO.

    Whatever a processor does not have it emulates, many times slower, so that it is not even tried:
    bfloat16 without instructions for it. That and eight bits are tried on x86 alone.
    """
    precisions: list[ChosenPrecision] = ["float32"]
    precisions += ["bfloat16"] if processor.floating_precision() == "bfloat16" else []
    found = [Way("torch", precision) for precision in precisions]
    if has_openvino():
        found += [Way("openvino", precision) for precision in precisions]
        found += [Way("openvino", "int8")] if processor.is_x86() else []
    return found


def has_openvino() -> bool:
    """Whether OpenVINO is installed."""
    return find_spec("openvino") is not None


def milliseconds(tried: list[Way]) -> dict[Way, float]:
    """What a picture of 480x270 takes in these ways; those that failed are left out."""
    found: dict[Way, float] = {}
    for runtime in ("torch", "openvino"):  # each by itself: asking for one does not load the other
        names = {str(way): way for way in tried if way.runtime == runtime}
        if names:
            trials = {name: _trial(way) for name, way in names.items()}
            found |= {names[name]: ms for name, ms in speeds.measured(f"{runtime}, 480x270", trials).items()}
    return found


def _trial(way: Way) -> speeds.Trial:
    def ready() -> Callable[[], object]:
        from stylize_live.nets.checkpoint import load_checkpoint
        from stylize_live.nets.folders import BASE

        backend = host_backend(way, load_checkpoint(BASE))
        # Noise: nothing in it is cheaper than in a picture, unlike in a plain one.
        pixels = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
        return lambda: backend.painted(pixels)

    return ready


def host_backend(way: Way, checkpoint: Checkpoint) -> CpuBackend | OpenVinoBackend:
    """What computes a network in a way on a CPU."""
    # Only what is needed: each loads a runtime.
    if way.runtime == "openvino":
        from stylize_live.engine.openvino import OpenVinoBackend

        return OpenVinoBackend(checkpoint, way.precision)
    from stylize_live.engine.backend import CpuBackend

    return CpuBackend(checkpoint, way.precision)
