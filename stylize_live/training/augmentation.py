"""A second view of a still: what a camera would see a moment later.

Training the two results to agree makes a network steady without any video (Charalambous/Wang et al.,
ReReVST, IEEE TIP 2020, and the luminance term of Gao et al., ReCoNet, ACCV 2018, are the sources).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

MAX_SHIFT = 8  # pixels


@dataclass(frozen=True, slots=True)
class RandomMotion:
    """An affine camera motion in pixels.

    Attributes:
        matrix: (2, 3), from places in the moved image to places in the image, both in [-1, 1]; or None
            for a whole-pixel shift.
        shift: (down, right) in pixels, used when there is no matrix.
    """

    matrix: Tensor | None
    shift: tuple[int, int]

    def apply(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Move images; also tell which pixels of the result come from inside them.

        Args:
            images: (N, 3, H, W).

        Returns:
            The moved images and a (1, 1, H, W) mask of ones and zeros.
        """
        if self.matrix is None:
            return _roll(images, self.shift)
        one = [1, *images.shape[1:]]
        grid = F.affine_grid(self.matrix.to(images)[None], one, align_corners=False)
        batch = grid.expand(len(images), -1, -1, -1)
        # Bicubic, because a bilinear warp would blur the target and teach the network to blur.
        moved = F.grid_sample(images, batch, "bicubic", "reflection", align_corners=False)
        inside = (grid.abs() < 0.97).all(-1).to(images).unsqueeze(1)
        return moved, inside


def _roll(images: Tensor, shift: tuple[int, int]) -> tuple[Tensor, Tensor]:
    moved = torch.roll(images, shift, dims=(2, 3))
    inside = torch.zeros_like(images[:1, :1])
    height, width = images.shape[2:]
    down, right = shift
    inside[:, :, max(down, 0) : height + min(down, 0), max(right, 0) : width + min(right, 0)] = 1
    return moved, inside


def random_motion(rng: np.random.Generator, height: int, width: int) -> RandomMotion:
    """Half of the time a whole-pixel shift (exact), else a small affine motion with sub-pixel parts."""
    if rng.random() < 0.5:
        down, right = rng.integers(-MAX_SHIFT, MAX_SHIFT + 1, 2)
        return RandomMotion(None, (int(down), int(right)))
    angle, zoom = rng.normal(0, 0.01), 1 + rng.normal(0, 0.01)
    down, right = rng.uniform(-MAX_SHIFT / 2, MAX_SHIFT / 2, 2)
    cos, sin = float(np.cos(angle) * zoom), float(np.sin(angle) * zoom)
    matrix = torch.tensor(
        [
            [cos, -sin * height / width, 2 * right / width],
            [sin * width / height, cos, 2 * down / height],
        ],
        dtype=torch.float32,
    )
    return RandomMotion(matrix, (0, 0))


def sensor_noise(images: Tensor, rng: np.random.Generator) -> Tensor:
    """Add sensor noise (sigma 0 to 0.03) and a brightness change (up to 4 %) to (N, 3, H, W) in [0, 1]."""
    # Where the images are: for a large batch, a GPU would wait longer for the host's than for all else.
    generator = torch.Generator(images.device).manual_seed(int(rng.integers(2**62)))
    noise = torch.randn(images.shape, generator=generator, device=images.device)
    sigma, gain = rng.uniform(0, 0.03), rng.uniform(0.96, 1.04)
    return torch.clamp(images * gain + noise * sigma, 0, 1)
