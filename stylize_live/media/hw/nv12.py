"""Between the RGB of networks and the two planes that chips decode into and encode from, in torch.

NV12: brightness for each pixel; blue and red difference, side by side, for each two by two. What
`colorspace.py` has FFmpeg do for frames in the machine's memory is done here where a frame lies.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

# Shares of red and blue in the brightness, by the scaler's name of the matrix (ITU-T H.273, table 4).
_SHARES = {
    "bt709": (0.2126, 0.0722),
    "bt601": (0.299, 0.114),
    "bt2020": (0.2627, 0.0593),
    "fcc": (0.30, 0.11),
    "smpte240m": (0.212, 0.087),
}
_ROW = 256  # bytes: rows begin at multiples, as FFmpeg's own frames on a GPU have it


def to_rgb(luma: Tensor, chroma: Tensor, matrix: str, *, full_range: bool) -> Tensor:
    """The planes of a frame as levels of red, green and blue.

    Args:
        luma: (H, W) uint8, H and W even.
        chroma: (H/2, W/2, 2) uint8, each sample at the left of its four pixels, as video has it.
        matrix: a key of `_SHARES`.
        full_range: whether values fill 0..255; else 16..235 and 16..240.

    Returns:
        (1, 3, H, W) float32 in 0..255, on the same device.
    """
    return planes_to_rgb(luma.float(), _upsample_chroma(chroma.float()), matrix, full_range=full_range)


def planes_to_rgb(light: Tensor, differences: Tensor, matrix: str, *, full_range: bool) -> Tensor:
    """`to_rgb`, where the differences are known for each pixel.

    Args:
        light: (h, w) float32, brightness as it is stored.
        differences: (2, h, w) float32, blue and red, as they are stored.
        matrix: a key of `_SHARES`.
        full_range: see `to_rgb`.

    Returns:
        (1, 3, h, w) float32 in 0..255.
    """
    dark, (for_red, for_green, for_blue) = coefficients(matrix, full_range=full_range)
    light = (light - dark) * for_red[0]
    blue, red = differences - 128
    green = light.add(blue, alpha=for_green[1]).add_(red, alpha=for_green[2])
    planes = light.add(red, alpha=for_red[2]), green, light.add(blue, alpha=for_blue[1])
    return torch.stack(planes)[None].clamp_(0, 255)


def coefficients(matrix: str, *, full_range: bool) -> tuple[int, list[list[float]]]:
    """What the values of planes mean.

    Args:
        matrix: a key of `_SHARES`.
        full_range: see `to_rgb`.

    Returns:
        The brightness of black; and for each of red, green and blue, in levels, what it gets of each step of
        brightness above that, and of each step of the blue and of the red difference from 128.
    """
    red_share, blue_share = _SHARES[matrix]
    dark, levels, differences = (0, 255, 255) if full_range else (16, 219, 224)
    light, step = 255 / levels, 255 / differences
    red, blue = 2 * (1 - red_share) * step, 2 * (1 - blue_share) * step
    green_share = 1 - red_share - blue_share
    green = -blue_share * blue / green_share, -red_share * red / green_share
    return dark, [[light, 0.0, red], [light, *green], [light, blue, 0.0]]


def from_rgb(image: Tensor) -> tuple[Tensor, Tensor]:
    """Levels as planes, BT.709 in limited range: the inverse of `to_rgb`, but for detail of colours.

    Args:
        image: (1, 3, H, W) float32 in 0..255, H and W even.

    Returns:
        Brightness (H, W) and differences (H/2, W/2, 2), uint8, see `split_planes`.
    """
    return split_planes(rgb_to_planes(image), image.shape[3])


def rgb_to_planes(image: Tensor) -> Tensor:
    """What `from_rgb` gives, as one tensor: see `allocate_planes`."""
    red_share, blue_share = _SHARES["bt709"]
    red, green, blue = image[0]
    light = red_share * red + (1 - red_share - blue_share) * green + blue_share * blue
    differences = torch.stack(
        ((blue - light) / (2 * (1 - blue_share)), (red - light) / (2 * (1 - red_share)))
    )
    chroma = _downsample_chroma(differences) * (224 / 255) + 128
    height, width = light.shape
    rows = allocate_planes((width, height), image.device)
    planes = split_planes(rows, width)
    planes[0].copy_(_round_to_levels(light * (219 / 255) + 16))
    planes[1].copy_(_round_to_levels(chroma))
    return rows


def allocate_planes(
    size: tuple[int, int], device: torch.device | None = None, *, pin_memory: bool = False
) -> Tensor:
    """Memory for two planes, one right behind the other: NVENC is told where the first begins, and no more.

    Args:
        size: (width, height) in pixels, even.
        device: where; None is the machine's memory.
        pin_memory: whether it is page-locked there.

    Returns:
        (H + H/2, at least W) uint8, undefined, contiguous; `split_planes` gives the planes.
    """
    width, height = size
    shape = height + height // 2, -(-width // _ROW) * _ROW
    return torch.empty(shape, dtype=torch.uint8, device=device, pin_memory=pin_memory)


def split_planes(rows: Tensor, width: int) -> tuple[Tensor, Tensor]:
    """The planes in what `allocate_planes` gave, which they share: (H, W), and (H/2, W/2, 2)."""
    height = rows.shape[0] // 3 * 2
    return rows[:height, :width], rows[height:, :width].view(height // 2, width // 2, 2)


def join_planes(luma: Tensor, chroma: Tensor) -> tuple[Tensor, Tensor]:
    """Copies of two planes, one right behind the other, on the device where they are."""
    height, width = luma.shape
    planes = split_planes(allocate_planes((width, height), luma.device), width)
    for plane, given in zip(planes, (luma, chroma), strict=True):
        plane.copy_(given)
    return planes


def _upsample_chroma(chroma: Tensor) -> Tensor:
    """(h, w, 2) -> (2, 2 h, 2 w), bilinear."""
    planes = F.interpolate(chroma.permute(2, 0, 1)[None], scale_factor=(2.0, 1.0), mode="bilinear")[0]
    right = torch.cat((planes[..., 1:], planes[..., -1:]), -1)
    return torch.stack((planes, (planes + right) / 2), -1).flatten(-2)


def _downsample_chroma(planes: Tensor) -> Tensor:
    """(2, 2 h, 2 w) -> (h, w, 2): weighted by a triangle around each sample, as the scaler does it."""
    above = torch.cat((planes[:, :1], planes[:, 1:-1:2]), 1)
    below = torch.cat((planes[:, 2::2], planes[:, -1:]), 1)
    rows = (above + below + 3 * (planes[:, ::2] + planes[:, 1::2])) / 8
    left = torch.cat((rows[..., :1], rows[..., 1:-1:2]), -1)
    return (rows[..., ::2] / 2 + (left + rows[..., 1::2]) / 4).permute(1, 2, 0)


def _round_to_levels(plane: Tensor) -> Tensor:
    return plane.add(0.5).clamp_(0, 255).to(torch.uint8)
