"""Trains the network of many paintings, with the objective of single styles."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor
from torch.func import functional_call

from stylize_live.training.color_transfer import PhotoStatistics, lively_contrast
from stylize_live.training.dataset import PhotoBatches
from stylize_live.training.features import FeatureNetwork
from stylize_live.training.joint_network import AdaptedNetwork
from stylize_live.training.objective import Objective, weighted_sum
from stylize_live.training.painting import load_painting
from stylize_live.training.settings import USUAL_RECIPE, TrainSettings

SETTINGS = USUAL_RECIPE.model_copy(
    update={
        "painting_size": 460,
        "painting_blur": 0.8,
        "lines": 0.4,
        "saturation": 1.3,
        "style_weight": 24.0,
        "content_weight": 1.5,
        "pixel_weight": 4.0,
        "color_weight": 400.0,
        "fine_weight": 0.4,
        "coarse_weight": 3.5,
        "pooled": 0.0,
        "colors": 0.0,
    }
)
_PAINTINGS = 2  # in a step, a batch of photos each
_NOISE = 0.1  # of places: there are few paintings, and what lies between them has to be right, too
_COLOR_SHARE = 0.15  # of the run for colors alone, to begin with: texture hides them
_COLOR_WEIGHT, _PIXEL_WEIGHT = 100.0, 10.0  # meanwhile
_WARM_UP, _LAST = 40, 0.03  # steps up to the full rate, and the share of it at the end
# Of what adapts, and of what all paintings share. Faster, texture would wash learnt colors out.
_COLOR_RATES, _TEXTURE_RATES = (4e-3, 1e-3), (2.5e-3, 1.2e-3)
_LONGEST_STEP = 1.0  # of the gradients of both
_KEPT = 0.99  # of the mean of earlier weights in each step


class JointTrainer:
    """Makes steps.

    Args:
        network: is changed.
        paintings: files.
        places: (paintings, n): where they are, see `PaintingSpace`.
        features: what the objective sees with.
        photos: what photos look like.
        batches: crops of photos.
        settings: of the objective; contrast is chosen for each painting.

    Attributes:
        step: how many were made.
        average: the network's state, averaged over late steps: what is exported.
    """

    def __init__(
        self,
        network: AdaptedNetwork,
        paintings: Sequence[Path],
        places: Tensor,
        features: FeatureNetwork,
        photos: PhotoStatistics,
        batches: PhotoBatches,
        settings: TrainSettings = SETTINGS,
    ) -> None:
        self._network = network
        self._paintings, self._places, self._batches = paintings, places, batches
        self._features, self._photos, self._settings = features, photos, settings
        self._objectives: dict[int, Objective] = {}
        self._order: list[int] = []
        self._random = random.Random(1)
        self._noise = torch.Generator().manual_seed(1)
        self._base = list(network.base.parameters())
        self._others = [p for name, p in network.named_parameters() if not name.startswith("base.")]
        groups = [{"params": self._others}, {"params": self._base}]
        self._optimizer = torch.optim.Adam(groups, betas=(0.9, 0.99))
        self.step = 0
        self._textured_from = 0
        self.average = self._state()

    def make_step(self, share: float) -> dict[str, float]:
        """Learn from two paintings.

        Args:
            share: of the whole run that has passed, 0 to 1: rates fall with it.

        Returns:
            The parts of the loss.
        """
        coloring = share < _COLOR_SHARE
        if coloring:
            self._textured_from = self.step + 1
        rates = _COLOR_RATES if coloring else _TEXTURE_RATES
        pace = _pace(self.step - (0 if coloring else self._textured_from), _share_of_phase(share))
        for group, rate in zip(self._optimizer.param_groups, rates, strict=True):
            group["lr"] = rate * pace
        self._optimizer.zero_grad()
        sums: dict[str, float] = {}
        for part in range(_PAINTINGS):
            for name, value in self._learn(part, coloring=coloring).items():
                sums[name] = sums.get(name, 0.0) + value / _PAINTINGS
        for parameters in (self._others, self._base):
            torch.nn.utils.clip_grad_norm_(parameters, _LONGEST_STEP)
        self._optimizer.step()
        self.step += 1
        self._average()
        return sums

    def _average(self) -> None:
        """Nothing of the steps for colors alone is kept later."""
        kept = min(_KEPT, 1 - 1 / max(1, self.step - self._textured_from))
        now = self._state()
        self.average = {name: torch.lerp(tensor, self.average[name], kept) for name, tensor in now.items()}

    def _learn(self, part: int, *, coloring: bool) -> dict[str, float]:
        """Add the gradient of one painting, and tell its losses."""
        which = self._next_painting()
        place = self._places[which]
        weights = self._network(place + _NOISE * torch.randn(place.shape, generator=self._noise))
        objective = self._objective(which)
        number = _PAINTINGS * self.step + part
        crops = self._batches(number)

        def network(photos: Tensor) -> Tensor:
            painted: Tensor = functional_call(self._network.base, weights, (photos,))
            return painted

        if coloring:
            terms = objective.color_terms(network, crops, number)
            loss = weighted_sum(terms, self._settings, color=_COLOR_WEIGHT, pixels=_PIXEL_WEIGHT)
        else:
            terms = objective.terms(network, crops, number)
            loss = objective.total(terms)
        (loss / _PAINTINGS).backward()  # type: ignore[no-untyped-call]
        return {name: float(term.detach()) for name, term in terms.items()}

    def _next_painting(self) -> int:
        if not self._order:
            self._order = list(range(len(self._paintings)))
            self._random.shuffle(self._order)
        return self._order.pop()

    def _objective(self, which: int) -> Objective:
        if which not in self._objectives:
            painting = load_painting(self._paintings[which], self._settings)
            settings = self._settings.model_copy(update={"contrast": lively_contrast(painting)})
            self._objectives[which] = Objective(self._features, [painting], self._photos, settings)
        return self._objectives[which]

    def _state(self) -> dict[str, Tensor]:
        return {name: tensor.detach().clone() for name, tensor in self._network.state_dict().items()}


def _pace(step: int, share: float) -> float:
    """Of the rate: up quickly, then down a cosine."""
    falling = 0.5 * (1 + math.cos(math.pi * min(1.0, share)))
    return min(1.0, (step + 1) / _WARM_UP) * (falling * (1 - _LAST) + _LAST)


def _share_of_phase(share: float) -> float:
    """Of a share of the whole run: that of colors alone, or of what comes then."""
    return share / _COLOR_SHARE if share < _COLOR_SHARE else (share - _COLOR_SHARE) / (1 - _COLOR_SHARE)
