"""The shipped networks mixed as a recipe says, layer by layer, at both ends of their boldness.

All were trained from one base, so that weights can be mixed: deep network interpolation, see
`Checkpoint.at`.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from stylize_live.engine.first_look.predictor import Recipe
from stylize_live.nets.architecture import Architecture
from stylize_live.nets.checkpoint import Checkpoint, Weights, load_checkpoint
from stylize_live.nets.style_folders import WEIGHTS


def mix(recipe: Recipe) -> tuple[Architecture, Weights, Weights]:
    """The network of a recipe: its architecture, and the weights of the bold end and of the faithful one."""
    ends: tuple[Weights, Weights] = ({}, {})
    for number, checkpoint in enumerate(_load_all(recipe.styles)):
        shares = dict(zip(recipe.layers, recipe.shares[:, number], strict=True))
        for sums, weights in zip(ends, (checkpoint.weights, checkpoint.faithful), strict=True):
            assert weights is not None
            _add(sums, weights, shares, 1 / len(recipe.styles))
        architecture = checkpoint.architecture
    for weights in ends:
        _map_colors(weights, architecture, recipe)
    return architecture, *ends


def layer_of(name: str) -> str:
    """The layer that a weight belongs to, "" for what belongs to none."""
    return name.rpartition(".")[0]


def _load_all(names: Iterable[str]) -> Iterable[Checkpoint]:
    """One after the other: together they would take 70 MB."""
    return (load_checkpoint(WEIGHTS / f"{name}.safetensors") for name in names)


def _add(sums: Weights, weights: Weights, shares: dict[str, float], usual: float) -> None:
    for name, array in weights.items():
        part = np.float32(shares.get(layer_of(name), usual)) * array
        sums[name] = sums[name] + part if name in sums else part


def _map_colors(weights: Weights, architecture: Architecture, recipe: Recipe) -> None:
    """Fold the map of colors into the last layer, in place."""
    head = architecture.layout().head
    weights[head.kernel] = np.einsum("ij,jkhw->ikhw", recipe.matrix, weights[head.kernel])
    weights[head.bias] = recipe.matrix @ weights[head.bias] + recipe.shift
