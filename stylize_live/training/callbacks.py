"""What is done between the steps of a run: previews at set shares of the budget, and the report.

The report is also written every minute, as a sign of life: a run that is killed cannot say so itself.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from stylize_live.errors import StylizeError, describe_error
from stylize_live.nets.transformer import Architecture, ResidualTransformer
from stylize_live.system.clock import monotonic
from stylize_live.training.preview import Previews
from stylize_live.training.report import TrainingReport, write_training_report
from stylize_live.training.style_metrics import StyleFigures
from stylize_live.training.trainer import Progress, Trainer

log = logging.getLogger(__name__)

# A style changes fast at first: early previews are closer together.
_PREVIEW_SHARES = (0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75)
_SIGN_OF_LIFE = 60.0  # seconds between two


class TrainingCallbacks:
    """Called after every step.

    Args:
        report: what is known before the first step.
        path: where the report goes.
        previews: the photos to paint.
        trainer: to take the weights from.
        architecture: of its network.
        device: where to paint.
        on_step: called after every step, first.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        report: TrainingReport,
        path: Path,
        previews: Previews,
        trainer: Trainer,
        architecture: Architecture,
        device: torch.device,
        on_step: Callable[[Progress], None],
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._report, self._path, self._previews, self._on_step = report, path, previews, on_step
        self._trainer, self._architecture, self._device = trainer, architecture, device
        self._next = 0
        self._clock = clock
        self._written_at: float | None = None

    def begin(self) -> None:
        """Show the photos and, unless the run is being resumed, what the network makes of them."""
        is_fresh = self._trainer.progress.step == 0
        if is_fresh:
            self._previews.clear()
        self._previews.write_photos()
        if is_fresh:
            self._write_preview()
        else:
            self._write()  # it may say that the run was interrupted
        self._next = sum(share <= self._trainer.progress.done for share in _PREVIEW_SHARES)

    def __call__(self, progress: Progress) -> None:
        """Pass a step on; write a preview or the report, if it is time."""
        self._on_step(progress)
        passed = sum(share <= progress.done for share in _PREVIEW_SHARES)
        if passed > self._next and progress.done < 1:
            self._next = passed
            self._try(self._write_preview)
        elif self._written_at is None or self._clock() - self._written_at >= _SIGN_OF_LIFE:
            self._try(self._write)

    def finish(self, figures: StyleFigures, learnt: dict[str, Tensor]) -> None:
        """Write the last preview, of the weights that the figures are of; the report gets these."""
        self._report = replace(self._report, figures=figures)
        self._try(lambda: self._write_preview(learnt))

    def mark_interrupted(self) -> None:
        """Have the report of a run that has begun say so, where it can be written."""
        self._report = replace(self._report, figures=None, interrupted=True)
        if self._written_at is not None:
            with suppress(StylizeError):
                self._write()

    def _try(self, work: Callable[[], None]) -> None:
        """Do some writing; a file that cannot be written is no reason to lose what was learnt."""
        try:
            work()
        except (StylizeError, OSError) as error:
            self._written_at = self._clock()  # the next try is a minute away, not a step
            log.warning("%s; training goes on", describe_error(error))

    def _write_preview(self, weights: dict[str, Tensor] | None = None) -> None:
        progress = self._trainer.progress
        network = build_network(self._architecture, weights or self._trainer.weights, self._device)
        self._previews.write(f"step-{progress.step:06d}.jpg", network, self._device)
        if progress.step not in progress.preview_steps:
            progress.preview_steps.append(progress.step)
        self._write()

    def _write(self) -> None:
        write_training_report(self._path, self._report, self._trainer.progress, self._previews.folder)
        self._written_at = self._clock()


def build_network(
    architecture: Architecture, weights: dict[str, Tensor], device: torch.device
) -> ResidualTransformer:
    """A new network in evaluation mode that carries a copy of the weights."""
    network = ResidualTransformer(architecture)
    network.load_state_dict({name: value.cpu() for name, value in weights.items()})
    return network.eval().requires_grad_(False).to(device)
