"""How much practice fits into a budget, by what a step takes; and that the minutes are kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from small_features import SmallFeatures
from tiny import TINY

from stylize_live.cli.app import main
from stylize_live.engine.cpu import features
from stylize_live.errors import EXIT_INTERRUPTED, StyleError
from stylize_live.nets.catalogue import style_path
from stylize_live.nets.checkpoint import is_unfinished, load_checkpoint, read_info
from stylize_live.nets.transformer import ResidualTransformer, initialise
from stylize_live.training import plan as plan_module
from stylize_live.training import run, trainer
from stylize_live.training.checkpoint import read_plan
from stylize_live.training.color_transfer import PhotoStatistics
from stylize_live.training.job import TrainingJob
from stylize_live.training.objective import Objective
from stylize_live.training.plan import Plan, feature_precision, make_plan, step_seconds
from stylize_live.training.run import train_style
from stylize_live.training.settings import TrainSettings
from stylize_live.training.trainer import Progress, Trainer, steps_budget

pytestmark = pytest.mark.usefixtures("small_features")
CPU, GPU = torch.device("cpu"), torch.device("cuda")
TEN_MINUTES = 560.0  # seconds, without preparing and measuring


@pytest.mark.parametrize(
    ("one_crop", "batch", "crop", "steps"),
    [
        (0.5, 2, 192, 428),
        (0.61, 2, 160, 478),  # measured on an EPYC with AVX2
        (0.9, 1, 192, 421),
        (1.15, 1, 160, 431),
        (2.0, 1, 128, 330),  # less is no practice
        (6.0, 1, 128, 110),
    ],
)
def test_crops_fit_the_machine(one_crop: float, batch: int, crop: int, steps: int) -> None:
    found = make_plan(TrainSettings(), CPU, "float32", seconds=TEN_MINUTES, one_step=lambda: one_crop)
    assert (found.batch, found.crop) == (batch, crop)
    assert found.steps == pytest.approx(steps, abs=2)
    assert found.describe(10) == (
        f"about {found.steps} steps in 10 minutes here: {found.batch} "
        f"{'crop' if found.batch == 1 else 'crops'} of {found.crop} pixels a step, features in float32"
    )


def test_what_the_user_decided_is_kept() -> None:
    slow: Callable[[], float] = lambda: 9.0  # noqa: E731
    for settings, expected in (
        (TrainSettings(batch=4), (4, 128)),
        (TrainSettings(crop=256), (1, 256)),
        (TrainSettings(batch=3, crop=208), (3, 208)),
    ):
        found = make_plan(settings, CPU, "float32", seconds=TEN_MINUTES, one_step=slow)
        assert (found.batch, found.crop) == expected


def test_nothing_is_measured_where_nothing_follows() -> None:
    never: Callable[[], float] = lambda: pytest.fail("measured")  # noqa: E731
    by_steps = make_plan(TrainSettings(steps=9), CPU, "float32", one_step=never)
    assert by_steps == Plan(2, 192, "float32")
    assert by_steps.describe(None) == "2 crops of 192 pixels a step, features in float32"
    on_a_gpu = make_plan(TrainSettings(), GPU, "bfloat16", seconds=TEN_MINUTES, one_step=never)
    assert on_a_gpu == Plan(32, 256, "bfloat16")


@pytest.mark.parametrize(
    ("hardware", "figures", "expected"),
    [
        (False, None, "float32"),  # and not tried
        (True, {"float32": 100.0, "bfloat16": 60.0}, "bfloat16"),
        (True, {"float32": 100.0, "bfloat16": 1900.0}, "float32"),
        (True, {"float32": 100.0}, "float32"),
    ],
)
def test_features_follow_what_was_measured(
    hardware: bool, figures: dict[str, float] | None, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def measured(what: str, trials: dict[str, object]) -> dict[str, float]:
        assert figures is not None
        assert list(trials) == ["float32", "bfloat16"]
        return figures

    monkeypatch.setattr(features, "multiplies_bfloat16", lambda: hardware)
    monkeypatch.setattr(plan_module.speed_cache, "measure_once", measured)
    assert feature_precision(CPU) == expected
    assert feature_precision(GPU) == "bfloat16"


def test_features_are_really_tried() -> None:
    work = plan_module._feature_trial(torch.float32)()
    work()


def test_measuring_a_step_changes_nothing() -> None:
    network = ResidualTransformer(TINY)
    initialise(network, 0)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    statistics = PhotoStatistics.of(torch.rand(1, 3, 64, 64) for _ in range(2))
    objective = Objective(SmallFeatures(), [torch.rand(1, 3, 64, 64)], statistics, TrainSettings())  # type: ignore[arg-type]
    assert step_seconds(objective, network) > 0
    assert objective.tensors() == {}
    assert all(parameter.grad is None for parameter in network.parameters())
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def test_measuring_leaves_half_of_the_minutes() -> None:
    assert steps_budget(10, 23) == 577
    assert steps_budget(1, 55) == 30


class Clock:
    """Minutes that pass when the test says so."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        for module in (run, trainer):
            monkeypatch.setattr(module, "monotonic", lambda: self.now)

    def slow(self, method: Any, seconds: float) -> Any:
        """The method, which now takes so long."""

        def slowed(*arguments: Any, **options: Any) -> Any:
            self.now += seconds
            return method(*arguments, **options)

        return slowed


