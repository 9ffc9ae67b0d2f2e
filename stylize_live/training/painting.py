"""A painting as training takes it: read, scaled, and its texture as statistics of features."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torchvision.transforms.v2.functional import gaussian_blur

from stylize_live.errors import TrainingError
from stylize_live.frame import Pixels
from stylize_live.media.image.io import middle_of_strip, on_paper, read_image, resize
from stylize_live.training import losses
from stylize_live.training.dataset import to_tensor
from stylize_live.training.features import FeatureNetwork
from stylize_live.training.running_statistics import RunningStatistics
from stylize_live.training.settings import TrainSettings

log = logging.getLogger(__name__)

_LONGEST = 20  # long over short side of what is looked at
_LEAST_SIDE = 256  # pixels of the short side: smaller paintings are enlarged, as features need some room
_MOST_PIXELS = 4_000_000  # features of more do not fit into a small machine's memory


def load_painting(path: Path, settings: TrainSettings) -> Tensor:
    """Read a painting, scaled and softened.

    Softened, because the network does most of its work at a quarter of the resolution: asked for the
    finest detail of canvas and bristles, it can only answer with a regular mesh of that fineness.

    Returns:
        (1, 3, H, W) float32 in [0, 1]. A transparent margin is cut off, transparent places inside are
        white paper. Of a very long strip only the middle is taken.

    Raises:
        SourceError: not an image.
        TrainingError: there is nothing on it.
    """
    pixels = _opaque_part(path, 4 * settings.painting_size)
    shorter = min(pixels.shape[:2])
    # An enlarged painting has no fine strokes, and its scan's grain becomes a coarse mesh.
    size = min(settings.painting_size, max(shorter, _LEAST_SIDE))
    if shorter < size:
        log.warning("%s: only %d pixels high or wide, strokes will be soft", path.name, shorter)
    pixels = middle_of_strip(pixels, min(_LONGEST, _MOST_PIXELS / size**2))
    image = to_tensor(resize(pixels, size))
    if not settings.painting_blur:
        return image
    width = 2 * math.ceil(3 * settings.painting_blur) + 1
    softened: Tensor = gaussian_blur(image, [width, width], [settings.painting_blur] * 2)
    return softened


def _opaque_part(path: Path, least_side: int) -> Pixels:
    still = read_image(path, least_side=least_side)
    if still.alpha is None:
        return still.pixels
    rows, columns = np.nonzero(still.alpha.any(1))[0], np.nonzero(still.alpha.any(0))[0]
    if not len(rows):
        raise TrainingError(f"{path}: the image is wholly transparent")
    return on_paper(still)[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


class PaintingTarget:
    """A painting's texture, and how far crops are from it.

    Errors are relative to the painting or to photos in its colors, whichever has more texture. Relative to a
    hazy painting alone, a photo's error is ten times that of others, and a network would learn little but to
    blur.

    Args:
        features: frozen perceptual network.
        painting: (1, 3, H, W) in [0, 1].
        photos: some in the painting's colors, (1, 3, h, w) in [0, 1] each.
        pooled: share of the texture error that is measured over several crops together, 0 to 1.
        fine_weight: share of the finest layer at full size.
        deep_weight: share of the deepest layer.

    Attributes:
        pool: statistics of earlier crops.
    """

    def __init__(
        self,
        features: FeatureNetwork,
        painting: Tensor,
        photos: Sequence[Tensor],
        *,
        pooled: float,
        fine_weight: float,
        deep_weight: float,
    ) -> None:
        layers = features.style_layers
        self._features = features
        self._fine, self._coarse = self._see(painting)
        seen = [self._see(photo) for photo in photos]
        self._fine_scales, self._coarse_scales = (
            {layer: torch.stack([losses.strength(one[layer]) for one in grams]).mean() for layer in layers}
            for grams in zip(*seen, strict=True)
        )
        self._pooled = pooled
        self._weights = dict.fromkeys(layers, 1.0) | {layers[-1]: deep_weight}
        self._fine_weights = self._weights | {layers[0]: fine_weight}
        self.pool = RunningStatistics()

    @torch.no_grad()
    def _see(self, image: Tensor) -> tuple[losses.Features, losses.Features]:
        """Gram matrices at full and at half size."""
        layers = self._features.style_layers
        full, half = (self._features(one, last=layers[-1]) for one in (image, losses.half_size(image)))
        return losses.grams(full, layers), losses.grams(half, layers)

    def fine_error(self, grams: losses.Features) -> Tensor:
        """Relative Gram error of crops at full size, layer -> (n, C, C): a scalar."""
        return self._texture("fine", grams, self._fine, self._fine_scales, self._fine_weights)

    def coarse_error(self, grams: losses.Features) -> Tensor:
        """The same at half size, where the features reach twice as far: a scalar."""
        return self._texture("coarse", grams, self._coarse, self._coarse_scales, self._weights)

    def _texture(
        self,
        scale: str,
        found: losses.Features,
        wanted: losses.Features,
        least: losses.Features,
        weights: dict[str, float],
    ) -> Tensor:
        means = {name: self.pool.mean(f"{scale}_{name}", gram)[None] for name, gram in found.items()}
        each = losses.style_errors(found, wanted, least)
        together = losses.style_errors(means, wanted, least)
        parts = [
            weights[name] * torch.lerp(each[name].mean(), together[name].mean(), self._pooled)
            for name in found
        ]
        return torch.stack(parts).sum()
