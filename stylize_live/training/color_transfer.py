"""Color transfer: a photo in a painting's colors, before any brush has touched it.

Training keeps the subject of *this* image and not of the photo. A network that has to keep a photo's own
light and dark can only be a pale painter; here the photo's darks become the painting's darks, its lights the
painting's lights, and what has a color of its own gets the painting's nearest. So style and subject no longer
pull in different directions, and lights sit where the photo has lights.

Scans are paler than paintings, and images on a screen are looked at beside photos: so the painting itself
is made more vivid first, for its colors and its strokes alike.

Colors are moved by optimal transport along random lines (iterative distribution transfer: Pitié, Kokaram &
Dahyot, CVIU 2007), once for a painting, between what photos look like in general and the painting. A photo
is described by the rank of its lightness and by its colors relative to their own spread, so that one table
serves every photo, faint or glaring, and a network can learn it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor
from torchvision.transforms.v2.functional import gaussian_blur

from stylize_live.media.libraries import cv2
from stylize_live.training.oklab import from_oklab, to_oklab

_BINS = 256  # of lightness
_SMOOTHED = 13  # bins that are averaged: flat places are not torn apart
_PRIOR = 0.2  # share of photos in general in a photo's distribution of lightness
_LEAST_SPREAD = 0.02  # of colors: a grey photo's noise is not blown up
_REACH = 2.5  # spreads on either side of grey that the table covers
_NODES = 17  # of the table along each axis
_POINTS = 20_000  # colors that are moved
_LINES = 100  # turns of three lines each that they are moved along
_MOVED = 0.8  # of the way along each
_LIGHTNESS = 10.0  # weight of lightness against color: light places stay light
_SOFT = 0.25  # width, in nodes' terms, that the table is smoothed with
_GRAIN = 1.25  # blur of the painting in pixels of 400 lines: it is paint that counts, not its grain
_ACCENT = 1.5  # how much more what stands out in a painting counts than its share
_BRIGHTEST, _DARKEST = 0.98, 0.03
_EXAMPLES = 4  # photos that stand for all
_LIVELY_SPREAD = 0.27  # of OKLab's lightness: with less, photos in a painting's colors look faint
_LIVELY_CONTRAST = 1.0, 2.2
_PIVOT = 0.8  # of the way from grey to a painting's mean color: where stronger colors start from
_CHROMA = (1.0, 1.6, 1.6)  # weights of lightness and color in what "near" means among colors of a palette
_PULL = 0.035  # OKLab distance within which a place lies between two colors of the palette


@dataclass(frozen=True, slots=True)
class PhotoStatistics:
    """What photos look like in general.

    Attributes:
        lightness: (256,) distribution of OKLab's lightness.
        colors: (n, 3) relative colors, see `relative_colors`.
        examples: a few of the photos, (1, 3, h, w) in [0, 1] each.
    """

    lightness: Tensor
    colors: Tensor
    examples: tuple[Tensor, ...]

    @classmethod
    def of(cls, photos: Iterable[Tensor]) -> PhotoStatistics:
        """Measure some photos, (1, 3, h, w) float32 sRGB in [0, 1] each."""
        photos = list(photos)
        colors = [to_oklab(photo.double()) for photo in photos]
        lightness = torch.stack([_distribution(c)[0] for c in colors]).mean(0)
        relative = [relative_colors(c, lightness).flatten(2)[0].T for c in colors]
        return cls(lightness, torch.cat(relative), tuple(photos[:: -(-len(photos) // _EXAMPLES)]))


def _distribution(colors: Tensor) -> Tensor:
    """Distribution of lightness of each of (N, 3, H, W) OKLab images: (N, 256), sums of one."""
    bins = (colors[:, 0].flatten(1) * _BINS).long().clamp(0, _BINS - 1)
    counts = torch.zeros(len(bins), _BINS, dtype=colors.dtype, device=colors.device)
    counts.scatter_add_(1, bins, torch.ones_like(bins, dtype=colors.dtype))
    return counts / bins.shape[1]


def relative_colors(colors: Tensor, lightness: Tensor) -> Tensor:
    """Describe images by rank of lightness and by color relative to its spread.

    Args:
        colors: (N, 3, H, W) OKLab.
        lightness: (256,) of photos in general.

    Returns:
        (N, 3, H, W): rank in [0, 1], and two values of about +-1.
    """
    mixed = torch.lerp(_distribution(colors), lightness, _PRIOR)
    side = _SMOOTHED // 2
    smooth = F.avg_pool1d(F.pad(mixed[:, None], (side, side), mode="replicate"), _SMOOTHED, 1)[:, 0]
    ranks = smooth.cumsum(1)
    ranks = F.pad(ranks / ranks[:, -1:], (1, 0))  # at the borders of bins
    at = (colors[:, 0].clamp(0, 1) * _BINS).flatten(1)
    below = at.long().clamp(max=_BINS - 1)
    rank = torch.lerp(ranks.gather(1, below), ranks.gather(1, below + 1), at - below)
    spread = colors[:, 1:].square().mean((1, 2, 3), keepdim=True).sqrt() + _LEAST_SPREAD
    return torch.cat([rank.view_as(colors[:, :1]), colors[:, 1:] / spread], 1)


class ColorTransfer:
    """Gives photos a painting's colors.

    Args:
        painting: (1, 3, H, W) float32 sRGB in [0, 1].
        photos: what photos look like.
        palette: how many of the painting's colors are used; 0 for all of them.
    """

    def __init__(self, painting: Tensor, photos: PhotoStatistics, palette: int = 0) -> None:
        device, generator = painting.device, torch.Generator().manual_seed(0)
        paint = _sample(_paint(painting.cpu()), generator)
        self._palette = _main_colors(paint, palette).float().to(device) if palette else None
        self._lightness = photos.lightness.float().to(device)
        levels = torch.quantile(paint[:, 0], torch.linspace(0, 1, _BINS + 1, dtype=paint.dtype))
        self._levels = levels.float().to(device)
        spread = paint[:, 1:].square().mean().sqrt() + 1e-6
        self._spread = float(spread)
        ranks = paint[:, 0].argsort().argsort().to(paint.dtype) / len(paint)
        wanted = torch.cat([ranks[:, None], paint[:, 1:] / spread], 1)
        chosen = torch.randint(len(photos.colors), (_POINTS,), generator=generator)
        given = photos.colors.cpu()[chosen]
        weights = given.new_tensor((_LIGHTNESS, 1.0, 1.0))
        moved = transport(given * weights, wanted * weights, generator) / weights
        self._table = _table(given, moved).float()[None].to(device)

    def __call__(self, photos: Tensor) -> Tensor:
        """Give photos the painting's colors.

        Args:
            photos: (N, 3, H, W) float32 sRGB in [0, 1], on the painting's device.

        Returns:
            The same shape and range.
        """
        relative = relative_colors(to_oklab(photos), self._lightness)
        rank, first, second = relative.unbind(1)
        # grid_sample wants the last axis of the table first.
        places = torch.stack((second / _REACH, first / _REACH, 2 * rank - 1), -1)[:, None]
        table = self._table.expand(len(photos), -1, -1, -1, -1)
        found = F.grid_sample(table, places, padding_mode="border", align_corners=True)[:, :, 0]
        at = found[:, 0].clamp(0, 1) * _BINS
        below = at.long().clamp(max=_BINS - 1)
        lightness = torch.lerp(self._levels[below], self._levels[below + 1], at - below)
        colors = torch.cat([lightness[:, None], found[:, 1:] * self._spread], 1)
        return from_oklab(colors if self._palette is None else _pull(colors, self._palette))


def vivid(painting: Tensor, contrast: float, saturation: float) -> Tensor:
    """A painting with stronger light and dark, and stronger colors.

    Colors move away from their own mean rather than from grey: paper stays paper, and what is printed on
    it stands out. Most of the way, that is: a painting that is all gold shall become more golden, too.

    Args:
        painting: (1, 3, H, W) float32 sRGB in [0, 1].
        contrast: factor of the distance of lightness from its mean.
        saturation: factor of colors.

    Returns:
        The same shape and range.
    """
    colors = to_oklab(painting)
    light, color = colors[:, :1], colors[:, 1:]
    light = (light - light.mean()) * contrast + light.mean()
    pivot = _PIVOT * color.mean((2, 3), keepdim=True)
    return from_oklab(torch.cat([light.clamp(_DARKEST, _BRIGHTEST), (color - pivot) * saturation + pivot], 1))


def lively_contrast(painting: Tensor) -> float:
    """The contrast for `vivid` with which photos in a painting's lightness can still be told: a painting in
    light and dark keeps its own, a hazy or even one gets more.

    Args:
        painting: (1, 3, H, W) float32 sRGB in [0, 1].
    """
    spread = float(to_oklab(painting.double())[:, 0].std())
    least, most = _LIVELY_CONTRAST
    return min(most, max(least, _LIVELY_SPREAD / max(spread, 1e-6)))


def _paint(painting: Tensor) -> Tensor:
    """A painting's colors without its grain, (n, 3) OKLab."""
    blur = _GRAIN * min(painting.shape[2:]) / 400
    width = 2 * max(1, round(3 * blur)) + 1
    soft = gaussian_blur(painting.double(), [width, width], [blur, blur])
    return to_oklab(soft).flatten(2)[0].T


