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
_LINES = 8  # along which colours are compared, drawn anew at every step


@dataclass(frozen=True, slots=True)
class Terms:
    """The parts of the loss, scalars, before weighting; see `losses`."""

    style: Tensor
    content: Tensor
    palette: Tensor
    tone: Tensor
    variation: Tensor
    steady: Tensor

    def as_floats(self) -> dict[str, float]:
        """The parts as numbers."""
        names = ("style", "content", "palette", "tone", "variation", "steady")
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
            self._wanted = _joined([losses.grams(features(p), STYLE_LAYERS) for p in paintings])
            halves = [losses.half_size(p) for p in paintings]
            self._wanted_coarse = _joined([losses.grams(features(p), STYLE_LAYERS) for p in halves])
        self._palettes = [losses.palette(p[0]) for p in paintings]

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
        which = (torch.arange(len(photos)) + step * len(photos)) % len(self._palettes)
        return Terms(
            style=self._style(found, first, which),
            content=losses.content_error(found[CONTENT_LAYER], content).mean(),
            palette=self._palette(first, which, rng),
            tone=losses.tone_error(first, photos).mean(),
            variation=losses.total_variation(first),
            steady=losses.masked_mean_square(second - expected, inside),
        )

    def _style(self, found: losses.Features, painted: Tensor, which: Tensor) -> Tensor:
        """Relative Gram errors, at full and at half size, where half the reach is twice as far."""
        s = self._settings
        fine = _style_sum(found, self._wanted, which, s.fine_weight)
        if not s.coarse_weight:
            return fine
        small = self._features(losses.half_size(painted))
        return fine + s.coarse_weight * _style_sum(small, self._wanted_coarse, which, 1.0)

    def _palette(self, painted: Tensor, which: Tensor, rng: np.random.Generator) -> Tensor:
        lines = torch.from_numpy(rng.normal(size=(_LINES, 3))).to(painted.device, torch.float32)
        lines = lines / lines.norm(dim=1, keepdim=True)
        return torch.stack(
            [
                losses.palette_error(losses.palette(picture), self._palettes[index], lines)
                for picture, index in zip(painted, which.tolist(), strict=True)
            ]
        ).mean()

    def total(self, terms: Terms) -> Tensor:
        """The weighted sum of the parts, a scalar."""
        s = self._settings
        return (
            s.style_weight * terms.style
            + s.content_weight * terms.content
            + s.palette_weight * terms.palette
            + s.tone_weight * terms.tone
            + s.variation_weight * terms.variation
            + s.steady_weight * terms.steady
        )


def _joined(per_painting: list[losses.Features]) -> losses.Features:
    return {name: torch.cat([grams[name] for grams in per_painting]) for name in STYLE_LAYERS}


def _style_sum(found: losses.Features, wanted: losses.Features, which: Tensor, fine_weight: float) -> Tensor:
    """Style errors of all layers, the finest one weighted: a scalar."""
    chosen = {layer: target[which] for layer, target in wanted.items()}
    errors = losses.style_errors(losses.grams(found, STYLE_LAYERS), chosen)
    scale = {layer: fine_weight if layer == _FINEST else 1.0 for layer in errors}
    return torch.stack([scale[layer] * error.mean() for layer, error in errors.items()]).sum()
