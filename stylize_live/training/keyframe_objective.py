"""The loss by which a painted frame teaches.

As in Texler et al., "Interactive Video Stylization Using Few-Shot Patch-Based Training", ACM TOG 39(4),
2020 (arXiv:2004.14489): each pixel and the perceptual features of patches are compared with the painting
itself. In place of the paper's adversarial loss stands the patch's texture, as Gram matrices: a discriminator
would have to be trained first.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from stylize_live.training import losses
from stylize_live.training.augmentation import sensor_noise
from stylize_live.training.dataset import Crops
from stylize_live.training.features import FeatureNetwork
from stylize_live.training.keyframe_dataset import random_part
from stylize_live.training.objective import Network, Terms, weighted_sum
from stylize_live.training.settings import TrainSettings

_LEAST_ENERGY = 1e-12  # of Gram matrices, so that nothing is divided by nothing


class KeyframeObjective:
    """Compares what the network makes of frames with what an artist made of them.

    Args:
        features: frozen perceptual network.
        settings: weights of the parts.
        patch: side in pixels of the squares that features look at.
    """

    def __init__(self, features: FeatureNetwork, settings: TrainSettings, patch: int) -> None:
        self._features, self._settings, self._patch = features, settings, patch

    def color_terms(self, network: Network, crops: Crops, step: int) -> Terms:
        """What is learned first: the painting pixel by pixel, at a fraction of the work of `terms`."""
        return self._pixel_terms(network(self._seen(crops, step)), crops.subjects)

    def terms(self, network: Network, crops: Crops, step: int) -> Terms:
        """Run the network on crops of frames and measure.

        Args:
            network: (N, 3, H, W) float32 in [0, 1] -> the same.
            crops: N of them, whose subjects are the painted frame.
            step: decides noise, and where the patches lie.
        """
        painted = network(self._seen(crops, step))
        found, wanted = self._patches(painted, crops.subjects, step)
        layers, gain = self._features.style_layers, self._features.gain
        seen = self._features(found, last=layers[-1])
        with torch.no_grad():
            aim = self._features(wanted, last=layers[-1])
        content = [losses.content_error(seen[name], aim[name]).mean() for name in layers[1:-1]]
        style = self._style(seen, aim)
        if self._settings.coarse_weight:
            style = style + self._settings.coarse_weight * self._coarse_style(found, wanted)
        return {
            "style": style * gain,
            "content": torch.stack(content).mean() * gain,
            **self._pixel_terms(painted, crops.subjects),
        }

    def _style(self, seen: losses.Features, aim: losses.Features) -> Tensor:
        """Gram error of each patch to the same place of the painting, relative to both: a scalar."""
        layers = self._features.style_layers
        found, wanted = losses.grams(seen, layers), losses.grams(aim, layers)
        return torch.stack([_gram_error(found[name], wanted[name]) for name in layers]).sum()

    def _coarse_style(self, found: Tensor, wanted: Tensor) -> Tensor:
        """The same at half size, where the features reach twice as far."""
        last = self._features.style_layers[-1]
        seen = self._features(losses.half_size(found), last=last)
        with torch.no_grad():
            aim = self._features(losses.half_size(wanted), last=last)
        return self._style(seen, aim)

    def _seen(self, crops: Crops, step: int) -> Tensor:
        """The frames as a camera would see them: every noise is to be painted alike, which makes steady."""
        return sensor_noise(crops.photos, np.random.default_rng((self._settings.seed, step, 1)))

    @staticmethod
    def _pixel_terms(painted: Tensor, wanted: Tensor) -> Terms:
        # Absolute differences, as in the paper: squares of strokes that fall anywhere end in a blur.
        return {
            "color": losses.color_error(painted, wanted),
            "pixels": (painted - wanted).abs().mean(),
        }

    def _patches(self, painted: Tensor, wanted: Tensor, step: int) -> tuple[Tensor, Tensor]:
        """The same random square of both."""
        rng = np.random.default_rng((self._settings.seed, step, 2))
        height, width = (min(self._patch, side) for side in painted.shape[2:])
        part = random_part(rng, painted, (height, width))
        return painted[part], wanted[part]

    def total(self, terms: Terms) -> Tensor:
        """The weighted sum of the parts, a scalar."""
        return weighted_sum(terms, self._settings)

    def tensors(self) -> dict[str, Tensor]:
        """Nothing: a step depends on no earlier one."""
        return {}

    def load(self, tensors: dict[str, Tensor]) -> None:
        """Inverse of `tensors`."""


def _gram_error(found: Tensor, wanted: Tensor) -> Tensor:
    """Squared difference of Gram matrices, (N, C, C) each, over their squared sums: a scalar from 0 to 1.

    Relative to the painting alone, flat patches of it would outweigh all others.
    """
    both = found.square().sum((1, 2)) + wanted.square().sum((1, 2))
    return ((found - wanted).square().sum((1, 2)) / both.clamp(min=_LEAST_ENERGY)).mean()
