"""The shipped weights of VGG16 up to relu4_1, in eight bits: a quarter of the size.

steps.<name>   int8, shape of the weight: steps
scale.<name>   float16, (output channels,): size of a step
<name>         float32, a bias

weight = steps * size of a step
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors.numpy import load

from stylize_live.engine.first_look.feature_network import shapes
from stylize_live.nets.quantized_delta import from_steps, to_steps

FILE = Path(__file__).parent / "weights" / "vgg16_relu4_1.safetensors"
_STEPS, _SCALE = "steps.", "scale."


@cache
def load_weights() -> dict[str, npt.NDArray[np.float32]]:
    """Weights and biases, by the names that `feature_network.shapes` has; not to be changed."""
    weights = unpack(load(FILE.read_bytes()))
    assert {name: array.shape for name, array in weights.items()} == shapes()
    return weights


def pack(weights: Mapping[str, npt.NDArray[np.float32]]) -> dict[str, npt.NDArray[Any]]:
    """The tensors of the file, of weights by their names; those of other layers are left out."""
    found: dict[str, npt.NDArray[Any]] = {}
    for name in shapes():
        if name.endswith(".bias"):
            found[name] = weights[name].astype(np.float32)
        else:
            found[_STEPS + name], found[_SCALE + name] = to_steps(weights[name].astype(np.float32))
    return found


def unpack(tensors: Mapping[str, npt.NDArray[Any]]) -> dict[str, npt.NDArray[np.float32]]:
    """The inverse of `pack`."""
    return {
        name: tensors[name]
        if name.endswith(".bias")
        else from_steps(tensors[_STEPS + name], tensors[_SCALE + name])
        for name in shapes()
    }
