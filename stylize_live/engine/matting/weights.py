"""The shipped weights of the network that finds people."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.resources import files

import numpy as np
from safetensors.numpy import load

from stylize_live.engine.matting.network import shapes
from stylize_live.engine.operations.records import Weights


@cache
def load_weights() -> Weights:
    """Weights and biases, by the names that `network.shapes` has; not to be changed."""
    weights = {name: array.astype(np.float32) for name, array in load(_read()).items()}
    assert {name: array.shape for name, array in weights.items()} == shapes()
    return weights


@cache
def digest() -> str:
    """Names them."""
    return hashlib.sha256(_read()).hexdigest()


def _read() -> bytes:
    return (files("stylize_live.engine.matting") / "weights" / "person.safetensors").read_bytes()
