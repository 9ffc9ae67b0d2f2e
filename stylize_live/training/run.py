"""One training run from painting to style file: what `stylize-live train` does."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from stylize_live.errors import SinkError
from stylize_live.nets.checkpoint import Checkpoint, StyleInfo, load_checkpoint, save_checkpoint
from stylize_live.nets.transformer import Architecture, ResidualTransformer, initialise
from stylize_live.training.evaluation import StyleFigures, measure
from stylize_live.training.features import load_features
from stylize_live.training.objective import Objective
from stylize_live.training.painting import load_painting
from stylize_live.training.photos import PhotoBatches, find_photos, split_photos
from stylize_live.training.preview import write_preview
from stylize_live.training.settings import TrainSettings
from stylize_live.training.trainer import Progress, Trainer

log = logging.getLogger(__name__)

_CPU_BATCH, _GPU_BATCH = 2, 16
_PREVIEW_PHOTOS = 4


@dataclass(frozen=True, slots=True)
class Job:
    """What a run reads and writes.

    Attributes:
        paintings: one picture for a style, several for a base.
        photos: folder of ordinary photos.
        features: VGG16 weights as safetensors, or None for torchvision's own.
        target: the style file to write.
        start: a style file to start from, or None to start from scratch.
        previews: folder for preview pictures.
        info: the description to store.
        settings: budget and weights.
        preview_every: seconds between previews.
    """

    paintings: list[Path]
    photos: Path
    features: Path | None
    target: Path
    start: Path | None
    previews: Path
    info: StyleInfo
    settings: TrainSettings = TrainSettings()  # noqa: RUF009 (frozen)
    preview_every: float = 120.0


@dataclass(frozen=True, slots=True)
class Result:
    """What came out of a run.

    Attributes:
        progress: steps, seconds and losses.
        figures: errors on photos that were kept out of training.
        unreadable: how many photos could not be read.
        resumed_at: the step the run went on from; 0 for a fresh one.
    """

    progress: Progress
    figures: StyleFigures
    unreadable: int
    resumed_at: int


def train(
    job: Job, device: torch.device, *, restart: bool = False, on_step: Callable[[Progress], None]
) -> Result:
    """Train a style, writing previews and a state file on the way and the style at the end.

    Interrupting (KeyboardInterrupt) saves the state; the same job then goes on from there.

    Args:
        job: see `Job`.
        device: where to train.
        restart: throw an unfinished run's state away.
        on_step: called after each step.

    Raises:
        TrainingError: no photos, unreadable features or paintings, or the loss diverged.
        SourceError: a painting cannot be read.
        StyleError: the starting style cannot be read.
        SinkError: the target's folder cannot be written.
    """
    _check_target(job.target)
    settings = job.settings
    dtype = torch.bfloat16  # features only: they are compared, never shown
    features = load_features(job.features, device=device, dtype=dtype)
    paintings = [load_painting(path, settings).to(device) for path in job.paintings]
    training_photos, held_out = split_photos(find_photos(job.photos))
    network = _starting_network(job)
    batch = settings.batch or (_GPU_BATCH if device.type == "cuda" else _CPU_BATCH)
    batches = PhotoBatches(training_photos, batch=batch, crop=settings.crop, seed=settings.seed)
    state_path = job.target.with_suffix(".state.safetensors")
    if restart:
        state_path.unlink(missing_ok=True)
    with batches:
        objective = Objective(features, paintings, settings)
        trainer = Trainer(network, objective, batches, settings, device=device, state_path=state_path)
        trainer.resume()
        resumed_at = trainer.progress.step
        watch = _Watch(job, network.architecture, trainer, held_out[:_PREVIEW_PHOTOS], on_step)
        try:
            trainer.run(on_step=watch)
        except KeyboardInterrupt:
            trainer.save()
            raise
    final = _with_weights(network.architecture, trainer.weights)
    figures = measure(final, features, paintings, held_out, device)
    write_preview(job.previews / "final.jpg", final, held_out[:_PREVIEW_PHOTOS])
    record = _record(job, trainer.progress, figures, batch, device)
    save_checkpoint(job.target, Checkpoint(job.info, network.architecture, trainer.weights, record))
    trainer.finish()
    return Result(trainer.progress, figures, len(batches.unreadable), resumed_at)


class _Watch:
    """Passes each step on and writes a preview every so often."""

    def __init__(
        self,
        job: Job,
        architecture: Architecture,
        trainer: Trainer,
        photos: list[Path],
        on_step: Callable[[Progress], None],
    ) -> None:
        self._job, self._architecture, self._trainer = job, architecture, trainer
        self._photos, self._on_step = photos, on_step
        self._last = time.monotonic()

    def __call__(self, progress: Progress) -> None:
        self._on_step(progress)
        if time.monotonic() - self._last > self._job.preview_every:
            network = _with_weights(self._architecture, self._trainer.weights)
            write_preview(self._job.previews / f"step-{progress.step:06d}.jpg", network, self._photos)
            self._last = time.monotonic()


def _check_target(target: Path) -> None:
    """Fail before hours of work, not after."""
    if target.suffix != ".safetensors":
        raise SinkError(f"{target}: a style file's name ends in .safetensors")
    if not target.parent.is_dir():
        raise SinkError(f"{target.parent}: no such folder for the style file")
    if target.is_dir() or not os.access(target.parent, os.W_OK):
        raise SinkError(f"{target}: cannot write the style file there")


def _starting_network(job: Job) -> ResidualTransformer:
    if job.start is None:
        network = ResidualTransformer()
        initialise(network, job.settings.seed)
        return network
    return load_checkpoint(job.start).network().requires_grad_(True)


def _with_weights(architecture: Architecture, weights: dict[str, Tensor]) -> ResidualTransformer:
    network = ResidualTransformer(architecture)
    network.load_state_dict({name: value.cpu() for name, value in weights.items()})
    return network.eval().requires_grad_(False)


def _record(
    job: Job, progress: Progress, figures: StyleFigures, batch: int, device: torch.device
) -> dict[str, object]:
    return {
        "steps": progress.step,
        "minutes": round(progress.seconds / 60, 1),
        "device": device.type,
        "batch": batch,
        "started_from": job.start.stem if job.start else "scratch",
        "settings": job.settings.model_dump(exclude={"steps", "minutes", "batch"}),
        "photos_measured": figures.photos,
        "style_error": round(figures.style, 3),
        "content_error": round(figures.content, 3),
    }
