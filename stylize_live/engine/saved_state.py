"""What the next frame of a video depends on beside its input, as bytes that outlive the program."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError
from safetensors.numpy import load, save

from stylize_live.engine.continuity import Continuity
from stylize_live.engine.shown_style import ShownStyle
from stylize_live.engine.timeline import Mix

Arrays = Mapping[str, npt.NDArray[Any]]


def pack_network(shown: ShownStyle, continuity: Continuity) -> Arrays:
    """What a network's next frame depends on; empty before the first frame, and without smoothing."""
    memory = shown.backend.memory
    if not memory:
        return {}
    mix = np.array([shown.mix.first, shown.mix.second, shown.mix.share])
    return {**memory, **continuity.memory, "mix": mix}


def unpack_network(arrays: Arrays, shown: ShownStyle, continuity: Continuity) -> None:
    """Go on as after `pack_network`. Raises `KeyError` or `IndexError`: not what that gave."""
    shown.backend.memory = arrays
    first, second, share = arrays["mix"].tolist()
    shown.use(Mix(int(first), int(second), share))
    continuity.memory = arrays


def with_prefix(prefix: str, arrays: Arrays) -> Arrays:
    """Arrays under longer names, so that those of several parts can lie in one state."""
    return {f"{prefix}.{name}": array for name, array in arrays.items()}


def without_prefix(prefix: str, arrays: Arrays) -> Arrays:
    """Those that `with_prefix` gave, under their own names."""
    return {
        name.removeprefix(f"{prefix}."): array
        for name, array in arrays.items()
        if name.startswith(f"{prefix}.")
    }


def pack_state(arrays: Arrays) -> bytes:
    """The whole state as bytes; empty where there is none."""
    return save(dict(arrays)) if arrays else b""


@contextmanager
def unpacked_state(state: bytes) -> Iterator[Arrays]:
    """What `pack_state` was given. Raises `ValueError`: not a saved state, or what it is used for fails."""
    try:
        yield load(state)
    except (SafetensorError, KeyError, IndexError) as error:
        raise ValueError(f"not a saved state: {error}") from None