def _sample(paint: Tensor, generator: torch.Generator) -> Tensor:
    """So many of a painting's colors; those that stand out more often than they cover canvas."""
    apart = ((paint - paint.mean(0)) * paint.new_tensor((0.2, 1.0, 1.0))).norm(dim=1)
    chances = (0.2 + apart / (apart.mean() + 1e-6)) ** _ACCENT
    sums = chances.cumsum(0)
    at = torch.rand(_POINTS, generator=generator, dtype=paint.dtype) * sums[-1]
    return paint[torch.searchsorted(sums, at).clamp(max=len(paint) - 1)]


def _main_colors(paint: Tensor, count: int) -> Tensor:
    """The colors that (n, 3) OKLab colors gather around: (count, 3), by k-means."""
    points = (paint * paint.new_tensor(_CHROMA)).float().numpy()
    criteria = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_MAX_ITER, 50, 1e-4)
    cv2.setRNGSeed(0)
    _, _, centers = cv2.kmeans(points, count, None, criteria, 4, cv2.KMEANS_PP_CENTERS)  # type: ignore[call-overload]
    return torch.from_numpy(centers).to(paint.dtype) / paint.new_tensor(_CHROMA)


def _pull(colors: Tensor, palette: Tensor) -> Tensor:
    """Colors, (N, 3, H, W) OKLab, drawn to the nearest of (k, 3), softly where two are about as near."""
    weights = colors.new_tensor(_CHROMA)
    flat = colors.flatten(2).transpose(1, 2)
    apart = torch.cdist(flat * weights, palette * weights).square()
    return (torch.softmax(-apart / (2 * _PULL**2), 2) @ palette).transpose(1, 2).view_as(colors)


