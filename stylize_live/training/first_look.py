"""What learns to take a first look: it predicts from a painting how to mix the shipped networks.

`engine/first_look/predictor.py` computes the same in NumPy, of what `export_predictor` gives. That few
numbers, predicted from a painting, are a style: Ghiasi et al., BMVC 2017 (arXiv:1705.06830). There they are
the norms' scales and shifts; here the shares of each shipped style in each layer, and a map of colors.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from stylize_live.engine.first_look.description import Array
from stylize_live.engine.first_look.mixture import layer_of
from stylize_live.engine.first_look.predictor import COLORS, Predictor
from stylize_live.engine.first_look.space import MOST_DEVIATIONS
from stylize_live.nets.architecture import Architecture
from stylize_live.nets.catalogue import style_path
from stylize_live.nets.checkpoint import load_checkpoint
from stylize_live.nets.style_folders import shipped_names
from stylize_live.options import DEFAULT_BOLDNESS
from stylize_live.training.callbacks import build_network
from stylize_live.training.color_match import logits

_DIRECTIONS = 40  # that textures are described along
_HIDDEN = 96  # of the hidden layer
_LEAST_SCALE = 1e-3  # of colors
_SHARPNESS = 3.0  # of nearness, to begin with
_LINEAR, _OUTPUT = 0.1, 0.3  # both begin at zero: how fast they move from there
# Styles that suit other paintings less than their nearness says, and how much farther they count as.
_FARTHER = {"blue-horse": 2.0, "the-scream": 1.5, "shipwreck": 1.6, "sunrise": 1.3, "blue-dancers": 1.25}
# Styles whose paint stays clean in other colors and after other paintings. Of the rest, some lay a lattice or
# double edges, and some lose faces: docs/blind.md.
_CLEAN = (
    "adam-and-eve",
    "bible-moralisee",
    "composition-vii",
    "cubist-trees",
    "eiffel-tower",
    "goldfish",
    "great-wave",
    "harpers-june",
    "starry-night",
    "street-scene",
    "the-kiss",
    "udnie",
    "wheat-field",
)
_DECIDED, _NEVER = 1e4, -1e6  # sharpness that leaves the nearest alone, preference for what is not chosen


def mixed_styles() -> list[str]:
    """The shipped styles that are mixed: those with two ends, as all of one network must have."""
    return [name for name in shipped_names() if load_checkpoint(style_path(name)).faithful is not None]


@dataclass(frozen=True, slots=True)
class PaintingSpace:
    """Where paintings are among others.

    Attributes:
        mean, axes: (D,) and (D, K): directions in which features differ most, scaled to unit spread.
        color_mean, color_scale: (12,), of colors.
    """

    mean: Tensor
    axes: Tensor
    color_mean: Tensor
    color_scale: Tensor

    @classmethod
    def of(cls, features: Tensor, colors: Tensor) -> PaintingSpace:
        """From the descriptions of many paintings, (N, D) and (N, 12)."""
        mean = features.mean(0)
        _, spread, rows = torch.linalg.svd(features - mean, full_matrices=False)
        kept = rows[:_DIRECTIONS].T / (spread[:_DIRECTIONS] / len(features) ** 0.5)
        return cls(mean, kept, colors.mean(0), colors.std(0) + _LEAST_SCALE)

    def place(self, features: Tensor, colors: Tensor) -> Tensor:
        """(N, D) and (N, 12) -> (N, K + 12), about -1 to 1 along each axis."""
        texture = (features - self.mean) @ self.axes
        return torch.cat([texture, (colors - self.color_mean) / self.color_scale], 1).clamp(
            -MOST_DEVIATIONS, MOST_DEVIATIONS
        )


class Prediction(NamedTuple):
    """What is predicted for a painting.

    Attributes:
        shares: (layers, styles).
        matrix, shift: (3, 3) and (3,): the map of colors.
        added: (layers, styles): what the layers add to nearness.
    """

    shares: Tensor
    matrix: Tensor
    shift: Tensor
    added: Tensor


class MixPredictor(nn.Module):
    """Place of a painting -> shares.

    Args:
        gallery: (styles, n): where the shipped styles' paintings are.
        styles: their names.
        layers: how many the network has.
    """

    gallery: Tensor

    def __init__(self, gallery: Tensor, styles: Sequence[str], layers: int) -> None:
        super().__init__()
        count, self._shape = gallery.shape[1], (layers, len(styles))
        outputs = layers * len(styles) + COLORS
        self.register_buffer("gallery", gallery, persistent=False)
        self.metric = nn.Parameter(torch.zeros(count))
        self.sharp = nn.Parameter(torch.tensor(0.0))
        self.bias = nn.Parameter(torch.tensor([-2 * math.log(_FARTHER.get(name, 1.0)) for name in styles]))
        self.lin = nn.Linear(count, outputs)
        self.h = nn.Linear(count, _HIDDEN)
        self.o = nn.Linear(_HIDDEN, outputs)
        for layer in (self.lin, self.o):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, place: Tensor) -> Prediction:
        """(n,) -> what is predicted."""
        apart = ((place - self.gallery).square() * self.metric.exp()).mean(1)
        nearness = torch.softmax(self.bias - _SHARPNESS * self.sharp.exp() * apart, 0)
        moved = self.lin(place) * _LINEAR + self.o(F.silu(self.h(place))) * _OUTPUT
        added = moved[:-COLORS].view(self._shape)
        matrix = torch.eye(3, device=moved.device) + moved[-COLORS:-3].view(3, 3)
        return Prediction(nearness + added, matrix, moved[-3:], added)


class StyleMix:
    """Networks between the shipped ones, at the usual boldness, so that gradients reach the shares.

    Args:
        styles: their names.

    Attributes:
        architecture: of all of them.
        layers: names of the layers, in the order of the shares' rows.
        mean: their mean, by names of weights.
    """

    def __init__(self, styles: Sequence[str]) -> None:
        checkpoints = [load_checkpoint(style_path(name)).at(DEFAULT_BOLDNESS) for name in styles]
        self.architecture: Architecture = checkpoints[0].architecture
        weights = {
            name: torch.stack([torch.from_numpy(one.weights[name]) for one in checkpoints])
            for name in checkpoints[0].weights
        }
        self.mean = {name: stack.mean(0) for name, stack in weights.items()}
        self._ways = {name: stack - self.mean[name] for name, stack in weights.items()}
        self.layers = tuple(sorted({layer_of(name) for name in weights} - {""}))

    def __call__(self, prediction: Prediction) -> dict[str, Tensor]:
        """The weights of a network, by name."""
        rows = dict(zip(self.layers, prediction.shares, strict=True))
        found = {
            name: mean + torch.tensordot(rows[layer_of(name)], self._ways[name], 1)
            if layer_of(name) in rows
            else mean
            for name, mean in self.mean.items()
        }
        head = self.architecture.layout().head
        found[head.kernel] = torch.einsum("ij,jkhw->ikhw", prediction.matrix, found[head.kernel])
        found[head.bias] = prediction.matrix @ found[head.bias] + prediction.shift
        return found


def choose_nearest(gallery: Tensor, styles: Sequence[str], layers: int) -> dict[str, Tensor]:
    """The state of a predictor that was not trained: the nearest of the clean styles, alone."""
    untrained = MixPredictor(gallery, styles, layers).state_dict()
    preference = torch.tensor([0.0 if name in _CLEAN else _NEVER for name in styles])
    return {**untrained, "sharp": torch.tensor(math.log(_DECIDED / _SHARPNESS)), "bias": preference}


@torch.no_grad()
def measure_colors(photos: Sequence[Tensor], styles: Sequence[str]) -> dict[str, Array]:
    """What styles paint of photos at the usual boldness: means and covariances of logits.

    Args:
        photos: (1, 3, H, W) in [0, 1].
        styles: their names.

    Returns:
        painted_mean (styles, 3) and painted_covariance (styles, 9), float32.
    """
    found = []
    for name in styles:
        checkpoint = load_checkpoint(style_path(name)).at(DEFAULT_BOLDNESS)
        weights = {key: torch.from_numpy(array) for key, array in checkpoint.weights.items()}
        network = build_network(checkpoint.architecture, weights, torch.device("cpu"))
        found.append(torch.cat([logits(network(photo)) for photo in photos]))
    means = torch.stack([one.mean(0) for one in found])
    covariances = torch.stack([torch.cov(one.T).flatten() for one in found])
    return {"painted_mean": means.float().numpy(), "painted_covariance": covariances.float().numpy()}


def export_predictor(
    state: Mapping[str, Tensor],
    space: PaintingSpace,
    gallery: Tensor,
    styles: Sequence[str],
    layers: Sequence[str],
) -> Predictor:
    """A trained predictor as the program ships it.

    Args:
        state: of a `MixPredictor`.
        space: in which places are.
        gallery, styles: as the predictor got them.
        layers: see `StyleMix`.
    """
    s = {name: tensor.detach().cpu().float() for name, tensor in state.items()}
    arrays = {
        "mean": space.mean,
        "axes": space.axes,
        "color_mean": space.color_mean,
        "color_scale": space.color_scale,
        "gallery": gallery,
        "metric": _SHARPNESS * s["sharp"].exp() * s["metric"].exp() / gallery.shape[1],
        "preference": s["bias"],
        "linear": s["lin.weight"] * _LINEAR,
        "hidden": s["h.weight"],
        "hidden_bias": s["h.bias"],
        "output": s["o.weight"] * _OUTPUT,
        "bias": s["lin.bias"] * _LINEAR + s["o.bias"] * _OUTPUT,
    }
    named = {name: np.asarray(tensor.numpy(), np.float32) for name, tensor in arrays.items()}
    return Predictor(styles=tuple(styles), layers=tuple(layers), **named)
