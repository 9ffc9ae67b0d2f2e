"""The training loop: budget, schedule, averaged weights, saving, resuming."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor
from torch.optim.swa_utils import get_ema_multi_avg_fn

from stylize_live.errors import TrainingError
from stylize_live.nets.transformer import ResidualTransformer
from stylize_live.system.clock import monotonic
from stylize_live.system.replacing import remove
from stylize_live.training.checkpoint import load_training, save_training
from stylize_live.training.dataset import Crops
from stylize_live.training.objective import TrainingObjective
from stylize_live.training.optimizer import MuonAdam
from stylize_live.training.plan import Plan
from stylize_live.training.settings import TrainSettings

log = logging.getLogger(__name__)

DEFAULT_MINUTES = 10.0
_WARM_UP_STEPS = 30
_FADED = 0.03  # share of the budget in which the photo's own light fades out
_LEAST_SHARE = 0.5  # of the minutes, for practice in any case
# What is learnt in this share of the strokes' time is a style's faithful end: its colors, and first strokes.
_FAITHFUL = 0.08
_NOTED = 10  # steps between notes of the losses
_LAST_RATE = 0.02  # share of the peak rate at the end of the cosine
_CLIP = 1.0
_AVERAGE = 0.99  # of the weights, per step


@dataclass(slots=True)
class Progress:
    """Where a run stands.

    Attributes:
        step: steps done.
        seconds: time so far, preparing included, over all resumed parts.
        done: share of the budget for steps used, 0 to 1.
        left: seconds to the end, measuring at the end included; 0 before the first step.
        terms: the loss parts of the newest step that was looked at.
        history: one (step, terms) pair every ten steps, without the first steps, which are for colors.
        preview_steps: steps after which previews were painted.
    """

    step: int = 0
    seconds: float = 0.0
    done: float = 0.0
    terms: dict[str, float] = field(default_factory=dict)
    history: list[tuple[int, dict[str, float]]] = field(default_factory=list)
    preview_steps: list[int] = field(default_factory=list)
    left: float = 0.0


class Trainer:
    """Fits one network to an objective.

    Args:
        network: trained in place.
        objective: what to make small.
        batches: crops of each step.
        settings: budget, rate, seed.
        device: where to compute.
        state_path: file that a killed run resumes from; deleted by `finish`.
        task: tells runs with the same settings but other paintings, features or start apart.
        files: what else the run writes; the state says that they are its own.
        plan: its steps and crops; the state keeps it.
        prepared: seconds that the run has taken before its first step.
        measuring: seconds that it will take to measure after its last step; the minutes hold these too.
        schedule: share of the peak rate, of the steps done and the share of the budget.
    """

    def __init__(
        self,
        network: ResidualTransformer,
        objective: TrainingObjective,
        batches: Callable[[int], Crops],
        settings: TrainSettings,
        *,
        device: torch.device,
        state_path: Path,
        task: str = "",
        files: Sequence[Path] = (),
        plan: Plan | None = None,
        prepared: float = 0.0,
        measuring: float = 0.0,
        schedule: Callable[[int, float], float] | None = None,
    ) -> None:
        self.network = network.to(device).to(memory_format=torch.channels_last).train()
        self._objective, self._batches, self._settings = objective, batches, settings
        self._device, self._state_path, self._task, self._files = device, state_path, task, files
        self._plan, self._prepared, self._measuring = plan, prepared, measuring
        self._schedule = schedule or _schedule
        self._optimizer = MuonAdam(network)
        self._average = {k: v.detach().clone() for k, v in network.state_dict().items()}
        self._faithful: dict[str, Tensor] = {}
        self._brightness = float(network.brightness)  # that the run began with
        self.progress = Progress()

    @property
    def weights(self) -> dict[str, Tensor]:
        """The running average of the weights: steadier than the newest ones, and what is shipped."""
        return self._average

    @property
    def faithful(self) -> dict[str, Tensor]:
        """The average of early on; empty before, and for good in runs of one step."""
        return self._faithful

    def resume(self) -> bool:
        """Go on from a state file, if there is one.

        Raises:
            TrainingError: the file belongs to another run, or is damaged.
        """
        if not self._state_path.exists():
            return False
        self.progress = load_training(self._state_path, self._settings, self._task, *self._parts)
        return True

    def save(self) -> None:
        """Write the state file."""
        save_training(
            self._state_path,
            self._settings,
            self._task,
            *self._parts,
            self.progress,
            files=self._files,
            plan=self._plan,
        )

    @property
    def _parts(
        self,
    ) -> tuple[ResidualTransformer, dict[str, Tensor], dict[str, Tensor], MuonAdam, TrainingObjective]:
        return self.network, self._average, self._faithful, self._optimizer, self._objective

    def finish(self) -> None:
        """Remove the state file; the style has been written."""
        remove(self._state_path)

    def run(self, *, on_step: Callable[[Progress], None], save_every: float = 60.0) -> None:
        """Train until the budget is used up.

        Args:
            on_step: called after every step, in this thread.
            save_every: seconds between state files.

        Raises:
            TrainingError: the loss is no longer a number.
        """
        saved = monotonic()
        started = saved - self._prepared
        before = self.progress.seconds
        while self.progress.done < 1:
            self._step()
            now = monotonic()
            self.progress.seconds = before + now - started
            self.progress.done = self._share_done()
            self.progress.left = self._seconds_left()
            self._keep_faithful()
            on_step(self.progress)
            # Where losses have just been looked at: weights that have become nonsense are not saved.
            if now - saved > save_every and self.progress.step % _NOTED == 0:
                self.save()
                saved = now

    def _keep_faithful(self) -> None:
        colors = self._settings.colors
        if not self._faithful and colors + _FAITHFUL * (1 - colors) <= self.progress.done < 1:
            self._faithful.update({name: value.clone() for name, value in self._average.items()})

    def _share_done(self) -> float:
        s, p = self._settings, self.progress
        minutes = minutes_of(s)
        by_steps = p.step / s.steps if s.steps else 0.0
        if not minutes:
            return by_steps
        return max(by_steps, self._practised / steps_budget(minutes, self._prepared + self._measuring))

    @property
    def _practised(self) -> float:
        """Seconds, without those that this part of the run was prepared in."""
        return self.progress.seconds - self._prepared

    def _seconds_left(self) -> float:
        p = self.progress
        return max(0.0, self._practised / p.done * (1 - p.done)) + self._measuring

    def _step(self) -> None:
        p = self.progress
        self._fade(p.done)
        for_colors = p.done < self._settings.colors
        crops = self._batches(p.step).to(self._device)
        measured = self._objective.color_terms if for_colors else self._objective.terms
        terms = measured(self._paint, crops, p.step)
        loss = self._objective.total(terms)
        self._optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), _CLIP)
        self._optimizer.step(self._settings.rate * self._schedule(p.step, p.done))
        self._update_average()
        p.step += 1
        is_noted = p.step % _NOTED == 0
        # A GPU is only waited for when its losses are looked at.
        if is_noted or self._device.type == "cpu":
            p.terms = self._numbers(terms)
        if is_noted and not for_colors:
            p.history.append((p.step, p.terms))

    def _numbers(self, terms: dict[str, Tensor]) -> dict[str, float]:
        """Losses as numbers, fetched together.

        Raises:
            TrainingError: one is none.
        """
        numbers = torch.stack([term.detach().float() for term in terms.values()]).tolist()
        if not math.isfinite(sum(numbers)):
            step = self.progress.step
            raise TrainingError(f"training diverged at step {step}: try a lower --rate, with --restart")
        return dict(zip(terms, numbers, strict=True))

    def _fade(self, done: float) -> None:
        """Set how much of the photo's brightness is added by now."""
        now = self._brightness + min(1.0, done / _FADED) * (self._settings.brightness - self._brightness)
        self.network.brightness.fill_(now)

    def _paint(self, views: Tensor) -> Tensor:
        # The small network is cheap on a CPU, where float32 keeps its gradients exact. Losses are
        # computed in what they say themselves.
        with torch.autocast("cuda", torch.bfloat16, enabled=self._device.type == "cuda"):
            painted: Tensor = self.network(views)
        return painted

    def _update_average(self) -> None:
        # Short memory at first, or the random start would linger in the average.
        keep = min(_AVERAGE, (1 + self.progress.step) / (10 + self.progress.step))
        newest = self.network.state_dict()
        update = get_ema_multi_avg_fn(keep)  # type: ignore[no-untyped-call]
        update([self._average[name] for name in newest], list(newest.values()), None)
        self._average["brightness"].copy_(self.network.brightness)


def minutes_of(settings: TrainSettings) -> float | None:
    """How many minutes a run takes; None if only its steps are counted."""
    return settings.minutes or (None if settings.steps else DEFAULT_MINUTES)


def steps_budget(minutes: float, other: float) -> float:
    """Seconds of so many minutes that are for practice, if preparing and measuring take so many.

    Half of them at least, even if the minutes are not kept then: a style without practice is none.
    """
    return max(60 * minutes - other, 60 * minutes * _LEAST_SHARE)


def _schedule(step: int, done: float) -> float:
    """Share of the peak rate: a short warm-up, then a cosine to nearly nothing."""
    warm = min(1.0, (step + 1) / _WARM_UP_STEPS)
    cosine = 0.5 * (1 + math.cos(math.pi * min(done, 1.0)))
    return warm * (_LAST_RATE + (1 - _LAST_RATE) * cosine)
