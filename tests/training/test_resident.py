"""Photos in a GPU's memory; here they lie in the CPU's, which is the same code."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from tiny import random_pixels

from stylize_live.errors import TrainingError
from stylize_live.media.image.io import Still, write_image
from stylize_live.training import resident
from stylize_live.training.abstraction import abstract
from stylize_live.training.dataset import find_photos, to_tensor
from stylize_live.training.resident import ResidentBatches

CPU = torch.device("cpu")


def batches(paths: list[Path], **options: int) -> ResidentBatches:
    how = {"batch": 2, "crop": 64, "seed": 1, "threads": 2} | options
    return ResidentBatches(paths, device=CPU, **how)


def test_batches_depend_on_seed_and_step_alone(photos: Path) -> None:
    paths = find_photos(photos)
    with batches(paths) as first, batches(paths, threads=1) as second:
        wanted = [first(step) for step in range(3)]
        assert torch.equal(second(2).photos, wanted[2].photos)
        assert wanted[0].photos.shape == wanted[0].subjects.shape == (2, 3, 64, 64)
        assert wanted[0].photos.dtype == torch.float32
        assert not torch.equal(wanted[0].photos, wanted[1].photos)


def test_subjects_are_the_same_places_abstracted(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).normal(0, 5, (109, 109, 3))
    pixels = np.clip(random_pixels(109, 109) + noise, 0, 255).astype(np.uint8)
    write_image(tmp_path / "a.png", Still(pixels))
    with batches([tmp_path / "a.png"], batch=1, crop=64) as made:
        crops = made(0)
    smooth, rough = (float(c.diff(dim=3).abs().mean()) for c in (crops.subjects, crops.photos))
    assert smooth < 0.8 * rough
    mean = to_tensor(abstract(pixels)).mean()
    assert float((crops.subjects.mean() - crops.photos.mean()).abs()) < 0.02
    assert float((crops.subjects.mean() - mean).abs()) < 0.3


def test_broken_photos_are_skipped_and_counted(photos: Path) -> None:
    (photos / "broken.jpg").write_bytes(b"no image")
    with batches(find_photos(photos), batch=8) as made:
        assert made.unreadable == {photos / "broken.jpg"}
        assert made(0).photos.shape[0] == 8
    with pytest.raises(TrainingError, match="none of the photos"):
        batches([photos / "broken.jpg"])


def test_of_very_many_photos_some_are_taken(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resident, "MOST_PHOTOS", 2)
    (photos / "1.png").write_bytes(b"no image")  # the second of three is not even read
    with batches(find_photos(photos)) as made:
        assert not made.unreadable


@pytest.mark.parametrize("size", [(64, 64), (40, 30), (900, 40), (30, 400)])
def test_photos_of_any_size(size: tuple[int, int], tmp_path: Path) -> None:
    write_image(tmp_path / "a.png", Still(random_pixels(*size)))
    with batches([tmp_path / "a.png"]) as made:
        for step in range(6):
            photos = made(step).photos
            assert photos.shape == (2, 3, 64, 64)
            assert 0 <= float(photos.min()) <= float(photos.max()) <= 1.001
