"""Making a style that is there already better, for as long as anybody likes.

Training has an end that is known before; this has none. So its rate falls with the steps alone (inverse
square root, as in Vaswani et al. 2017, section 5.3), what is given away is the running average of the
weights, and only where that measures better than what was given before.
"""

from __future__ import annotations

import hashlib
import logging
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from stylize_live.errors import TrainingError
from stylize_live.frame import Pixels
from stylize_live.nets.checkpoint import Checkpoint, Weights, weights_of
from stylize_live.system.clock import monotonic
from stylize_live.system.replacing import remove
from stylize_live.training.abstraction import abstract
from stylize_live.training.callbacks import build_network
from stylize_live.training.color_transfer import PhotoStatistics, lively_contrast
from stylize_live.training.dataset import Crops, random_crop, to_tensor
from stylize_live.training.features import FeatureNetwork
from stylize_live.training.objective import Objective
from stylize_live.training.painting import load_painting
from stylize_live.training.settings import USUAL_RECIPE, TrainSettings
from stylize_live.training.trainer import Progress, Trainer

log = logging.getLogger(__name__)

_ENDLESS = 10**9  # steps: whoever learns says when it is enough
# No steps for colors alone: they would destroy a good start first. Coarse texture is right before fine is,
# and colors count more in a short practice: chosen blind, docs/blind.md.
RECIPE = USUAL_RECIPE.model_copy(
    update={
        "steps": _ENDLESS,
        "batch": 1,
        "crop": 192,
        "painting_blur": 0.9,
        "saturation": 1.4,
        "lines": 0.4,
        "color_weight": 120.0,
        "pixel_weight": 4.0,
        "fine_weight": 0.3,
        "pooled": 0.2,
        "colors": 0.0,
        "rate": 8e-4,
    }
)
_WARM_UP, _FALLS = 20, 150  # steps: of a rising rate, and after which it has fallen by 0.7
_HALFWAY = 300  # steps after which half of what was learnt is shown
_LATEST = 24  # frames that are practised on, the newest
_FRAMES_SHARE = 0.5  # of the practice, where there are frames


@dataclass(frozen=True, slots=True)
class Better:
    """Weights that measure better than those before.

    Attributes:
        weights: of the network, for the usual boldness.
        steps: so far.
        seconds: of practice so far.
        error: the loss on images that were not practised on.
    """

    weights: Weights
    steps: int
    seconds: float
    error: float


class PracticeCrops:
    """Random crops of images in memory, by step and seed.

    Args:
        photos: (H, W, 3) uint8 each.
        batch: crops of a step.
        crop: their side in pixels.
        seed: start of the random sequence.
        lines: how dark edges are drawn into the subjects, see `abstract`.
    """

    def __init__(
        self, photos: Sequence[Pixels], *, batch: int, crop: int, seed: int, lines: float = 0.0
    ) -> None:
        self._photos, self._batch, self._crop, self._seed = list(photos), batch, crop, seed
        self._lines = lines
        self._frames: list[Pixels] = []

    def add(self, frame: Pixels) -> None:
        """Practise on a frame, too; of many, on the newest."""
        self._frames = [*self._frames, frame][-_LATEST:]

    def __call__(self, step: int) -> Crops:
        """The crops of a step; with the same frames always the same."""
        rng = np.random.default_rng((self._seed, step, 2))
        crops = [self._crop_one(rng) for _ in range(self._batch)]
        subjects = [to_tensor(abstract(crop, self._lines)) for crop in crops]
        return Crops(torch.cat([to_tensor(crop) for crop in crops]), torch.cat(subjects))

    def _crop_one(self, rng: np.random.Generator) -> Pixels:
        on_frames = bool(self._frames) and (not self._photos or rng.random() < _FRAMES_SHARE)
        images = self._frames if on_frames else self._photos
        return random_crop(images[rng.integers(len(images))], self._crop, rng)


