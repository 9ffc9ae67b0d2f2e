"""Keyframes as training takes them: read, compared, and cropped by step and seed alone."""

from __future__ import annotations

import logging
from pathlib import Path
from types import EllipsisType

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor

from stylize_live.engine.core.render_options import RenderOptions
from stylize_live.engine.cpu.compositing import shrink_to
from stylize_live.errors import TrainingError
from stylize_live.frame import Pixels
from stylize_live.lifecycle import Closeable
from stylize_live.media.image.io import Still, on_paper, read_image
from stylize_live.media.libraries import cv2
from stylize_live.training.dataset import LONGEST, Crops, is_strip, to_tensor
from stylize_live.training.keyframe import Keyframe

log = logging.getLogger(__name__)

_LEAST_SIDE = 64  # pixels of a frame: crops of less hold nothing to compare
_TURNED = 0.02  # of its shape, that a painting may be off: sides are rounded
_UNPAINTED = 1.0  # mean levels of difference, below which nothing was painted: JPEG alone makes some
# Where frame and painting are compared roughly: both this high, blurred by so many pixels.
_ROUGH_SIDE, _ROUGH_BLUR = 96, 1.5
# Correlation, below which they do not seem to show the same: strangers reach it once in ten times.
_ALIKE = 0.5
_LEAST_SHARE = 0.6  # of a frame's sides, that a crop has at least


def load_keyframe(keyframe: Keyframe) -> Crops:
    """Read a pair, at the size that frames are painted at.

    Returns:
        The whole frame, whose subject is the painting.

    Raises:
        SourceError: one is no image.
        TrainingError: they differ in shape, are too small, or nothing was painted.
    """
    frame, painting = on_paper(read_image(keyframe.frame)), read_image(keyframe.painting)
    _check_shapes(keyframe, frame, painting.pixels)
    height, width = frame.shape[:2]
    size = RenderOptions().working_size((width, height))
    small = shrink_to(frame, size)
    painted = _laid_over(painting, small)
    difference = float(np.abs(small.astype(np.int16) - painted).mean())
    if difference < _UNPAINTED:
        raise TrainingError(f"{keyframe.painting}: nothing is painted on it, it is {keyframe.frame} itself")
    if likeness(small, painted) < _ALIKE:
        log.warning(
            "%s does not seem to show what %s shows: is it that frame, painted over?",
            keyframe.painting.name,
            keyframe.frame.name,
        )
    return Crops(to_tensor(small), to_tensor(painted))


def _check_shapes(keyframe: Keyframe, frame: Pixels, painting: Pixels) -> None:
    """Raise `TrainingError` for images that cannot lie over each other, or in which there is no room."""
    (height, width), (rows, columns) = frame.shape[:2], painting.shape[:2]
    if abs(height * columns / (width * rows) - 1) > _TURNED:
        raise TrainingError(
            f"{keyframe.painting}: has {columns}x{rows} pixels, but {keyframe.frame} {width}x{height}: "
            "paint over the whole frame, and keep its shape"
        )
    if is_strip(frame):
        raise TrainingError(f"{keyframe.frame}: is longer than 1:{LONGEST}, which no frame of a video is")
    if min(height, width) < _LEAST_SIDE:
        raise TrainingError(
            f"{keyframe.frame}: has {width}x{height} pixels: a frame has at least {_LEAST_SIDE} a side"
        )


def _laid_over(painting: Still, frame: Pixels) -> Pixels:
    """A painting over its frame, at the frame's size."""
    size = frame.shape[1], frame.shape[0]
    if painting.alpha is None:
        return shrink_to(painting.pixels, size)
    # Pillow scales colors with their alpha: what transparent places hide does not bleed over their edges.
    layer = Image.fromarray(np.dstack([painting.pixels, painting.alpha]))
    layer = layer.resize(size, Image.Resampling.LANCZOS)
    over = Image.alpha_composite(Image.fromarray(frame).convert("RGBA"), layer)
    return np.array(over.convert("RGB"))


def likeness(frame: Pixels, painted: Pixels) -> float:
    """How much two images of one size show the same, whatever their colors: up to 1, near 0 for strangers.

    The better of two correlations: of light and dark, which a painting may turn around, and of edges, which
    it may leave out.
    """
    rough = [_rough_light(pixels) for pixels in (frame, painted)]
    return max(abs(_correlation(*rough)), _correlation(*map(_edges, rough)))


def _rough_light(pixels: Pixels) -> npt.NDArray[np.float32]:
    scale = _ROUGH_SIDE / min(pixels.shape[:2])
    light = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY).astype(np.float32)
    small = cv2.resize(light, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.GaussianBlur(small, (0, 0), _ROUGH_BLUR), np.float32)


def _edges(light: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    down, right = np.gradient(light)
    return np.asarray(np.hypot(down, right), np.float32)


def _correlation(one: npt.NDArray[np.float32], other: npt.NDArray[np.float32]) -> float:
    """Pearson's; 0 where one of them is the same everywhere."""
    one, other = one - one.mean(), other - other.mean()
    scale = float(np.sqrt((one**2).sum() * (other**2).sum()))
    return float((one * other).sum()) / scale if scale > 0 else 0.0


class KeyframeBatches(Closeable):
    """Batches of crops of keyframes; does what `PhotoBatches` does. The painting is the crop's subject.

    Crops are large, because the network's norms see a whole crop: of a small one they would take away what it
    has for a color. They lie anywhere, so that nothing is learnt that depends on the place in the network's
    grid. They are not mirrored, because hatching and light have a direction.

    The batch of a step depends on the seed and the step alone.

    Args:
        pairs: whole frames, see `load_keyframe`.
        batch: crops in a batch.
        seed: start of the random sequence.

    Attributes:
        size: crops in a batch.
        unreadable: none ever.
    """

    def __init__(self, pairs: list[Crops], *, batch: int, seed: int) -> None:
        self._pairs, self.size, self._seed = pairs, batch, seed
        self._height, self._width = (min(pair.photos.shape[axis] for pair in pairs) for axis in (2, 3))
        self.unreadable: set[Path] = set()

    def close(self) -> None:
        """Nothing is open."""

    def __call__(self, step: int) -> Crops:
        """The batch of a step, where the pairs are."""
        rng = np.random.default_rng((self._seed, step))
        share = rng.uniform(_LEAST_SHARE, 1)
        size = round(self._height * share), round(self._width * share)
        crops = [self._crop_one(rng, size) for _ in range(self.size)]
        return Crops(torch.cat([crop.photos for crop in crops]), torch.cat([crop.subjects for crop in crops]))

    def _crop_one(self, rng: np.random.Generator, size: tuple[int, int]) -> Crops:
        pair = self._pairs[rng.integers(len(self._pairs))]
        part = random_part(rng, pair.photos, size)
        return Crops(pair.photos[part], pair.subjects[part])


def random_part(
    rng: np.random.Generator, images: Tensor, size: tuple[int, int]
) -> tuple[EllipsisType, slice, slice]:
    """The index of a part of (N, 3, H, W) images that is (height, width), at a random place."""
    places = [
        (int(rng.integers(most - side + 1)), side) for most, side in zip(images.shape[2:], size, strict=True)
    ]
    down, across = (slice(start, start + side) for start, side in places)
    return ..., down, across
