"""The number that training makes small."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from stylize_live.training import losses
from stylize_live.training.features import CONTENT_LAYER, STYLE_LAYERS, VggFeatures
from stylize_live.training.settings import TrainSettings
from stylize_live.training.views import random_motion, sensor_noise

_FINEST = STYLE_LAYERS[0]


@dataclass(frozen=True, slots=True)
class Terms:
    """The parts of the loss, scalars, before weighting; see `losses`."""

    style: Tensor
    content: Tensor
    tone: Tensor
    variation: Tensor
    steady: Tensor

    def as_floats(self) -> dict[str, float]:
        """The parts as numbers."""
        names = ("style", "content", "tone", "variation", "steady")
        return {name: float(getattr(self, name).detach()) for name in names}


class Objective:
    """Compares a network's pictures with a painting's texture and the photos' content.

    Args:
        features: frozen perceptual network.
        paintings: (1, 3, H, W) pictures in [0, 1]; with several, each crop of a batch is drawn
            towards one of them in turn, which makes a neutral base to start styles from.
        settings: weights of the parts.
    """

    def __init__(self, features: VggFeatures, paintings: list[Tensor], settings: TrainSettings) -> None:
        self._features, self._settings = features, settings
        with torch.no_grad():
            per_painting = [losses.grams(features(p), STYLE_LAYERS) for p in paintings]
        self._wanted = {n: torch.cat([g[n] for g in per_painting]) for n in STYLE_LAYERS}
        self._paintings = len(paintings)

    def terms(self, network: nn.Module, photos: Tensor, step: int) -> Terms:
        """Run the network on two views of the photos and measure.

        Args:
            network: (N, 3, H, W) in [0, 1] -> the same.
            photos: (N, 3, H, W) in [0, 1].
            step: decides motion, noise and which painting each crop is compared with.
        """
        rng = np.random.default_rng((self._settings.seed, step, 1))
        motion = random_motion(rng, *photos.shape[2:])
        moved, inside = motion.apply(photos)
        views = torch.cat([sensor_noise(photos, rng), sensor_noise(moved, rng)])
        first, second = network(views).chunk(2)
        expected, _ = motion.apply(first)

        found = self._features(first)
        with torch.no_grad():
            content = self._features(photos, last=CONTENT_LAYER)[CONTENT_LAYER]
        which = (torch.arange(len(photos)) + step * len(photos)) % self._paintings
        wanted = {layer: target[which] for layer, target in self._wanted.items()}
        style = losses.style_errors(losses.grams(found, STYLE_LAYERS), wanted)
        scale = {layer: self._settings.fine_weight if layer == _FINEST else 1.0 for layer in style}
        return Terms(
            style=torch.stack([scale[layer] * error.mean() for layer, error in style.items()]).sum(),
            content=losses.content_error(found[CONTENT_LAYER], content).mean(),
            tone=losses.tone_error(first, photos).mean(),
            variation=losses.total_variation(first),
            steady=losses.masked_mean_square(second - expected, inside),
        )

    def total(self, terms: Terms) -> Tensor:
        """The weighted sum of the parts, a scalar."""
        s = self._settings
        return (
            s.style_weight * terms.style
            + s.content_weight * terms.content
            + s.tone_weight * terms.tone
            + s.variation_weight * terms.variation
            + s.steady_weight * terms.steady
        )
