"""Training photos that lie on a GPU: cropped there, so that it never waits for files."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from stylize_live.errors import SourceError, TrainingError
from stylize_live.lifecycle import Closeable
from stylize_live.media.image.io import on_paper, read_image, resize
from stylize_live.training.abstraction import abstract
from stylize_live.training.dataset import WIDEST, Crops, part_of_strip

log = logging.getLogger(__name__)

MOST_PHOTOS = 1500  # of a folder: three gigabytes at crops of 256 pixels


class ResidentBatches(Closeable):
    """Batches of random crops from photos in a GPU's memory; does what `PhotoBatches` does.

    The batch of a step depends on the seed and the step alone.

    Args:
        photos: files to draw from; of very many, some that are spread evenly.
        batch: crops in a batch.
        crop: side of a crop in pixels.
        seed: start of the random sequence.
        device: where the photos go.
        threads: that read them.
        lines: how dark edges are drawn into the subjects, see `abstract`.

    Attributes:
        size: crops in a batch.
        unreadable: photos that were skipped.

    Raises:
        TrainingError: no photo can be read.
    """

    def __init__(
        self,
        photos: list[Path],
        *,
        batch: int,
        crop: int,
        seed: int,
        device: torch.device,
        threads: int,
        lines: float = 0.0,
    ) -> None:
        self.size, self._crop, self._seed, self._lines = batch, crop, seed, lines
        self.unreadable: set[Path] = set()
        side = round(WIDEST * crop)
        chosen = photos[:: -(-len(photos) // MOST_PHOTOS)]
        with ThreadPoolExecutor(threads, thread_name_prefix="photos") as pool:
            found = list(pool.map(lambda path: self._read(path, side), chosen))
        self._photos = [pair.to(device) for pair in found if pair is not None]
        if not self._photos:
            raise TrainingError("none of the photos can be read")

    def close(self) -> None:
        """Let the photos go. May be called twice."""
        self._photos.clear()

    def _read(self, path: Path, side: int) -> Tensor | None:
        """A photo and its abstraction as (6, H, W) uint8, its short side of that many pixels."""
        try:
            pixels = on_paper(read_image(path, least_side=side))
        except SourceError as error:
            self.unreadable.add(path)
            log.info("photo skipped: %s", error)
            return None
        photo = resize(part_of_strip(pixels, np.random.default_rng(0)), side)
        both = np.concatenate([photo, abstract(np.ascontiguousarray(photo), self._lines)], 2)
        return torch.from_numpy(both).permute(2, 0, 1).contiguous()

    def __call__(self, step: int) -> Crops:
        """The batch of a step, on the device."""
        rng = np.random.default_rng((self._seed, step))
        both = torch.cat([self._crop_one(rng) for _ in range(self.size)])
        return Crops(both[:, :3], both[:, 3:])

    def _crop_one(self, rng: np.random.Generator) -> Tensor:
        """(1, 6, crop, crop) float32: a square at a random place and scale, maybe mirrored."""
        pair = self._photos[rng.integers(len(self._photos))]
        side = min(round(self._crop * WIDEST / rng.uniform(1.0, WIDEST)), *pair.shape[1:])
        top, left = (int(rng.integers(length - side + 1)) for length in pair.shape[1:])
        square = pair[None, :, top : top + side, left : left + side].float() / 255
        small = F.interpolate(square, (self._crop, self._crop), mode="bilinear", antialias=True)
        return small.flip(3) if rng.random() < 0.5 else small