@pytest.fixture
def slow_machine(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Steps take 2 seconds, and measuring a photo 3."""
    clock = Clock(monkeypatch)
    monkeypatch.setattr(Trainer, "_step", clock.slow(Trainer._step, 2))

    measure_style = run.measure_style

    def measured(network: Any, metrics: Any, photos: list[Path], device: Any) -> Any:
        clock.now += 3 * len(photos)
        return measure_style(network, metrics, photos, device)

    monkeypatch.setattr(run, "measure_style", measured)
    monkeypatch.setattr(run, "step_seconds", lambda *_: clock.slow(lambda: 2.0, 2)())
    return clock


def by_minutes(job: TrainingJob, minutes: float) -> TrainingJob:
    settings = job.settings.model_copy(update={"steps": None, "minutes": minutes})
    return replace(job, settings=settings)


@pytest.mark.parametrize("minutes", [0.5, 1.0])
def test_minutes_hold_preparing_and_measuring(job: TrainingJob, slow_machine: Clock, minutes: float) -> None:
    left: list[float] = []
    notes: list[str] = []
    result = train_style(
        by_minutes(job, minutes), CPU, on_step=lambda p: left.append(p.left), on_note=notes.append
    )
    assert slow_machine.now == pytest.approx(60 * minutes, abs=2)  # a step may be under way
    assert result.progress.seconds == pytest.approx(60 * minutes, abs=2)
    assert result.progress.done >= 1
    assert left == sorted(left, reverse=True)
    assert left[-1] == pytest.approx(3)  # to measure one photo
    assert left[0] == pytest.approx(60 * minutes - 3 - 2 - 2)
    assert notes[0].startswith("about ")
    assert notes[1] == "measuring the result on 1 photo, about 3 seconds"


def interrupt_at(step: int) -> Callable[[Progress], None]:
    def interrupt(progress: Progress) -> None:
        if progress.step == step:
            raise KeyboardInterrupt

    return interrupt


def test_an_interrupted_run_leaves_a_style_and_keeps_its_plan(
    job: TrainingJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(KeyboardInterrupt):
        train_style(job, CPU, on_step=interrupt_at(3))
    assert is_unfinished(job.target)
    found = load_checkpoint(job.target)
    assert found.training["unfinished"] == 0.75
    assert found.training["steps"] == 3
    assert "style_error" not in found.training
    assert job.in_the_way() == []
    # Another machine, or another hour: what is measured now is not asked.
    monkeypatch.setattr(run, "feature_precision", lambda device: pytest.fail("asked"))
    earlier = read_plan(job.state_path)
    assert earlier is not None
    assert (earlier.batch, earlier.crop) == (1, 64)
    train_style(job, CPU, on_step=lambda progress: None)
    assert not is_unfinished(job.target)
    assert job.target in job.in_the_way()


def test_a_finished_style_is_not_replaced_by_an_unfinished_one(job: TrainingJob) -> None:
    train_style(job, CPU, on_step=lambda progress: None)
    before = job.target.read_bytes()
    with pytest.raises(KeyboardInterrupt):
        train_style(job, CPU, on_step=interrupt_at(2))
    assert job.target.read_bytes() == before


def test_an_interrupted_style_is_found_marked_and_explained(
    job: TrainingJob,
    own_styles: Path,
    features_file: Path,
    tiny_style: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = ["train", str(job.paintings[0]), "--photos", str(job.photos), "--features", str(features_file)]
    words += ["--start", str(tiny_style), "--steps", "4", "--crop", "64", "--batch", "1"]
    words += ["--painting-size", "64", "--device", "cpu"]
    step = Trainer._step

    def third(self: Trainer) -> None:
        if self.progress.step == 3:
            raise KeyboardInterrupt
        step(self)

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "_step", third)
        assert main(words) == EXIT_INTERRUPTED
    assert "unfinished, but ready to use: stylize-live live --style painting" in capsys.readouterr().err
    assert main(["styles"]) == 0
    assert "(unfinished: 75% trained)" in " ".join(capsys.readouterr().out.split())
    assert style_path("painting") == own_styles / "painting.safetensors"

    (own_styles / "painting.safetensors").unlink()  # as after a kill, which leaves the state alone
    for name in ("painting", str(own_styles / "painting.safetensors")):
        with pytest.raises(StyleError, match="no style yet, its training goes on or was killed"):
            style_path(name)
    assert main(words) == 0
    assert "unfinished" not in read_info(style_path("painting"))[1]
    assert "unfinished" not in capsys.readouterr().out


def test_a_state_without_a_plan_goes_on_as_it_was(job: TrainingJob, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(KeyboardInterrupt):
        train_style(job, CPU, on_step=interrupt_at(2))
    monkeypatch.setattr(run, "read_plan", lambda path: None)
    monkeypatch.setattr(run, "feature_precision", lambda device: pytest.fail("asked"))
    assert train_style(job, CPU, on_step=lambda progress: None).resumed_at == 2
