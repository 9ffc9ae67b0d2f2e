"""The loss that training minimises."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from stylize_live.training import losses
from stylize_live.training.augmentation import random_motion, sensor_noise
from stylize_live.training.color_transfer import ColorTransfer, PhotoStatistics, vivid
from stylize_live.training.dataset import Crops
from stylize_live.training.features import FeatureNetwork
from stylize_live.training.painting import PaintingTarget
from stylize_live.training.settings import TrainSettings

Terms = dict[str, Tensor]
"""The parts of the loss, scalars, before weighting; see `losses`."""

_EARLY_WEIGHT = 10.0  # of colors pixel by pixel, and of their masses, while there is no texture yet

# Pixels that crops are mirrored by before features look at them. They take what lies beyond for black, and a
# network that has to please them there smears the borders of every image. Deep features see it from further
# away: their outer places do not count either, see `losses.inner`.
_EDGE = 8

Network = Callable[[Tensor], Tensor]


class TrainingObjective(Protocol):
    """What a trainer makes small."""

    def color_terms(self, network: Network, crops: Crops, step: int) -> Terms:
        """What is learned first, at a fraction of the work of `terms`."""

    def terms(self, network: Network, crops: Crops, step: int) -> Terms:
        """Run the network, (N, 3, H, W) float32 in [0, 1] -> the same, on N crops, and measure."""

    def total(self, terms: Terms) -> Tensor:
        """The weighted sum of the parts, a scalar."""

    def tensors(self) -> dict[str, Tensor]:
        """What the next step depends on beside the network, by name."""

    def load(self, tensors: dict[str, Tensor]) -> None:
        """Inverse of `tensors`."""


def weighted_sum(terms: Terms, settings: TrainSettings, **others: float) -> Tensor:
    """The parts by the weights that settings give them, but for some that have others: a scalar."""
    weights = {
        "style": settings.style_weight,
        "content": settings.content_weight,
        "color": settings.color_weight,
        "pixels": settings.pixel_weight,
        "variation": settings.variation_weight,
        "steady": settings.steady_weight,
        **others,
    }
    return torch.stack([weights[name] * term for name, term in terms.items()]).sum()


class Objective:
    """Compares a network's images with a painting's texture, and with the photos in its colors.

    Args:
        features: frozen perceptual network.
        paintings: (1, 3, H, W) images in [0, 1]; with several, each crop of a batch is drawn
            towards one of them in turn, which makes a neutral base to start styles from.
        photos: what photos look like, see `ColorTransfer`.
        settings: weights of the parts.
    """

    def __init__(
        self,
        features: FeatureNetwork,
        paintings: list[Tensor],
        photos: PhotoStatistics,
        settings: TrainSettings,
    ) -> None:
        self._features, self._settings = features, settings
        s = settings
        paintings = [vivid(p, s.contrast, s.saturation) for p in paintings]
        self._transfers = [ColorTransfer(p, photos, s.palette) for p in paintings]
        weights = {"pooled": s.pooled, "fine_weight": s.fine_weight, "deep_weight": s.deep_weight}
        self._targets = []
        for painting, transfer in zip(paintings, self._transfers, strict=True):
            examples = [transfer(photo.to(painting.device)) for photo in photos.examples]
            self._targets.append(PaintingTarget(features, painting, examples, **weights))

    def color_terms(self, network: Network, crops: Crops, step: int) -> Terms:
        """What is learned first, without texture: the photos in the painting's colors, pixel by pixel.

        A tenth of the work of `terms`, whose arguments it has.
        """
        painted, steady = self._two_views(network, crops.photos, step)
        wanted = self._recolor(crops.subjects, self._assign_paintings(len(painted), step))
        color = losses.color_error(painted, wanted)
        return {"color": color, "pixels": (painted - wanted).square().mean(), "steady": steady}

    def terms(self, network: Network, crops: Crops, step: int) -> Terms:
        """Run the network on two views of the photos and measure.

        Args:
            network: (N, 3, H, W) float32 in [0, 1] -> the same.
            crops: N of them.
            step: decides motion, noise and which painting each crop is compared with.
        """
        painted, steady = self._two_views(network, crops.photos, step)
        features, layer = self._features, self._features.content_layer
        which = self._assign_paintings(len(painted), step)
        found = losses.inner(features(_mirror(painted), last=features.style_layers[-1]))
        with torch.no_grad():
            wanted = self._recolor(crops.subjects, which)
            subject = losses.inner(features(_mirror(wanted), last=layer))
        content = losses.content_error(found[layer], subject[layer]).mean()
        return {
            "style": self._style(found, painted, which) * features.gain,
            "content": content * features.gain,
            "color": losses.color_error(painted, wanted),
            "pixels": (painted - wanted).square().mean(),
            "variation": losses.total_variation(painted),
            "steady": steady,
        }

    def _two_views(self, network: Network, photos: Tensor, step: int) -> tuple[Tensor, Tensor]:
        """The photos painted, and how differently the same photos, moved, are painted."""
        rng = np.random.default_rng((self._settings.seed, step, 1))
        motion = random_motion(rng, *photos.shape[2:])
        moved, inside = motion.apply(photos)
        views = torch.cat([sensor_noise(photos, rng), sensor_noise(moved, rng)])
        first, second = network(views).chunk(2)
        expected, _ = motion.apply(first)
        return first, losses.masked_mean_square(second - expected, inside)

    def _assign_paintings(self, count: int, step: int) -> list[int]:
        """The painting that each crop of a step is drawn towards."""
        return [(i + step * count) % len(self._targets) for i in range(count)]

    @torch.no_grad()
    def _recolor(self, subjects: Tensor, which: list[int]) -> Tensor:
        """The abstracted photos, each in its painting's colors."""
        if len(self._transfers) == 1:
            return self._transfers[0](subjects)
        return torch.cat([self._transfers[t](s[None]) for t, s in zip(which, subjects, strict=True)])

    def _style(self, found: losses.Features, painted: Tensor, which: list[int]) -> Tensor:
        """Relative Gram errors, at full and at half size, where half the reach is twice as far."""
        layers = self._features.style_layers
        fine = losses.grams(found, layers)
        error = self._mean([self._targets[t].fine_error(g) for t, g in _by_target(fine, which)])
        if self._settings.coarse_weight:
            small = losses.inner(self._features(losses.half_size(_mirror(painted)), last=layers[-1]))
            grams = losses.grams(small, layers)
            coarse = [self._targets[t].coarse_error(g) for t, g in _by_target(grams, which)]
            error = error + self._settings.coarse_weight * self._mean(coarse)
        return error

    @staticmethod
    def _mean(errors: list[Tensor]) -> Tensor:
        return torch.stack(errors).mean()

    def total(self, terms: Terms) -> Tensor:
        """The weighted sum of the parts, a scalar."""
        early = {} if "style" in terms else {"color": _EARLY_WEIGHT, "pixels": _EARLY_WEIGHT}
        return weighted_sum(terms, self._settings, **early)

    def tensors(self) -> dict[str, Tensor]:
        """What the next step depends on beside the network: statistics of earlier crops, by name."""
        return {
            f"{index}.{name}": value
            for index, target in enumerate(self._targets)
            for name, value in target.pool.tensors().items()
        }

    def load(self, tensors: dict[str, Tensor]) -> None:
        """Inverse of `tensors`."""
        for index, target in enumerate(self._targets):
            target.pool.load(with_prefix(tensors, f"{index}."))


def _mirror(images: Tensor) -> Tensor:
    return F.pad(images, (_EDGE, _EDGE, _EDGE, _EDGE), mode="reflect")


def _by_target(grams: losses.Features, which: list[int]) -> Iterator[tuple[int, losses.Features]]:
    """The Gram matrices of the crops that are drawn towards each painting."""
    for target in sorted(set(which)):
        rows = [row for row, wanted in enumerate(which) if wanted == target]
        # Picked by a list, a GPU would wait for the host.
        picked = grams if len(rows) == len(which) else {name: gram[rows] for name, gram in grams.items()}
        yield target, picked


def with_prefix(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Those whose names begin so, without it."""
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
