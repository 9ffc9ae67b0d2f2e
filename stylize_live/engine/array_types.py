"""Images as other libraries hold them: taken as they are, and given back as the same kind of thing."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeGuard

import numpy as np

from stylize_live.frame import Pixels, check_pixels

if TYPE_CHECKING:
    import torch
    from PIL import Image

FromPixels = Callable[[Pixels], Any]


def as_pixels(image: object) -> tuple[Pixels, FromPixels]:
    """An image as pixels, and how painted ones become the same kind of thing again.

    Args:
        image: (H, W, 3) RGB array of uint8 or uint16; a PIL image of mode "RGB"; or a torch tensor,
            (3, H, W) RGB, on any device: uint8 from 0 to 255, or floating point from 0 to 1, which is
            rounded to 8 bits.

    Returns:
        (H, W, 3) pixels, C-contiguous, and a function that turns such pixels into the same kind of thing:
        a PIL image, a tensor of the same dtype on the same device, or the array itself.

    Raises:
        TypeError: anything else; the message says what to make of it.
        ValueError: a side is zero.
    """
    if _is_image(image):
        return _read_pil(image)
    if _is_tensor(image):
        return _read_tensor(image)
    if not isinstance(image, np.ndarray):
        kinds = "a PIL image, a NumPy array, a torch tensor or a Frame"
        raise TypeError(f"expected {kinds}, got {type(image).__name__}")
    return check_pixels(image), lambda painted: painted


def _is_image(image: object) -> TypeGuard[Image.Image]:
    """Does not load Pillow: where there is such an image, it is loaded."""
    pil = sys.modules.get("PIL.Image")
    return pil is not None and isinstance(image, pil.Image)


def _is_tensor(image: object) -> TypeGuard[torch.Tensor]:
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(image, torch.Tensor)


def _read_pil(image: Image.Image) -> tuple[Pixels, FromPixels]:
    from PIL import Image

    if image.mode != "RGB":
        raise TypeError(f'expected a PIL image of mode "RGB", got {image.mode!r}: use image.convert("RGB")')
    return check_pixels(np.asarray(image)), Image.fromarray


def _read_tensor(tensor: torch.Tensor) -> tuple[Pixels, FromPixels]:
    import torch

    if tensor.ndim != 3 or tensor.shape[0] != 3:
        raise TypeError(
            f"expected a (3, H, W) RGB tensor, got shape {tuple(tensor.shape)}: "
            "pass images of a batch one by one"
        )
    if tensor.dtype == torch.uint8:
        levels, most = tensor, 1
    elif tensor.is_floating_point():
        levels, most = (tensor.float().clamp(0, 1) * 255).round().byte(), 255
    else:
        raise TypeError(f"expected a tensor of uint8 or floating point, got {tensor.dtype}")
    pixels = check_pixels(levels.detach().permute(1, 2, 0).cpu().contiguous().numpy())

    def back(painted: Pixels) -> torch.Tensor:
        result = torch.from_numpy(painted).permute(2, 0, 1).to(tensor.device)
        return (result.to(tensor.dtype) / most) if most > 1 else result.contiguous()

    return pixels, back