def transport(given: Tensor, wanted: Tensor, generator: torch.Generator) -> Tensor:
    """Move points until they are spread as others are, each by as little as possible.

    Args:
        given: (n, 3).
        wanted: (n, 3).
        generator: draws the lines.

    Returns:
        (n, 3): the points of `given`, moved.
    """
    moved = given.clone()
    for _ in range(_LINES):
        lines = torch.linalg.qr(torch.randn(3, 3, generator=generator, dtype=given.dtype))[0]
        along = moved @ lines
        order = along.argsort(0)
        steps = torch.empty_like(along).scatter_(0, order, (wanted @ lines).sort(0)[0])
        moved += _MOVED * (steps - along) @ lines.T
    return moved


def _table(given: Tensor, moved: Tensor) -> Tensor:
    """Where relative colors go, at the nodes of a grid: (3, nodes, nodes, nodes)."""
    ranks = torch.linspace(0, 1, _NODES, dtype=given.dtype)
    reach = torch.linspace(-_REACH, _REACH, _NODES, dtype=given.dtype)
    nodes = torch.stack(torch.meshgrid(ranks, reach, reach, indexing="ij"), -1).flatten(0, 2)
    scale = given.new_tensor((5.0, 1.6, 1.6))
    sample = slice(None, None, 4)  # enough for a smooth table
    found = []
    for part in torch.split(nodes, 512):
        apart = torch.cdist(part * scale, given[sample] * scale).square()
        # The nearest always counts: far from all colors of photos the table goes on as it is.
        shares = torch.softmax(-apart / (2 * _SOFT**2), 1)
        found.append(shares @ moved[sample])
    return torch.cat(found).T.reshape(3, _NODES, _NODES, _NODES)