class Refinement:
    """Improves a style after its painting.

    Args:
        start: the style; of two ends, what lies between them at the usual boldness is improved.
        painting: image file to learn from.
        photos: (H, W, 3) uint8 each.
        held_out: so many of them, the first, are measured on and not practised on.
        features: perceptual network.
        state: file that the work is kept in, and gone on from.
        device: where to compute.
        settings: see `RECIPE`.

    Attributes:
        crops: what is practised on.
        device: as given.
        settings: as given; the recipe's contrast is chosen for the painting.
        seconds: of practice so far, without pauses; on a CPU of processor time.

    Raises:
        SourceError: the painting cannot be read.
        TrainingError: there is nothing on it.
    """

    def __init__(
        self,
        start: Checkpoint,
        painting: Path,
        photos: Sequence[Pixels],
        *,
        held_out: int = 3,
        features: FeatureNetwork,
        state: Path,
        device: torch.device,
        settings: TrainSettings = RECIPE,
    ) -> None:
        image = load_painting(painting, settings).to(device)
        if settings.contrast == RECIPE.contrast:  # nobody has chosen another one
            settings = settings.model_copy(update={"contrast": lively_contrast(image)})
        self.device, self.settings = device, settings
        statistics = PhotoStatistics.of(to_tensor(abstract(photo)) for photo in photos)
        batch, side = settings.batch or 1, settings.crop or 192
        self._objective = Objective(features, [image], statistics, settings)
        measured, practised = photos[:held_out], photos[held_out:]
        lines = settings.lines
        self.crops = PracticeCrops(practised, batch=batch, crop=side, seed=settings.seed, lines=lines)
        held = PracticeCrops(measured, batch=2 * held_out, crop=side, seed=1, lines=lines)
        self._held_out = held(0).to(device)
        self._trainer = Trainer(
            start.network().requires_grad_(True),
            self._objective,
            self.crops,
            settings,
            device=device,
            state_path=state,
            task=f"refinement of {_digest(image)}",
            schedule=_schedule,
        )
        self._state = state
        self.seconds = 0.0
        self._before = {name: weight.clone() for name, weight in self._trainer.weights.items()}
        self._lowest = self._error(self._before)

    @property
    def progress(self) -> Progress:
        """Steps and losses so far."""
        return self._trainer.progress

    def resume(self) -> Better | None:
        """Go on where an earlier process stopped; what it had learnt, if that is better than the start.

        A state that cannot be used is removed.
        """
        try:
            if not self._trainer.resume():
                return None
        except TrainingError as error:
            log.info("%s", error)
            remove(self._state)
            return None
        self.seconds = self._trainer.progress.seconds
        return self.measure()

    def save(self) -> None:
        """Keep what was learnt. Raises `SinkError`."""
        self._trainer.progress.seconds = self.seconds
        self._trainer.save()

    def run(self, on_step: Callable[[float], None]) -> None:
        """Practise until `on_step`, called after every step with the seconds that it took, raises.

        Raises:
            TrainingError: the loss is no longer a number.
        """
        began, worked = monotonic(), self._work_done()

        def count(progress: Progress) -> None:
            nonlocal began, worked
            self.seconds += self._work_done() - worked
            on_step(monotonic() - began)
            began, worked = monotonic(), self._work_done()

        self._trainer.run(on_step=count, save_every=math.inf)

    def _work_done(self) -> float:
        """Seconds of work so far; on a CPU, those that its threads had, which a busy machine stretches."""
        return monotonic() if self.device.type == "cuda" else time.process_time() / torch.get_num_threads()

    def measure(self) -> Better | None:
        """What was learnt so far, if it is better than what was asked for before.

        It lies between the start and the weights that practice has come to, ever nearer to these: strokes of
        a short practice are right and rough, and networks between the two are clean (see `Checkpoint.at`).
        """
        steps, learnt = self._trainer.progress.step, self._trainer.weights
        share = steps / (steps + _HALFWAY)
        weights = {name: torch.lerp(self._before[name], learnt[name], share) for name in learnt}
        error = self._error(weights)
        if not error < self._lowest:
            return None
        self._lowest = error
        copied = {name: array.copy() for name, array in weights_of(weights).items()}
        return Better(copied, steps, self.seconds, error)

    @torch.no_grad()
    def _error(self, weights: dict[str, Tensor]) -> float:
        """The loss on what is never practised on; it changes nothing."""
        network = build_network(self._trainer.network.architecture, weights, self.device)
        remembered = self._objective.tensors()
        self._objective.load({})
        terms = self._objective.terms(network, self._held_out, 0)
        self._objective.load(remembered)
        return float(self._objective.total(terms))


def _schedule(step: int, done: float) -> float:
    """Share of the peak rate: it rises for some steps, and falls with the square root of their number."""
    return min(1.0, (step + 1) / _WARM_UP) / math.sqrt(1 + step / _FALLS)


def _digest(image: Tensor) -> str:
    values: npt.NDArray[Any] = image.detach().float().cpu().numpy()
    return hashlib.sha256(values.tobytes()).hexdigest()
