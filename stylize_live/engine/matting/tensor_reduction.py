"""The arithmetic of `reduction.py`, in torch: for images that are on a GPU and stay there."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from stylize_live.engine.cuda.smoothing import resize


def reduce_to(image: Tensor, size: tuple[int, int]) -> Tensor:
    """See `reduction.reduce_to`; (1, C, H, W) float32, size as (width, height)."""
    width, height = size
    while image.shape[3] >= 4 * width and image.shape[2] >= 4 * height:
        image = _halve(image)
    if image.shape[3] > width or image.shape[2] > height:
        image = _halve(_resize(image, (2 * height, 2 * width)))
    return _resize(image, (height, width))


def halve(image: Tensor, most: int) -> Tensor:
    """See `reduction.halve`."""
    while image.shape[2] * image.shape[3] > most:
        image = _halve(image)
    return image


def _halve(image: Tensor) -> Tensor:
    height, width = image.shape[2:]
    return F.interpolate(image, (max(1, height // 2), max(1, width // 2)), mode="area")


def _resize(image: Tensor, size: tuple[int, int]) -> Tensor:
    return image if image.shape[2:] == size else resize(image, size)
