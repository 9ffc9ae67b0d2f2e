"""Training photos: found in a folder, read in the background, cropped by step and seed alone."""

from __future__ import annotations

import logging
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from stylize_live.closing import Closing
from stylize_live.errors import SourceError, TrainingError
from stylize_live.frame import Pixels
from stylize_live.media.still import SUFFIXES, read_still, resized

log = logging.getLogger(__name__)


def find_photos(folder: Path) -> list[Path]:
    """All pictures below a folder, sorted by path.

    Raises:
        TrainingError: the folder does not exist or holds no pictures.
    """
    if not folder.is_dir():
        raise TrainingError(f"{folder}: no such folder of photos")
    photos = sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES)
    if not photos:
        raise TrainingError(f"{folder}: no photos in it (jpg, png or webp)")
    return photos


def split_photos(photos: list[Path]) -> tuple[list[Path], list[Path]]:
    """Keep some photos out of training for previews and figures: twelve, or a tenth of a small set.

    They are spread evenly over the sorted list, so that the same folder always gives the same split.
    """
    kept_out = min(12, len(photos) // 10)
    if kept_out == 0:
        return photos, photos[:1]
    chosen = {round((i + 0.5) * len(photos) / kept_out) for i in range(kept_out)}
    held = [p for i, p in enumerate(photos) if i in chosen]
    return [p for i, p in enumerate(photos) if i not in chosen], held


def to_tensor(pixels: Pixels) -> Tensor:
    """(H, W, 3) uint8 -> (1, 3, H, W) float32 in [0, 1]."""
    return torch.from_numpy(pixels).permute(2, 0, 1)[None].float() / 255


class PhotoBatches(Closing):
    """Batches of random crops, one prepared ahead in a background thread.

    The batch of a step depends on the seed and the step alone, so that a resumed run sees what an
    uninterrupted one would have seen. Photos that cannot be read are skipped and counted.

    Args:
        photos: files to draw from.
        batch: crops in a batch.
        crop: side of a crop in pixels.
        seed: start of the random sequence.
    """

    def __init__(self, photos: list[Path], *, batch: int, crop: int, seed: int) -> None:
        self._photos = photos
        self._batch, self._crop, self._seed = batch, crop, seed
        self.unreadable: set[Path] = set()
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="photos")
        self._ahead: tuple[int, Future[Tensor]] | None = None

    def close(self) -> None:
        """End the background thread. May be called twice."""
        self._pool.shutdown(cancel_futures=True)

    def __call__(self, step: int) -> Tensor:
        """The (N, 3, crop, crop) float32 batch of a step, in [0, 1].

        Raises:
            TrainingError: no photo can be read.
        """
        if self._ahead is None or self._ahead[0] != step:
            self._ahead = step, self._pool.submit(self._make, step)
        batch = self._ahead[1].result()
        self._ahead = step + 1, self._pool.submit(self._make, step + 1)
        return batch

    def _make(self, step: int) -> Tensor:
        rng = np.random.default_rng((self._seed, step))
        return torch.cat([to_tensor(self._crop_one(rng)) for _ in range(self._batch)])

    def _crop_one(self, rng: np.random.Generator) -> Pixels:
        while len(self.unreadable) < len(self._photos):
            path = self._photos[rng.integers(len(self._photos))]
            if path in self.unreadable:
                continue
            try:
                pixels = read_still(path, least_side=2 * self._crop).pixels
            except SourceError as error:
                self.unreadable.add(path)
                log.warning("photo skipped: %s", error)
                continue
            return random_crop(pixels, self._crop, rng)
        raise TrainingError("none of the photos can be read")


def random_crop(pixels: Pixels, crop: int, rng: np.random.Generator) -> Pixels:
    """A square crop at a random place and scale (short side 1 to 1.7 times the crop), maybe mirrored."""
    scaled = resized(pixels, int(crop * rng.uniform(1.0, 1.7)))
    top = rng.integers(scaled.shape[0] - crop + 1)
    left = rng.integers(scaled.shape[1] - crop + 1)
    square = scaled[top : top + crop, left : left + crop]
    if rng.random() < 0.5:
        square = square[:, ::-1]
    return np.ascontiguousarray(square)
