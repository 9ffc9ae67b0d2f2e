"""How differently two images' features are distributed: the sliced Wasserstein distance.

Heitz, Vanhoey, Chambon & Belcour, "A sliced Wasserstein loss for neural texture synthesis", CVPR 2021. Gram
matrices see means of products; this sees whole distributions, along random directions.
"""

from __future__ import annotations

import torch
from torch import Tensor

from stylize_live.training.losses import Features

DIRECTIONS = 64  # at every layer
_VALUES = 2048  # of each projection that are compared
_MOST_PLACES = 32_768  # of a layer; of more a sample is drawn: most of the time goes into sorting


class SlicedWasserstein:
    """Measures how far the features of images are from those of a painting.

    Args:
        painting: layer -> (1, C, H, W) features of the painting.
    """

    def __init__(self, painting: Features) -> None:
        self._directions = {layer: _draw_directions(found) for layer, found in painting.items()}
        self._wanted = {layer: self._project(layer, found) for layer, found in painting.items()}

    def __call__(self, found: Features) -> float:
        """The distance: at every layer the mean squared difference of sorted projections (equations 5 and 6),
        relative to their mean square, as the style error is to the Gram matrix; summed over the layers.

        Args:
            found: layer -> (1, C, h, w) features of an image; of the painting's layers at least.

        Returns:
            0 for the painting itself.
        """
        errors = []
        for layer, wanted in self._wanted.items():
            difference = self._project(layer, found[layer]) - wanted
            errors.append(difference.square().mean() / wanted.square().mean())
        return float(torch.stack(errors).sum())

    def _project(self, layer: str, features: Tensor) -> Tensor:
        """Features along the directions in order of size, (directions, values)."""
        places = features[0].flatten(1)
        if places.shape[1] > _MOST_PLACES:
            drawn = torch.randint(places.shape[1], (_MOST_PLACES,), generator=_generator())
            places = places[:, drawn.to(places.device)]
        along = self._directions[layer] @ places.float()
        return _resample(along.sort(1)[0])


def _draw_directions(features: Tensor) -> Tensor:
    """Unit vectors in the space of (1, C, H, W) features, the same at every call: (directions, C)."""
    directions = torch.randn(DIRECTIONS, features.shape[1], generator=_generator())
    return torch.nn.functional.normalize(directions, dim=1).to(features.device)


def _generator() -> torch.Generator:
    """One that draws the same for every image, so that they can be compared."""
    return torch.Generator().manual_seed(0)


def _resample(ordered: Tensor) -> Tensor:
    """As many values of (directions, n) as of any other image, read between those that are there."""
    count = ordered.shape[1]
    # The middle of each of so many equal shares of the image.
    places = (torch.arange(_VALUES, device=ordered.device) + 0.5) / _VALUES * count - 0.5
    places = places.clamp(0, count - 1)
    below = places.long().clamp(max=max(0, count - 2))
    above = (below + 1).clamp(max=count - 1)
    return torch.lerp(ordered[:, below], ordered[:, above], places - below)
