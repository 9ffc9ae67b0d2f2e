"""Small images of large planes: first made smaller, then given their colours, which is most of the work.

Colour samples are taken to sit in the middle of what they become part of, an eighth of a pixel beside the
truth for previews of 1920x1080.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from torch import Tensor

from stylize_live.frame import Pixels
from stylize_live.media.hw.nv12 import coefficients, planes_to_rgb
from stylize_live.media.libraries import cv2

_MOST_PIXELS = 480 * 270


def make_preview(luma: Tensor, chroma: Tensor, matrix: str, *, full_range: bool) -> Pixels:
    """A frame given as planes, as `nv12.to_rgb` takes them, at most as large as `_MOST_PIXELS`.

    Returns:
        (h, w, 3) uint8 RGB in the machine's memory, wherever the planes are.
    """
    size = _size(luma.shape[1], luma.shape[0])
    if luma.is_cuda:
        return _on_gpu(luma, chroma, size, matrix, full_range)
    return _in_memory(luma.numpy(), chroma.numpy(), size, matrix, full_range)


def _size(width: int, height: int) -> tuple[int, int]:
    factor = max(1.0, (width * height / _MOST_PIXELS) ** 0.5)
    return max(1, round(width / factor)), max(1, round(height / factor))


def _in_memory(luma: Pixels, chroma: Pixels, size: tuple[int, int], matrix: str, full_range: bool) -> Pixels:
    planes = [_resize(plane, size) for plane in (luma, chroma)]
    dark, weights = coefficients(matrix, full_range=full_range)
    black = np.array([dark, 128, 128])
    # The last column is what is added.
    affine: Any = np.column_stack([weights, -np.array(weights) @ black])
    return np.asarray(cv2.transform(cv2.merge(planes), affine), np.uint8)


def _resize(plane: Any, size: tuple[int, int]) -> Any:
    """A plane of that (width, height). Halves take OpenCV a tenth of the time of other averages."""
    height, width = plane.shape[:2]
    if width >= 2 * size[0] and height >= 2 * size[1]:
        half = cv2.resize(plane, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
        return _resize(half, size)
    return cv2.resize(plane, size, interpolation=cv2.INTER_AREA)


def _on_gpu(luma: Tensor, chroma: Tensor, size: tuple[int, int], matrix: str, full_range: bool) -> Pixels:
    from torch.nn.functional import interpolate

    light, differences = (
        interpolate(planes.float()[None], size[::-1], mode="area")[0]
        for planes in (luma[None], chroma.permute(2, 0, 1))
    )
    return download(planes_to_rgb(light[0], differences, matrix, full_range=full_range))


def download(levels: Tensor) -> Pixels:
    """(1, 3, H, W) float32 in 0..255 as pixels in the machine's memory: (H, W, 3) uint8."""
    pixels = (levels[0] + 0.5).byte().permute(1, 2, 0).contiguous()
    return np.asarray(pixels.cpu().numpy())
