"""What the next frame of a video depends on beside its input, as bytes that outlive the program."""

from __future__ import annotations

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from stylize_live.engine.continuity import Continuity
from stylize_live.engine.shown_style import ShownStyle
from stylize_live.engine.timeline import Mix


def pack_state(shown: ShownStyle, continuity: Continuity) -> bytes:
    """The whole state as bytes; empty before the first frame, and without smoothing."""
    memory = shown.backend.memory
    if not memory:
        return b""
    mix = np.array([shown.mix.first, shown.mix.second, shown.mix.share])
    return save({**memory, **continuity.memory, "mix": mix})


def unpack_state(state: bytes, shown: ShownStyle, continuity: Continuity) -> None:
    """Go on as after `pack_state`. Raises `ValueError`: not a saved state."""
    try:
        arrays = load(state)
        shown.backend.memory = arrays
        first, second, share = arrays["mix"].tolist()
        shown.use(Mix(int(first), int(second), share))
        continuity.memory = arrays
    except (SafetensorError, KeyError, IndexError) as error:
        raise ValueError(f"not a saved state: {error}") from None
