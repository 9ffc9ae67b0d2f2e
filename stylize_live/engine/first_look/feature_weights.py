"""The shipped weights of VGG16 up to relu4_1, in eight bits: see `packing`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors.numpy import load

from stylize_live.engine.first_look import packing
from stylize_live.engine.first_look.feature_network import shapes

FILE = Path(__file__).parent / "weights" / "vgg16_relu4_1.safetensors"


@cache
def load_weights() -> dict[str, npt.NDArray[np.float32]]:
    """Weights and biases, by the names that `feature_network.shapes` has; not to be changed."""
    weights = packing.unpack(load(FILE.read_bytes()))
    assert {name: array.shape for name, array in weights.items()} == shapes()
    return weights


def pack(weights: Mapping[str, npt.NDArray[np.float32]]) -> dict[str, npt.NDArray[Any]]:
    """The tensors of the file, of weights by their names; those of other layers are left out."""
    return packing.pack({name: weights[name] for name in shapes()})
