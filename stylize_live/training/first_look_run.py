"""Trains what takes a first look, over many paintings, with the objective of single styles."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor
from torch.func import functional_call

from stylize_live.nets.transformer import ResidualTransformer
from stylize_live.training.color_transfer import PhotoStatistics
from stylize_live.training.dataset import PhotoBatches
from stylize_live.training.features import FeatureNetwork
from stylize_live.training.first_look import MixPredictor, StyleMix
from stylize_live.training.objective import Objective
from stylize_live.training.painting import load_painting
from stylize_live.training.settings import USUAL_RECIPE, TrainSettings

SETTINGS = USUAL_RECIPE.model_copy(update={"pooled": 0.0, "painting_size": 560})
_PAINTINGS = 2  # in a step
_NOISE = 0.1  # of places: there are few paintings, and what lies between them has to be right, too
_COLOR_STEPS = 60  # for colors alone, to begin with
_HELD = 0.01  # weight of what layers add to nearness
_WARM_UP, _LAST = 30, 0.03  # steps up to the full rate, and the share of it at the end
_RATE, _NEARNESS_RATE = 2e-3, 1e-2
_LONGEST_STEP = 1.0  # of the gradient
_KEPT = 0.98  # of the mean of earlier weights in each step


class FirstLookTrainer:
    """Makes steps.

    Args:
        predictor: is changed.
        mix: makes networks of what it predicts.
        paintings: files.
        places: (paintings, n): where they are, see `PaintingSpace`.
        features: what the objective sees with.
        photos: what photos look like.
        batches: crops of photos.
        settings: of the objective.

    Attributes:
        step: how many were made.
        average: the predictor's state, averaged over late steps: what is exported.
    """

    def __init__(
        self,
        predictor: MixPredictor,
        mix: StyleMix,
        paintings: Sequence[Path],
        places: Tensor,
        features: FeatureNetwork,
        photos: PhotoStatistics,
        batches: PhotoBatches,
        settings: TrainSettings = SETTINGS,
    ) -> None:
        self._predictor, self._mix = predictor, mix
        self._paintings, self._places, self._batches = paintings, places, batches
        self._features, self._photos, self._settings = features, photos, settings
        self._network = ResidualTransformer(mix.architecture)
        self._objectives: dict[int, Objective] = {}
        self._order: list[int] = []
        self._random = random.Random(1)
        self._noise = torch.Generator().manual_seed(1)
        nearness = [predictor.metric, predictor.sharp, predictor.bias]
        others = [p for p in predictor.parameters() if all(p is not one for one in nearness)]
        self._rates = (_RATE, _NEARNESS_RATE)
        self._optimizer = torch.optim.Adam([{"params": others}, {"params": nearness}], betas=(0.9, 0.99))
        self.step = 0
        self.average = self._state()

    def make_step(self, share: float) -> dict[str, float]:
        """Learn from two paintings.

        Args:
            share: of the whole run that has passed, 0 to 1: rates fall with it.

        Returns:
            The parts of the loss, and "added": how far shares are from nearness.
        """
        for group, rate in zip(self._optimizer.param_groups, self._rates, strict=True):
            group["lr"] = rate * _pace(self.step, share)
        self._optimizer.zero_grad()
        sums: dict[str, float] = {}
        for part in range(_PAINTINGS):
            for name, value in self._learn(part).items():
                sums[name] = sums.get(name, 0.0) + value / _PAINTINGS
        torch.nn.utils.clip_grad_norm_(self._predictor.parameters(), _LONGEST_STEP)
        self._optimizer.step()
        self.step += 1
        now = self._state()
        if self.step > 1:
            now = {name: torch.lerp(tensor, self.average[name], _KEPT) for name, tensor in now.items()}
        self.average = now
        return sums

    def _learn(self, part: int) -> dict[str, float]:
        """Add the gradient of one painting, and tell its losses."""
        which = self._next_painting()
        place = self._places[which]
        prediction = self._predictor(place + _NOISE * torch.randn(place.shape, generator=self._noise))
        weights = self._mix(prediction)
        objective = self._objective(which)
        terms_of = objective.color_terms if self.step < _COLOR_STEPS else objective.terms
        crops = self._batches(_PAINTINGS * self.step + part)
        terms = terms_of(lambda x: functional_call(self._network, weights, (x,)), crops, self.step)
        added = prediction.added.square().sum(1).mean()
        ((objective.total(terms) + _HELD * added) / _PAINTINGS).backward()
        return {name: float(term.detach()) for name, term in terms.items()} | {"added": float(added.detach())}

    def _next_painting(self) -> int:
        if not self._order:
            self._order = list(range(len(self._paintings)))
            self._random.shuffle(self._order)
        return self._order.pop()

    def _objective(self, which: int) -> Objective:
        if which not in self._objectives:
            painting = load_painting(self._paintings[which], self._settings)
            self._objectives[which] = Objective(self._features, [painting], self._photos, self._settings)
        return self._objectives[which]

    def _state(self) -> dict[str, Tensor]:
        return {name: tensor.detach().clone() for name, tensor in self._predictor.state_dict().items()}


def _pace(step: int, share: float) -> float:
    """Of the rate: up quickly, then down a cosine."""
    falling = 0.5 * (1 + math.cos(math.pi * min(1.0, share)))
    return min(1.0, (step + 1) / _WARM_UP) * (falling * (1 - _LAST) + _LAST)
