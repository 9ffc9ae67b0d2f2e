"""From what a painting looks like to how the shipped networks are mixed for it.

The predictor is small: distances to the paintings of the shipped styles say which of them are near. A linear
and a hidden layer may add to that, layer by layer of the network; `training/first_look.py` trains them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from safetensors import safe_open
from safetensors.numpy import save

from stylize_live.engine.first_look.colors import match_colors
from stylize_live.engine.first_look.description import Array, Description
from stylize_live.engine.first_look.space import Space, silu

FILE = Path(__file__).parent / "weights" / "predictor.safetensors"
COLORS = 12  # numbers of the map of colors: a 3x3 matrix and a shift
_NAMES = ("styles", "layers")  # of what is in its metadata


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a style is made of the shipped ones.

    Attributes:
        styles: their names.
        layers: of the network, by the names of their weights up to the last dot.
        shares: (layers, styles) float32, each row's sum is 1; some are negative.
        nearness: (styles,) float32, sum 1: how near each one's painting is.
        matrix, shift: (3, 3) and (3,) float32: what becomes of the last layer's three values.
    """

    styles: tuple[str, ...]
    layers: tuple[str, ...]
    shares: Array
    nearness: Array
    matrix: Array
    shift: Array


@dataclass(frozen=True, slots=True)
class Predictor(Space):
    """Gives recipes. All arrays float32; D is 1920, K the directions, n = K + 12, m = layers * styles + 12.

    Attributes:
        styles, layers: see `Recipe`.
        gallery: (styles, n): where the shipped styles' paintings are.
        metric, preference: (n,) and (styles,): how much distances count, and which styles suit most.
        linear, hidden, hidden_bias, output, bias: (m, n), (h, n), (h,), (m, h), (m,): what is added.
        painted_mean, painted_covariance: (styles, 3) and (styles, 9) of the logits of what the styles paint,
            by which colors are matched; None where `linear` and the others predict them.
    """

    styles: tuple[str, ...]
    layers: tuple[str, ...]
    gallery: Array
    metric: Array
    preference: Array
    linear: Array
    hidden: Array
    hidden_bias: Array
    output: Array
    bias: Array
    painted_mean: Array | None = None
    painted_covariance: Array | None = None

    def __call__(self, description: Description) -> Recipe:
        """How to mix for a painting."""
        at = self.place(description)
        nearness = _softmax(self.preference - np.square(at - self.gallery) @ self.metric)
        inner = self.hidden @ at + self.hidden_bias
        moved = self.linear @ at + self.output @ silu(inner) + self.bias
        added = moved[:-COLORS].reshape(len(self.layers), len(self.styles))
        # What is added to all of a layer moves it from the mean of all styles: so sums are 1 again.
        shares = nearness + added - added.mean(1, keepdims=True)
        matrix, shift = np.eye(3, dtype=np.float32) + moved[-COLORS:-3].reshape(3, 3), moved[-3:]
        if self.painted_mean is not None and self.painted_covariance is not None:
            painted = nearness @ self.painted_mean, (nearness @ self.painted_covariance).reshape(3, 3)
            matched = match_colors(description.colors, *painted)
            matrix, shift = (part.astype(np.float32) for part in matched)
        return Recipe(self.styles, self.layers, shares, nearness, matrix, shift)


def load_predictor() -> Predictor:
    """The shipped one."""
    with safe_open(FILE, framework="numpy") as file:
        styles, layers = (tuple(json.loads(file.metadata()[key])) for key in _NAMES)
        arrays = {key: file.get_tensor(key).astype(np.float32) for key in file.keys()}  # noqa: SIM118
    return Predictor(styles=styles, layers=layers, **arrays)


def save_predictor(path: Path, predictor: Predictor, about: Mapping[str, str]) -> None:
    """Write a file of weights; large tables in float16.

    Args:
        path: written anew.
        predictor: what is written.
        about: more for its metadata.
    """
    values = {one.name: getattr(predictor, one.name) for one in fields(predictor)}
    names = {key: json.dumps(values.pop(key)) for key in _NAMES}
    arrays = {
        key: np.ascontiguousarray(array, np.float16 if array.ndim > 1 else np.float32)
        for key, array in values.items()
        if array is not None
    }
    path.write_bytes(save(arrays, {**about, **names}))


def _softmax(values: Array) -> Array:
    powers = np.exp(values - values.max())
    return np.asarray(powers / powers.sum())
