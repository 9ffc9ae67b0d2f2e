"""Training photos: found in a folder, read in the background, cropped by step and seed alone."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from stylize_live.errors import SourceError, TrainingError
from stylize_live.frame import Pixels
from stylize_live.lifecycle import Closeable
from stylize_live.media.image.io import SUFFIXES, on_paper, read_image, resize
from stylize_live.system.folders import is_hidden
from stylize_live.training.abstraction import abstract

log = logging.getLogger(__name__)

# Long over short side of the part of a strip that a crop is taken from; no usual photo is longer.
LONGEST = 8
# Short side of a photo over the side of a crop from it, at most.
WIDEST = 1.7
_MOST_SHOWN = 12  # photos, that are shown and measured
_SAMPLE, _SAMPLE_SIDE = 64, 96  # photos, and pixels of their short side, that stand for all


def find_photos(folder: Path) -> list[Path]:
    """All images below a folder, sorted by path; hidden files and folders are left out.

    Raises:
        TrainingError: the folder does not exist or holds no images.
    """
    if not folder.is_dir():
        raise TrainingError(f"{folder}: no such folder of photos")
    found = (p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file())
    hidden = lru_cache(maxsize=None)(is_hidden)  # a folder is asked once for all its photos
    photos = sorted(p for p in found if not any(hidden(part) for part in _below(folder, p)))
    if not photos:
        raise TrainingError(f"{folder}: no photos in it (jpg, png or webp)")
    return photos


def _below(folder: Path, path: Path) -> Iterator[Path]:
    """A path and the folders on the way to it."""
    yield path
    for parent in path.parents:
        if parent == folder:
            return
        yield parent


def split_photos(photos: list[Path]) -> tuple[list[Path], list[Path]]:
    """Keep some photos out of training for previews and figures: twelve, or a tenth of a small set.

    They are spread evenly over the sorted list, so that the same folder always gives the same split.
    Of fewer than ten none can be spared: the first one is in both lists.
    """
    kept_out = min(_MOST_SHOWN, len(photos) // 10)
    if kept_out == 0:
        return photos, photos[:1]
    held = spread(photos, kept_out)
    chosen = set(held)
    return [p for p in photos if p not in chosen], held


def spread(photos: list[Path], count: int = _MOST_SHOWN) -> list[Path]:
    """So many photos, evenly spread over a list; all, where there are no more."""
    if count >= len(photos):
        return photos
    return [photos[round((i + 0.5) * len(photos) / count)] for i in range(count)]


def sift(photos: list[Path]) -> tuple[list[Path], set[Path]]:
    """Try photos: gives those that can be shown, neither damaged nor long strips, and the damaged ones."""
    shown, unreadable = [], set()
    for photo in photos:
        try:
            strip = is_strip(read_image(photo, least_side=64).pixels)
        except SourceError as error:
            log.info("photo skipped: %s", error)
            unreadable.add(photo)
            continue
        if not strip:
            shown.append(photo)
    return shown, unreadable


def which_photos(count: int, *, kept_out: bool) -> str:
    """Which photos errors were measured on, in words to stand behind their number."""
    origin = "kept out of training" if kept_out else "it has practised on, too"
    return f"{photo_word(count)} {origin}"


def photo_word(count: int) -> str:
    """The word "photo" or "photos", to stand behind a number."""
    return "photo" if count == 1 else "photos"


def is_strip(pixels: Pixels) -> bool:
    """Whether an image is too long and narrow to be shown or measured."""
    height, width = pixels.shape[:2]
    return bool(max(height, width) > LONGEST * min(height, width))


def to_tensor(pixels: Pixels) -> Tensor:
    """(H, W, 3) uint8 -> (1, 3, H, W) float32 in [0, 1]."""
    return torch.from_numpy(pixels).permute(2, 0, 1)[None].float() / 255


@dataclass(frozen=True, slots=True)
class Crops:
    """A batch.

    Attributes:
        photos: (N, 3, c, c) float32 in [0, 1].
        subjects: the same places, abstracted.
    """

    photos: Tensor
    subjects: Tensor

    def to(self, device: torch.device) -> Crops:
        """The same on a device."""
        return Crops(*(t.to(device, non_blocking=True) for t in (self.photos, self.subjects)))


class PhotoBatches(Closeable):
    """Batches of random crops, prepared ahead in background threads.

    The batch of a step depends on the seed and the step alone, so that a resumed run sees what an
    uninterrupted one would have seen. Photos that cannot be read are skipped and counted.

    Args:
        photos: files to draw from.
        batch: crops in a batch.
        crop: side of a crop in pixels.
        seed: start of the random sequence.
        threads: how many batches are prepared at the same time.
        lines: how dark edges are drawn into the subjects, see `abstract`.

    Attributes:
        size: crops in a batch.
        unreadable: photos that were skipped so far.
    """

    def __init__(
        self, photos: list[Path], *, batch: int, crop: int, seed: int, threads: int = 1, lines: float = 0.0
    ) -> None:
        self._photos, self._lines = photos, lines
        self.size, self._crop, self._seed = batch, crop, seed
        self.unreadable: set[Path] = set()
        self._threads = threads
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="photos")
        self._ahead: dict[int, Future[Crops]] = {}

    def close(self) -> None:
        """End the background threads. May be called twice."""
        self._pool.shutdown(cancel_futures=True)

    def __call__(self, step: int) -> Crops:
        """The batch of a step.

        Raises:
            TrainingError: no photo can be read.
        """
        soon = range(step, step + self._threads + 1)
        self._ahead = {s: self._ahead.get(s) or self._pool.submit(self._make, s) for s in soon}
        return self._ahead[step].result()

    def _make(self, step: int) -> Crops:
        rng = np.random.default_rng((self._seed, step))
        crops = [self._crop_one(rng) for _ in range(self.size)]
        return Crops(
            torch.cat([to_tensor(crop) for crop in crops]),
            torch.cat([to_tensor(abstract(crop, self._lines)) for crop in crops]),
        )

    def _crop_one(self, rng: np.random.Generator) -> Pixels:
        while len(self.unreadable) < len(self._photos):
            path = self._photos[rng.integers(len(self._photos))]
            if path in self.unreadable:
                continue
            try:
                pixels = on_paper(read_image(path, least_side=2 * self._crop))
            except SourceError as error:
                self.unreadable.add(path)
                log.info("photo skipped: %s", error)
                continue
            return random_crop(pixels, self._crop, rng)
        raise TrainingError("none of the photos can be read")


def sample_crops(photos: list[Path]) -> Iterator[Tensor]:
    """Some photos that stand for all, small and abstracted, (1, 3, h, w) each; damaged ones are left out."""
    for path in photos[:: max(1, len(photos) // _SAMPLE)]:
        try:
            pixels = on_paper(read_image(path, least_side=2 * _SAMPLE_SIDE))
        except SourceError:
            continue
        middle = part_of_strip(pixels, np.random.default_rng(0))
        yield to_tensor(abstract(resize(middle, _SAMPLE_SIDE)))


def random_crop(pixels: Pixels, crop: int, rng: np.random.Generator) -> Pixels:
    """A square crop at a random place and scale (short side 1 to 1.7 times the crop), maybe mirrored."""
    scaled = resize(part_of_strip(pixels, rng), int(crop * rng.uniform(1.0, WIDEST)))
    top = rng.integers(scaled.shape[0] - crop + 1)
    left = rng.integers(scaled.shape[1] - crop + 1)
    square = scaled[top : top + crop, left : left + crop]
    if rng.random() < 0.5:
        square = square[:, ::-1]
    return np.ascontiguousarray(square)


def part_of_strip(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """An image as it is; of a very long one a random part, before it is scaled up to gigabytes."""
    if not is_strip(pixels):
        return pixels
    height, width = pixels.shape[:2]
    longest = LONGEST * min(height, width)
    start = rng.integers(max(height, width) - longest + 1)
    part = slice(start, start + longest)
    return pixels[:, part] if width > height else pixels[part]
