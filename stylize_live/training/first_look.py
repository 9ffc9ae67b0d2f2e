"""What a first look needs to know of the shipped styles, and where paintings are among others.

`engine/first_look/nearest.py` uses what `export_nearest_style` gives.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from stylize_live.engine.first_look.description import Array
from stylize_live.engine.first_look.nearest import NearestStyle
from stylize_live.engine.first_look.space import MOST_DEVIATIONS
from stylize_live.nets.catalogue import style_path
from stylize_live.nets.checkpoint import load_checkpoint
from stylize_live.nets.style_folders import shipped_names
from stylize_live.options import DEFAULT_BOLDNESS
from stylize_live.training.callbacks import build_network
from stylize_live.training.color_match import logits

_DIRECTIONS = 40  # that textures are described along
_LEAST_SCALE = 1e-3  # of colors
# Styles whose paint stays clean in other colors and after other paintings. Of the rest, some lay a lattice or
# double edges, and some lose faces: docs/blind.md.
CLEAN_STYLES = (
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

    def arrays(self) -> dict[str, Array]:
        """Its parts by name, as the program has them."""
        return {name: array_of(getattr(self, name)) for name in self.__slots__}


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


def export_nearest_style(space: PaintingSpace, gallery: Tensor, photos: Sequence[Tensor]) -> NearestStyle:
    """What finds the nearest of the clean styles, as the program ships it.

    Args:
        space: in which places are.
        gallery: (styles, n): where the paintings of `CLEAN_STYLES` are.
        photos: that styles paint, see `measure_colors`.
    """
    colors = measure_colors(photos, CLEAN_STYLES)
    return NearestStyle(styles=CLEAN_STYLES, gallery=array_of(gallery), **colors, **space.arrays())


def array_of(tensor: Tensor) -> Array:
    """A tensor's values, wherever it is, as float32."""
    return np.asarray(tensor.detach().cpu().float().numpy(), np.float32)
