"""OKLab, a color space in which distances are about as large as they look.

Björn Ottosson, "A perceptual color space for image processing", 2020.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

Matrix = tuple[tuple[float, ...], ...]

_TO_CONES = (
    (0.4122214708, 0.5363325363, 0.0514459929),
    (0.2119034982, 0.6806995451, 0.1073969566),
    (0.0883024619, 0.2817188376, 0.6299787005),
)
_TO_LAB = (
    (0.2104542553, 0.7936177850, -0.0040720468),
    (1.9779984951, -2.4285922050, 0.4505937099),
    (0.0259040371, 0.7827717662, -0.8086757660),
)


def _inverse(matrix: Matrix) -> Matrix:
    return tuple(map(tuple, np.linalg.inv(np.array(matrix)).tolist()))


_FROM_CONES, _FROM_LAB = _inverse(_TO_CONES), _inverse(_TO_LAB)


def to_oklab(images: Tensor) -> Tensor:
    """(N, 3, H, W) sRGB in [0, 1] -> the same shape: lightness in [0, 1], then two of color, about +-0.3."""
    linear = torch.where(images <= 0.04045, images / 12.92, ((images + 0.055) / 1.055) ** 2.4)
    return _mix(_mix(linear, _TO_CONES).pow(1 / 3), _TO_LAB)


def from_oklab(colors: Tensor) -> Tensor:
    """Inverse of `to_oklab`; what sRGB cannot show is clipped."""
    linear = _mix(_mix(colors, _FROM_LAB) ** 3, _FROM_CONES).clamp(0, 1)
    return torch.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear.pow(1 / 2.4) - 0.055)


def _mix(colors: Tensor, matrix: Matrix) -> Tensor:
    # By numbers and not by a tensor of them, for which a GPU would be waited for.
    one, two, three = colors.unbind(1)
    return torch.stack([a * one + b * two + c * three for a, b, c in matrix], 1)
