"""How much training fits into a budget on this machine: precision of features, crops and steps."""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Literal

import torch
from torchvision.models.vgg import cfgs, make_layers

from stylize_live.engine import speed_cache
from stylize_live.engine.cpu import features as cpu_features
from stylize_live.nets.transformer import ResidualTransformer
from stylize_live.system.clock import monotonic
from stylize_live.training.dataset import Crops
from stylize_live.training.features import VggFeatures
from stylize_live.training.objective import TrainingObjective
from stylize_live.training.settings import TrainSettings

log = logging.getLogger(__name__)

FeaturePrecision = Literal["float32", "bfloat16"]

WANTED_STEPS = 400  # with features: with fewer, strokes have hardly begun
_GPU = 32, 256
# Crops of a step and their side, the best first; each is less work than the one before.
_CPU = (2, 192), (2, 160), (1, 192), (1, 160), (1, 128)
# Of keyframes, crops are most of a frame; this is the side of the part that features look at.
_GPU_KEYFRAMES, _CPU_KEYFRAMES = (8, 256), (1, 192)
_MEASURED_SIDE = 192
# Of a step with one crop of that side, what every step takes beside it, however small its crops are: reading
# photos, averaging, previews. On two cores of an EPYC with AVX2, a step of 128 took 0.49 s and not 0.27.
_BESIDE = 0.3
_FEATURES_SIDE = 128


@dataclass(frozen=True, slots=True)
class Plan:
    """The size of a run's steps. A resumed run keeps its plan, whatever is measured then.

    Attributes:
        batch: crops of a step.
        crop: their side in pixels.
        features: what features are computed in. They are compared, never shown.
        steps: about how many steps with features there will be; None if nobody has measured one.
    """

    batch: int
    crop: int
    features: FeaturePrecision
    steps: int | None = None

    def describe(self, minutes: float | None) -> str:
        """For people: what a run will do, of so many minutes if these are counted."""
        crops = f"{self.batch} {'crop' if self.batch == 1 else 'crops'} of {self.crop} pixels"
        how = f"{crops} a step, features in {self.features}"
        if self.steps is None or minutes is None:
            return how
        return (
            f"about {self.steps} {'step' if self.steps == 1 else 'steps'} in {minutes:g} "
            f"{'minute' if minutes == 1 else 'minutes'} here: {how}"
        )

    def to_dict(self) -> dict[str, object]:
        """Plain values, for a state file."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, object]) -> Plan:
        """Inverse of `to_dict`. Raises `ValueError` for anything else."""
        batch, crop, features = (values.get(name) for name in ("batch", "crop", "features"))
        if not isinstance(batch, int) or not isinstance(crop, int):
            raise ValueError("no plan: batch and crop are missing")
        return cls(batch, crop, "bfloat16" if features == "bfloat16" else "float32")


def feature_precision(device: torch.device) -> FeaturePrecision:
    """The precision in which features are computed the fastest here.

    Both are tried once where the processor has instructions for bfloat16, without which it takes many times
    as long, see `floating_precision`.
    """
    if device.type == "cuda":
        return "bfloat16"
    if cpu_features.floating_precision() == "float32":
        return "float32"
    trials = {name: _feature_trial(getattr(torch, name)) for name in ("float32", "bfloat16")}
    found = speed_cache.measure_once(f"features, {_FEATURES_SIDE}x{_FEATURES_SIDE}", trials)
    return "bfloat16" if min(found, key=found.__getitem__, default="") == "bfloat16" else "float32"


def _feature_trial(dtype: torch.dtype) -> speed_cache.Trial:
    def ready() -> Callable[[], object]:
        with torch.device("meta"):
            layers = make_layers(cfgs["D"], batch_norm=False)[:23]
        # Any numbers take as long as the right ones.
        weights = {f"features.{k}": torch.full(v.shape, 0.01) for k, v in layers.state_dict().items()}
        features = VggFeatures(weights, dtype=dtype)
        image = torch.full((1, 3, _FEATURES_SIDE, _FEATURES_SIDE), 0.5)

        def work() -> None:
            found = features(image.clone().requires_grad_(True), last=features.style_layers[-1])
            found[features.style_layers[-1]].float().mean().backward()

        return work

    return ready


def step_seconds(
    objective: TrainingObjective, network: ResidualTransformer, crops: Crops | None = None
) -> float:
    """Seconds that a step takes here. It changes nothing.

    Args:
        objective: before its first step.
        network: that will be trained.
        crops: of a step; None for one of 192 pixels.
    """
    trial = copy.deepcopy(network).to(memory_format=torch.channels_last).train()
    crops = crops or _one_crop()
    taken = []
    for _ in range(2):  # the first is slower
        started = monotonic()
        terms = objective.terms(trial, crops, 0)
        objective.total(terms).backward()  # type: ignore[no-untyped-call]
        taken.append(monotonic() - started)
    objective.load({})
    return min(taken)


def _one_crop() -> Crops:
    side = torch.linspace(0, 1, _MEASURED_SIDE)
    photo = (side[:, None] * side).expand(1, 3, -1, -1).contiguous()
    return Crops(photo, photo)


def patch_side(settings: TrainSettings, device: torch.device) -> int:
    """Side in pixels of what features look at of a keyframe."""
    return settings.crop or (_GPU_KEYFRAMES if device.type == "cuda" else _CPU_KEYFRAMES)[1]


def plan_keyframes(
    settings: TrainSettings,
    device: torch.device,
    features: FeaturePrecision,
    *,
    seconds: float | None = None,
    one_step: Callable[[], float],
) -> Plan:
    """How many steps fit into a budget where keyframes teach; what the settings say of them is kept.

    Args:
        settings: batch, and crop, which here is `patch_side`.
        device: where it trains.
        features: what features are computed in.
        seconds: time for steps; None where steps are counted and not minutes.
        one_step: seconds that a step with one whole frame takes; asked only on a CPU, for minutes.
    """
    usual = _GPU_KEYFRAMES if device.type == "cuda" else _CPU_KEYFRAMES
    plan = Plan(settings.batch or usual[0], patch_side(settings, device), features)
    if seconds is None or device.type == "cuda":
        return plan
    taken = one_step() * plan.batch
    return replace(plan, steps=max(1, int(seconds * (1 - settings.colors) / taken)))


def make_plan(
    settings: TrainSettings,
    device: torch.device,
    features: FeaturePrecision,
    *,
    seconds: float | None = None,
    one_step: Callable[[], float] | None = None,
) -> Plan:
    """The largest crops with which enough steps fit into a budget; what the settings say of them is kept.

    Args:
        settings: batch and crop, where the user has decided.
        device: where it trains. A GPU is filled with crops, whatever the budget.
        features: what features are computed in.
        seconds: time for steps; None where steps are counted and not minutes.
        one_step: measures `step_seconds`; asked only where something follows from it.
    """
    choices = [_GPU] if device.type == "cuda" else list(_CPU)
    choices = list(dict.fromkeys((settings.batch or b, settings.crop or c) for b, c in choices))
    if seconds is None or one_step is None or device.type == "cuda":
        return Plan(*choices[0], features)
    each = one_step()
    best = Plan(*choices[0], features)
    for batch, crop in choices:
        taken = each * (_BESIDE + batch * (crop / _MEASURED_SIDE) ** 2)
        best = Plan(batch, crop, features, max(1, int(seconds * (1 - settings.colors) / taken)))
        log.info("%d crops of %d: %.2f s a step", batch, crop, taken)
        if best.steps is not None and best.steps >= WANTED_STEPS:
            break
    return best
