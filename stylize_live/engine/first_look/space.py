"""Where paintings are among others: what is predicted for them is predicted from that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from stylize_live.engine.first_look.description import Array, Description
from stylize_live.nets.quantized_delta import from_steps, to_steps

MOST_DEVIATIONS = 4.0  # from the usual painting: beyond, nothing was learnt
_LARGE = 10_000  # numbers
_STEPS, _SCALE = "steps.", "scale."  # before the names of what is kept in eight bits


@dataclass(frozen=True, slots=True)
class Space:
    """Where paintings are among others. All arrays float32; D is 1920, K the directions.

    Attributes:
        mean, axes: (D,) and (D, K): what is taken from features, and the directions they are seen along.
        color_mean, color_scale: (12,), likewise of colors.
    """

    mean: Array
    axes: Array
    color_mean: Array
    color_scale: Array

    def place(self, description: Description) -> Array:
        """(K + 12,): where a painting is, about -1 to 1 along each axis."""
        texture = (description.features - self.mean) @ self.axes
        colors = (description.colors - self.color_mean) / self.color_scale
        at = np.concatenate([texture, colors])
        return np.asarray(at.clip(-MOST_DEVIATIONS, MOST_DEVIATIONS), np.float32)


def pack(arrays: Mapping[str, Array]) -> dict[str, npt.NDArray[Any]]:
    """As files have them: large tables in eight bits with a scale for each row, small ones in float16."""
    found: dict[str, npt.NDArray[Any]] = {}
    for name, array in arrays.items():
        if array.ndim > 1 and array.size > _LARGE:
            found[_STEPS + name], found[_SCALE + name] = to_steps(array)
        else:
            found[name] = np.ascontiguousarray(array, np.float16 if array.ndim > 1 else np.float32)
    return found


def unpack(stored: Mapping[str, npt.NDArray[Any]]) -> dict[str, Array]:
    """The inverse of `pack`, all in float32."""
    return {
        name.removeprefix(_STEPS): from_steps(array, stored[name.replace(_STEPS, _SCALE, 1)])
        if name.startswith(_STEPS)
        else array.astype(np.float32)
        for name, array in stored.items()
        if not name.startswith(_SCALE)
    }
