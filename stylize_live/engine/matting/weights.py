"""The shipped weights of the network that finds people."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.resources import files
from typing import Literal

import numpy as np
import numpy.typing as npt
from safetensors.numpy import load

from stylize_live.engine.matting.network import shapes

Shape = Literal["square", "landscape"]  # of the images that weights were trained with
Weights = dict[str, npt.NDArray[np.float32]]


@cache
def load_weights(shape: Shape) -> Weights:
    """Weights and biases, by the names that `network.shapes` has; not to be changed."""
    weights = {name: array.astype(np.float32) for name, array in load(_read(shape)).items()}
    assert {name: array.shape for name, array in weights.items()} == shapes()
    return weights


@cache
def digest(shape: Shape) -> str:
    """Names a set of weights."""
    return hashlib.sha256(_read(shape)).hexdigest()


def _read(shape: Shape) -> bytes:
    return (files("stylize_live.engine.matting") / "weights" / f"{shape}.safetensors").read_bytes()
