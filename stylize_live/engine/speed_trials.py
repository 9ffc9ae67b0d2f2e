"""The network computed in every way that this machine has, to see which is the fastest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import numpy as np

from stylize_live.engine import speed_cache
from stylize_live.engine.cpu import features
from stylize_live.engine.cpu.base import CpuBackend
from stylize_live.engine.runtimes import RUNTIMES, ChosenPrecision, Device, make_backend

WIDTH, HEIGHT = 480, 270  # of the image that is painted


@dataclass(frozen=True, slots=True)
class Way:
    """How a network can be computed.

    Attributes:
        runtime: what computes it.
        precision: in which arithmetic; "int8" is for most convolutions, all else is in
            what `features.floating_precision` says.
    """

    runtime: str
    precision: ChosenPrecision

    def __str__(self) -> str:
        return f"{self.runtime} {self.precision}"


def available_ways(device: Device = "cpu") -> list[Way]:
    """What can be computed here, in the order of the table of runtimes, the most exact first.

    Whatever a processor does not have it emulates, many times slower, so that it is not even tried:
    bfloat16 without instructions for it. That and eight bits are tried on x86 alone.
    """
    return [
        Way(spec.name, precision)
        for spec in RUNTIMES.values()
        if spec.is_installed
        for precision in spec.precisions(device)
        if device != "cpu" or _is_quick(precision)
    ]


def _is_quick(precision: ChosenPrecision) -> bool:
    """Whether this processor may be quick at a precision."""
    if precision == "bfloat16":
        return features.floating_precision() == "bfloat16"
    return precision != "int8" or features.is_x86()


def measure_ways(tried: list[Way]) -> dict[Way, float]:
    """What an image of 480x270 takes in these ways; those that failed are left out."""
    found: dict[Way, float] = {}
    for runtime in RUNTIMES:  # each by itself: asking for one does not load the other
        names = {str(way): way for way in tried if way.runtime == runtime}
        if names:
            trials = {name: _trial(way) for name, way in names.items()}
            found |= {
                names[name]: ms
                for name, ms in speed_cache.measure_once(f"{runtime}, 480x270", trials).items()
            }
    return found


def _trial(way: Way) -> speed_cache.Trial:
    def ready() -> Callable[[], object]:
        from stylize_live.nets.checkpoint import load_checkpoint
        from stylize_live.nets.style_folders import BASE

        made = make_backend(way.runtime, "cpu", way.precision, load_checkpoint(BASE))
        backend = cast("CpuBackend", made)
        # Noise: nothing in it is cheaper than in an image, unlike in a plain one.
        pixels = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
        return lambda: backend.run_network(pixels)

    return ready
