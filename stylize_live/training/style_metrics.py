"""How good a style is, measured on photos that the trainer never saw."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from stylize_live.errors import SourceError
from stylize_live.media.image.io import on_paper, read_image, resize
from stylize_live.nets.transformer import ResidualTransformer
from stylize_live.training import losses
from stylize_live.training.dataset import to_tensor
from stylize_live.training.features import FeatureNetwork

SHORT_SIDE = 360  # pixels: the short side of a usual live image


@dataclass(frozen=True, slots=True)
class ImageErrors:
    """Errors of one image.

    Attributes:
        style: relative Gram error summed over four layers; an untouched photo has about 4.
        content: relative feature error at relu3_3.
    """

    style: float
    content: float


class StyleMetrics:
    """Tells how far images are from a painting's texture and from a photo's content.

    Args:
        features: perceptual network.
        paintings: (1, 3, H, W) in [0, 1] on the features' device; with several, the style error is the mean.
    """

    def __init__(self, features: FeatureNetwork, paintings: list[Tensor]) -> None:
        self._features = features
        with torch.no_grad():
            self._targets = [
                losses.grams(features(painting), features.measured_layers) for painting in paintings
            ]

    @torch.no_grad()
    def content_of(self, photo: Tensor) -> Tensor:
        """What is to be kept of a (1, 3, h, w) photo in [0, 1]."""
        layer = self._features.content_layer
        content: Tensor = self._features(photo, last=layer)[layer]
        return content

    def tensors(self, image: Tensor, content: Tensor) -> tuple[Tensor, Tensor]:
        """Style and content error of an image: two scalars that gradients flow through.

        Args:
            image: (1, 3, h, w) in [0, 1], of the photo's size.
            content: see `content_of`.
        """
        return self._tensors(self._features(image), content)

    def _tensors(self, found: losses.Features, content: Tensor) -> tuple[Tensor, Tensor]:
        grams = losses.grams(found, self._features.measured_layers)
        style = [torch.stack(list(losses.style_errors(grams, t).values())).sum() for t in self._targets]
        kept = losses.content_error(found[self._features.content_layer], content)[0]
        return torch.stack(style).mean(), kept

    @torch.no_grad()
    def compare(self, found: losses.Features, content: Tensor) -> ImageErrors:
        """The same errors as numbers, from an image's features."""
        style, kept = self._tensors(found, content)
        return ImageErrors(float(style), float(kept))

    @torch.no_grad()
    def __call__(self, image: Tensor, content: Tensor) -> ImageErrors:
        """The same as `compare`, of an image."""
        return self.compare(self._features(image), content)


@dataclass(frozen=True, slots=True)
class StyleFigures:
    """Means over photos; see `ImageErrors`.

    Attributes:
        style: style error.
        content: content error.
        photos: how many were measured.
    """

    style: float
    content: float
    photos: int


@torch.inference_mode()
def measure_style(
    network: ResidualTransformer,
    metrics: StyleMetrics,
    photos: list[Path],
    device: torch.device,
) -> StyleFigures:
    """Paint photos and compare them with the painting (style) and with themselves (content).

    Args:
        network: in evaluation mode, on the CPU.
        metrics: of the painting.
        photos: files to paint; unreadable ones are left out.
        device: where the metrics's features are.
    """
    found = []
    for path in photos:
        try:
            photo = to_tensor(resize(on_paper(read_image(path, least_side=SHORT_SIDE)), SHORT_SIDE))
        except SourceError:
            continue
        found.append(metrics(network(photo).to(device), metrics.content_of(photo.to(device))))
    count = max(1, len(found))
    return StyleFigures(
        sum(e.style for e in found) / count, sum(e.content for e in found) / count, len(found)
    )
