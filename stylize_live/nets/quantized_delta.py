"""The second end of a style in its file: the difference from the first, in eight bits, a third of its size.

A style may hold two ends of one training run: `Checkpoint.weights`, the bold one, and one from early on,
which keeps closer to the image. They lie near each other, so that of their difference eight bits a weight
are enough: each output channel of a convolution has a scale of its own, all other tensors one each.

    faithful.<name>        int8, shape of the weight: steps
    faithful_scale.<name>  float16, (output channels,) or (1,): size of a step

    faithful weight = bold weight + step * size of a step
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

STEPS, SCALE = "faithful.", "faithful_scale."
_MOST = 127  # steps; -128 has no counterpart

_Array = npt.NDArray[np.float32]


def shapes_of_steps(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, tuple[int, ...]]:
    """Names in the file and shapes of the steps, from the names and shapes of weights."""
    return {STEPS + name: shape for name, shape in shapes.items()}


def shapes_of_scales(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, tuple[int, ...]]:
    """Names in the file and shapes of the sizes of steps, likewise."""
    return {SCALE + name: (shape[0],) if len(shape) > 1 else (1,) for name, shape in shapes.items()}


def to_steps(weight: _Array) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.float16]]:
    """A weight in eight bits: its steps, and the size of a step for each output channel.

    Args:
        weight: one axis, which has one size of a step, or more, of which the first is that of the channels.
    """
    rows = weight.reshape(len(weight) if weight.ndim > 1 else 1, -1)
    scale = (np.abs(rows).max(1) / _MOST).astype(np.float16)
    size = np.where(scale > 0, scale, 1).astype(np.float32)[:, None]
    steps = np.clip(np.rint(rows / size), -_MOST, _MOST)
    return np.ascontiguousarray(steps.reshape(weight.shape), np.int8), scale


def from_steps(steps: npt.NDArray[Any], scale: npt.NDArray[Any]) -> _Array:
    """The inverse of `to_steps`."""
    size = np.asarray(scale, np.float32).reshape(-1, *[1] * (steps.ndim - 1))
    return np.asarray(steps, np.float32) * size


def pack_delta(bold: Mapping[str, _Array], faithful: Mapping[str, _Array]) -> dict[str, npt.NDArray[Any]]:
    """The tensors of a file that say how a faithful end differs from a bold one.

    Args:
        bold: tensor name -> float32 array, as reading the file gives it.
        faithful: the same names and shapes.
    """
    found: dict[str, npt.NDArray[Any]] = {}
    for name, weight in bold.items():
        found[STEPS + name], found[SCALE + name] = to_steps(faithful[name] - weight)
    return found


def unpack_delta(bold: Mapping[str, _Array], tensors: Mapping[str, _Array]) -> dict[str, _Array]:
    """The inverse of `pack_delta`: the faithful end's weights, tensor name -> float32 array."""
    return {
        name: weight + from_steps(tensors[STEPS + name], tensors[SCALE + name])
        for name, weight in bold.items()
    }
