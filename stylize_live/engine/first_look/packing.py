"""Tables in eight bits, a quarter of their size, as the files of the first look have them.

steps.<name>   int8, shape of the table: steps
scale.<name>   float16, (rows,): size of a step
<name>         what is small, as it is

table = steps * size of a step
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from stylize_live.nets.quantized_delta import from_steps, to_steps

LARGE = 10_000  # numbers in a table, from where on bytes count
_STEPS, _SCALE = "steps.", "scale."


def pack(
    arrays: Mapping[str, npt.NDArray[np.float32]], *, larger_than: int = 0
) -> dict[str, npt.NDArray[Any]]:
    """The tensors of a file.

    Args:
        arrays: by name.
        larger_than: numbers in a table that is packed; smaller ones are in float16, vectors in float32.
    """
    found: dict[str, npt.NDArray[Any]] = {}
    for name, array in arrays.items():
        if array.ndim > 1 and array.size > larger_than:
            found[_STEPS + name], found[_SCALE + name] = to_steps(array.astype(np.float32))
        else:
            found[name] = np.ascontiguousarray(array, np.float16 if array.ndim > 1 else np.float32)
    return found


def unpack(stored: Mapping[str, npt.NDArray[Any]]) -> dict[str, npt.NDArray[np.float32]]:
    """The inverse of `pack`, all in float32."""
    return {
        name.removeprefix(_STEPS): from_steps(array, stored[_SCALE + name.removeprefix(_STEPS)])
        if name.startswith(_STEPS)
        else array.astype(np.float32)
        for name, array in stored.items()
        if not name.startswith(_SCALE)
    }
