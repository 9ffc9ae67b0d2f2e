"""How good a style is, measured on photos that the trainer never saw."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from stylize_live.errors import SourceError
from stylize_live.media.still import read_still, resized
from stylize_live.nets.transformer import ResidualTransformer
from stylize_live.training import losses
from stylize_live.training.features import CONTENT_LAYER, STYLE_LAYERS, VggFeatures
from stylize_live.training.photos import to_tensor

_SHORT_SIDE = 360  # pixels: the short side of a usual live picture


@dataclass(frozen=True, slots=True)
class StyleFigures:
    """Means over photos.

    Attributes:
        style: relative Gram error summed over four layers; an untouched photo has 2 to 2.5.
        content: relative feature error at relu3_3.
        photos: how many were measured.
    """

    style: float
    content: float
    photos: int


@torch.inference_mode()
def measure(
    network: ResidualTransformer,
    features: VggFeatures,
    paintings: list[Tensor],
    photos: list[Path],
    device: torch.device,
) -> StyleFigures:
    """Paint photos and compare them with the painting (style) and with themselves (content).

    Args:
        network: in evaluation mode, on the CPU.
        features: perceptual network on `device`.
        paintings: (1, 3, H, W) in [0, 1] on `device`; with several, the style error is the mean.
        photos: files to paint; unreadable ones are left out.
        device: where `features` are.
    """
    targets = [losses.grams(features(painting), STYLE_LAYERS) for painting in paintings]
    pairs = []
    for path in photos:
        try:
            photo = to_tensor(resized(read_still(path).pixels, _SHORT_SIDE))
        except SourceError:
            continue
        found = features(network(photo).to(device))
        wanted = features(photo.to(device), last=CONTENT_LAYER)[CONTENT_LAYER]
        grams = losses.grams(found, STYLE_LAYERS)
        style = [float(sum(losses.style_errors(grams, target).values())) for target in targets]
        pairs.append((sum(style) / len(style), float(losses.content_error(found[CONTENT_LAYER], wanted))))
    count = max(1, len(pairs))
    return StyleFigures(sum(s for s, _ in pairs) / count, sum(c for _, c in pairs) / count, len(pairs))
