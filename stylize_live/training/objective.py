"""The number that training makes small."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from stylize_live.training import losses
from stylize_live.training.balance import ContentBalance
from stylize_live.training.features import CONTENT_LAYER, STYLE_LAYERS, FeatureNetwork
from stylize_live.training.painting import PaintingTarget
from stylize_live.training.settings import TrainSettings
from stylize_live.training.views import random_motion, sensor_noise

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
        """The parts as numbers, fetched together."""
        names = ("style", "content", "palette", "tone", "variation", "steady")
        parts = torch.stack([getattr(self, name).detach().float() for name in names])
        return dict(zip(names, parts.tolist(), strict=True))


class Objective:
    """Compares a network's pictures with a painting's texture and the photos' content.

    Args:
        features: frozen perceptual network.
        paintings: (1, 3, H, W) pictures in [0, 1]; with several, each crop of a batch is drawn
            towards one of them in turn, which makes a neutral base to start styles from.
        settings: weights of the parts.
    """

    def __init__(self, features: FeatureNetwork, paintings: list[Tensor], settings: TrainSettings) -> None:
        self._features, self._settings = features, settings
        self._targets = [
            PaintingTarget(features, p, pooled=settings.pooled, fine_weight=settings.fine_weight)
            for p in paintings
        ]
        self._balance = ContentBalance(settings.content_target) if settings.content_target else None

    def terms(self, network: Callable[[Tensor], Tensor], photos: Tensor, step: int) -> Terms:
        """Run the network on two views of the photos and measure.

        Args:
            network: (N, 3, H, W) float32 in [0, 1] -> the same.
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
        gain = self._features.gain
        which = [(i + step * len(photos)) % len(self._targets) for i in range(len(photos))]
        return Terms(
            style=self._style(found, first, which) * gain,
            content=losses.content_error(found[CONTENT_LAYER], content).mean() * gain,
            palette=self._palette(first, which, rng),
            tone=losses.tone_error(first, photos).mean(),
            variation=losses.total_variation(first),
            steady=losses.masked_mean_square(second - expected, inside),
        )

    def _style(self, found: losses.Features, painted: Tensor, which: list[int]) -> Tensor:
        """Relative Gram errors, at full and at half size, where half the reach is twice as far."""
        fine = losses.grams(found, STYLE_LAYERS)
        error = self._mean([self._targets[t].fine_error(g) for t, g in _by_target(fine, which)])
        if self._settings.coarse_weight:
            small = losses.grams(self._features(losses.half_size(painted)), STYLE_LAYERS)
            coarse = [self._targets[t].coarse_error(g) for t, g in _by_target(small, which)]
            error = error + self._settings.coarse_weight * self._mean(coarse)
        return error

    def _palette(self, painted: Tensor, which: list[int], rng: np.random.Generator) -> Tensor:
        lines = torch.from_numpy(rng.normal(size=(_LINES, 3))).to(painted.device, torch.float32)
        lines = lines / lines.norm(dim=1, keepdim=True)
        targets = (self._targets[index] for index in which)
        return self._mean([t.palette_error(p, lines) for t, p in zip(targets, painted, strict=True)])

    @staticmethod
    def _mean(errors: list[Tensor]) -> Tensor:
        return torch.stack(errors).mean()

    def tensors(self) -> dict[str, Tensor]:
        """What the next step depends on beside the network: statistics of earlier crops, by name."""
        pools = {
            f"{index}.{name}": value
            for index, target in enumerate(self._targets)
            for name, value in target.pool.tensors().items()
        }
        return pools | (self._balance.tensors() if self._balance else {})

    def load(self, tensors: dict[str, Tensor]) -> None:
        """Inverse of `tensors`."""
        for index, target in enumerate(self._targets):
            target.pool.load(with_prefix(tensors, f"{index}."))
        if self._balance:
            self._balance.load(tensors)

    def adapt(self, content: float) -> dict[str, float]:
        """Take note of a step's content error, see `ContentBalance`.

        Returns:
            The content weight of that step by its name, or nothing where it does not move.
        """
        if self._balance is None:
            return {}
        weight = self._content_weight
        self._balance.update(content)
        return {"content_weight": weight}

    @property
    def _content_weight(self) -> float:
        return self._settings.content_weight * (self._balance.factor if self._balance else 1.0)

    def total(self, terms: Terms) -> Tensor:
        """The weighted sum of the parts, a scalar."""
        s = self._settings
        return (
            s.style_weight * terms.style
            + self._content_weight * terms.content
            + s.palette_weight * terms.palette
            + s.tone_weight * terms.tone
            + s.variation_weight * terms.variation
            + s.steady_weight * terms.steady
        )


def _by_target(grams: losses.Features, which: list[int]) -> Iterator[tuple[int, losses.Features]]:
    """The Gram matrices of the crops that are drawn towards each painting."""
    for target in sorted(set(which)):
        rows = [row for row, wanted in enumerate(which) if wanted == target]
        yield target, {name: gram[rows] for name, gram in grams.items()}


def with_prefix(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Those whose names begin so, without it."""
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
