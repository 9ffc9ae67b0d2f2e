"""The trainer: losses by hand-made cases, photos, resuming. Features are VGG16 with random weights."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from tiny import make_checkpoint
from torch import Tensor

from stylize_live.errors import SinkError, TrainingError
from stylize_live.media.image.io import Still, write_image
from stylize_live.nets.checkpoint import is_unfinished, load_checkpoint, save_checkpoint
from stylize_live.options import DEFAULT_BOLDNESS
from stylize_live.training import losses, run
from stylize_live.training.augmentation import RandomMotion, random_motion, sensor_noise
from stylize_live.training.dataset import PhotoBatches, find_photos, split_photos
from stylize_live.training.job import TrainingJob
from stylize_live.training.optimizer import MuonAdam, orthogonalize
from stylize_live.training.painting import load_painting
from stylize_live.training.run import train_style
from stylize_live.training.run_ends import RunEnds
from stylize_live.training.running_statistics import RunningStatistics
from stylize_live.training.settings import TrainSettings
from stylize_live.training.trainer import Progress, Trainer

pytestmark = pytest.mark.timeout(600)  # where others are at work, PyTorch's threads wait for each other

CPU = torch.device("cpu")


def ignore(progress: Progress) -> None:
    """A watcher that does not watch."""


def test_gram_does_not_depend_on_size() -> None:
    features = torch.rand(1, 4, 6, 5)
    torch.testing.assert_close(losses.gram(features), losses.gram(features.repeat(1, 1, 2, 3)))


def test_errors_of_the_same_image_are_zero() -> None:
    features = torch.rand(2, 4, 6, 5)
    gram = {"a": losses.gram(features)}
    assert float(losses.style_errors(gram, gram)["a"].sum()) == 0
    assert float(losses.content_error(features, features).sum()) == 0


def test_content_error_is_relative() -> None:
    wanted = torch.rand(1, 4, 6, 5)
    torch.testing.assert_close(losses.content_error(3 * wanted, wanted), torch.tensor([4.0]))
    torch.testing.assert_close(losses.content_error(300 * wanted, 100 * wanted), torch.tensor([4.0]))


def test_color_error_sees_masses_and_not_strokes() -> None:
    grey = torch.full((1, 3, 32, 32), 0.5)
    strokes = grey + torch.tensor([[0.3, -0.3], [-0.3, 0.3]]).repeat(16, 16)
    assert float(losses.color_error(strokes, grey)) == pytest.approx(0, abs=1e-6)
    assert float(losses.color_error(grey + 0.1, grey)) == pytest.approx(0.01)


def test_total_variation_of_stripes() -> None:
    stripes = torch.tensor([0.0, 1.0]).repeat(4).expand(1, 3, 8, 8)
    assert float(losses.total_variation(stripes)) == pytest.approx(1.0)


@pytest.mark.parametrize("shape", [(8, 30), (30, 8), (12, 12)])
def test_orthogonalised_evens_singular_values_out(shape: tuple[int, int]) -> None:
    torch.manual_seed(0)
    values = torch.linalg.svdvals(
        orthogonalize(torch.randn(shape) @ torch.diag(torch.logspace(-1, 2, shape[1])))
    )
    assert float(values.max()) < 1.3
    assert float(values.median()) > 0.6


def test_optimizer_moves_every_parameter_downhill() -> None:
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.Conv2d(4, 3, 1))
    optimizer = MuonAdam(net)
    before = {name: value.detach().clone() for name, value in net.named_parameters()}
    image, wanted, errors = torch.rand(1, 3, 12, 12), torch.rand(1, 3, 10, 10), []
    for _ in range(30):
        optimizer.zero_grad()
        error = (net(image) - wanted).square().mean()
        error.backward()
        optimizer.step(0.01)
        errors.append(float(error.detach()))
    assert errors[-1] < 0.5 * errors[0]
    assert all(not torch.equal(value, before[name]) for name, value in net.named_parameters())


def test_pool_takes_a_running_mean_but_learns_at_full_rate() -> None:
    pool = RunningStatistics()
    first, second = torch.full((2, 3), 1.0), torch.full((2, 3), 6.0, requires_grad=True)
    assert torch.equal(pool.mean("a", first), torch.ones(3))
    pooled = pool.mean("a", second)
    torch.testing.assert_close(pooled, torch.full((3,), 2.0))  # two crops of the ten it goes over
    pooled.sum().backward()
    torch.testing.assert_close(second.grad, torch.full((2, 3), 0.5))


def test_pool_goes_on_from_saved_tensors() -> None:
    pool, again = RunningStatistics(), RunningStatistics()
    for _ in range(12):
        pool.mean("fine_relu1_2", torch.rand(2, 3))
    again.load(pool.tensors())
    found = torch.rand(2, 3)
    assert torch.equal(again.mean("fine_relu1_2", found), pool.mean("fine_relu1_2", found))


def test_paintings_are_scaled_and_softened(tmp_path: Path) -> None:
    board = np.kron(np.indices((40, 60)).sum(0) % 2, np.ones((2, 2))).astype(np.uint8)[..., None] * 255
    write_image(tmp_path / "board.png", Still(np.repeat(board, 3, 2)))
    sharp, soft = (
        load_painting(tmp_path / "board.png", TrainSettings(painting_size=80, painting_blur=blur))
        for blur in (0, 1.5)
    )
    assert sharp.shape == soft.shape == (1, 3, 80, 120)
    assert float(soft.std()) < 0.3 * float(sharp.std())
    assert float(soft.mean()) == pytest.approx(float(sharp.mean()), abs=0.01)


def test_whole_pixel_motion_is_exact() -> None:
    image = torch.rand(1, 3, 20, 24)
    moved, inside = RandomMotion(None, (3, -2)).apply(image)
    assert torch.equal(moved[:, :, 3:, :-2], image[:, :, :-3, 2:])
    assert inside.sum() == 17 * 22


def test_motion_and_noise_depend_on_the_seed_alone() -> None:
    def once(seed: int) -> torch.Tensor:
        rng = np.random.default_rng(seed)
        moved, _ = random_motion(rng, 32, 32).apply(torch.full((1, 3, 32, 32), 0.5))
        return sensor_noise(moved, rng)

    assert torch.equal(once(3), once(3))
    assert not torch.equal(once(3), once(4))


@pytest.mark.parametrize(("count", "held"), [(1, 1), (9, 1), (30, 3), (150, 12), (5000, 12)])
def test_split_keeps_photos_out(count: int, held: int) -> None:
    photos = [Path(f"{i:05}.jpg") for i in range(count)]
    training, kept_out = split_photos(photos)
    assert len(kept_out) == held
    if count >= 10:
        assert not set(training) & set(kept_out)
        assert len(training) == count - held


def test_batches_depend_on_seed_and_step_alone(photos: Path) -> None:
    paths = find_photos(photos)
    with PhotoBatches(paths, batch=2, crop=64, seed=1) as first:
        wanted = [first(step) for step in range(3)]
    with PhotoBatches(paths, batch=2, crop=64, seed=1) as second:
        assert torch.equal(second(2).photos, wanted[2].photos)
    assert wanted[0].photos.shape == wanted[0].subjects.shape == (2, 3, 64, 64)
    assert not torch.equal(wanted[0].photos, wanted[1].photos)


def test_broken_photos_are_skipped_and_counted(photos: Path) -> None:
    (photos / "broken.jpg").write_bytes(b"no image")
    with PhotoBatches(find_photos(photos), batch=8, crop=64, seed=0) as batches:
        for step in range(4):
            assert batches(step).photos.shape[0] == 8
        assert batches.unreadable == {photos / "broken.jpg"}


def test_no_readable_photo(tmp_path: Path) -> None:
    (tmp_path / "broken.jpg").write_bytes(b"no image")
    with (
        PhotoBatches(find_photos(tmp_path), batch=1, crop=64, seed=0) as batches,
        pytest.raises(TrainingError, match="none of the photos"),
    ):
        batches(0)


def test_training_writes_a_style_with_its_record(job: TrainingJob) -> None:
    seen: list[int] = []
    result = train_style(job, CPU, on_step=lambda progress: seen.append(progress.step))
    assert seen == [1, 2, 3, 4]
    checkpoint = load_checkpoint(job.target)
    assert checkpoint.info.name == "mine"
    assert checkpoint.training["steps"] == 4
    assert checkpoint.training["style_error"] == round(result.figures.style, 3)
    assert (job.previews / "step-000004.jpg").exists()
    assert not job.target.with_suffix(".state.safetensors").exists()


@pytest.mark.usefixtures("small_features")
def test_training_learns(job: TrainingJob) -> None:
    """The weighted loss on the same photos falls, after the first steps, which are for colors."""
    totals: list[float] = []

    def note(progress: Progress) -> None:
        s = job.settings
        t = progress.terms
        if "style" in t:
            totals.append(s.style_weight * t["style"] + s.content_weight * t["content"])

    longer = job.settings.model_copy(update={"steps": 40, "rate": 5e-3, "steady_weight": 0.0})
    train_style(replace(job, settings=longer), CPU, on_step=note)
    assert np.mean(totals[-10:]) < 0.9 * np.mean(totals[:5])


@pytest.mark.usefixtures("small_features")
def test_colors_come_first_and_the_photos_light_fades(job: TrainingJob) -> None:
    seen: list[set[str]] = []
    settings = job.settings.model_copy(update={"steps": 40, "brightness": 0.5, "colors": 0.05})
    train_style(
        replace(job, settings=settings), CPU, on_step=lambda progress: seen.append(set(progress.terms))
    )
    assert seen[:2] == [{"color", "pixels", "steady"}] * 2  # a twentieth of the steps
    assert seen[2:] == [{"style", "content", "color", "pixels", "variation", "steady"}] * 38
    assert load_checkpoint(job.target).weights["brightness"].tolist() == [0.5]


@pytest.mark.usefixtures("small_features")
def test_weights_of_early_on_become_the_faithful_end(
    job: TrainingJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After 8 % of the time for strokes: of 20 steps, five of them for colors, after the seventh."""
    longer = job.settings.model_copy(update={"steps": 20, "colors": 0.25, "match": 0.0})
    trainers: list[Trainer] = []
    averages: list[dict[str, torch.Tensor]] = []

    class Watched(Trainer):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            trainers.append(self)

    def note(progress: Progress) -> None:
        averages.append({name: value.clone() for name, value in trainers[0].weights.items()})

    monkeypatch.setattr(run, "Trainer", Watched)
    train_style(replace(job, settings=longer), CPU, on_step=note)
    found = load_checkpoint(job.target)
    assert found.faithful is not None
    coarsest = 127 * 2**-25  # steps, of a size that float16 knows to half of its least number
    for name, wanted in averages[6].items():
        off = np.abs(found.faithful[name] - wanted.numpy()).max()
        assert off <= 0.005 * np.abs(found.weights[name] - wanted.numpy()).max() + coarsest


@pytest.mark.usefixtures("small_features")
def test_colors_are_matched_in_the_last_layer_of_both_ends(job: TrainingJob) -> None:
    styles = []
    for share in (0.0, 0.7):
        settings = job.settings.model_copy(update={"steps": 20, "match": share})
        target = job.target.with_name(f"{share}.safetensors")
        train_style(replace(job, settings=settings, target=target), CPU, on_step=lambda _: None)
        styles.append(load_checkpoint(target))
    plain, matched = styles
    for one, other in ((plain.weights, matched.weights), (plain.faithful, matched.faithful)):
        assert one is not None
        assert other is not None
        assert np.abs(one["to_full.weight"] - other["to_full.weight"]).max() > 1e-3
        assert np.abs(one["refine.0.weight"] - other["refine.0.weight"]).max() < 1e-2


@pytest.mark.usefixtures("small_features")
def test_a_run_of_one_step_has_one_end(job: TrainingJob) -> None:
    train_style(replace(job, settings=job.settings.model_copy(update={"steps": 1})), CPU, on_step=ignore)
    assert load_checkpoint(job.target).faithful is None


@pytest.mark.usefixtures("small_features")
def test_resumed_run_equals_an_uninterrupted_one(job: TrainingJob, tmp_path: Path) -> None:
    train_style(job, CPU, on_step=ignore)
    wanted = load_checkpoint(job.target)
    assert wanted.faithful is not None
    job.target.unlink()

    def interrupt(progress: Progress) -> None:
        if progress.step == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_style(job, CPU, on_step=interrupt)
    assert is_unfinished(job.target)
    result = train_style(job, CPU, on_step=ignore)
    assert result.resumed_at == 2
    found = load_checkpoint(job.target)
    assert found.faithful is not None
    for name in wanted.weights:
        assert np.array_equal(found.weights[name], wanted.weights[name])
        assert np.array_equal(found.faithful[name], wanted.faithful[name])


@pytest.mark.usefixtures("small_features")
@pytest.mark.parametrize("stage", ["measure_style", "save_checkpoint"])
def test_interrupted_after_the_last_step(
    job: TrainingJob, monkeypatch: pytest.MonkeyPatch, stage: str
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(run, stage, interrupt)
        with pytest.raises(KeyboardInterrupt):
            train_style(job, CPU, on_step=ignore)
    assert is_unfinished(job.target) if stage == "measure_style" else not job.target.exists()

    seen: list[int] = []
    result = train_style(job, CPU, on_step=lambda progress: seen.append(progress.step))
    assert result.resumed_at == 4
    assert seen == []
    assert load_checkpoint(job.target).training["steps"] == 4
    assert not job.target.with_suffix(".state.safetensors").exists()


@pytest.mark.usefixtures("small_features")
def test_an_error_keeps_what_was_learnt(job: TrainingJob) -> None:
    def fail(progress: Progress) -> None:
        if progress.step == 2:
            raise OSError("a disk that is gone")

    with pytest.raises(OSError, match="gone"):
        train_style(job, CPU, on_step=fail)
    assert train_style(job, CPU, on_step=ignore).resumed_at == 2


@pytest.mark.usefixtures("small_features")
def test_weights_that_are_nonsense_are_not_kept(job: TrainingJob) -> None:
    def diverge(progress: Progress) -> None:
        if progress.step == 2:
            raise TrainingError("training diverged")

    with pytest.raises(TrainingError, match="diverged"):
        train_style(job, CPU, on_step=diverge)
    assert train_style(job, CPU, on_step=ignore).resumed_at == 0


@pytest.mark.usefixtures("small_features")
@pytest.mark.parametrize("where", ["reports.page.replacing", "training.preview.write_image"])
def test_a_page_that_cannot_be_written_costs_no_style(
    job: TrainingJob, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, where: str
) -> None:
    def refuse(*_: object) -> None:
        raise SinkError("it is open") if "preview" in where else PermissionError(13, "it is open")

    def after_the_first(progress: Progress) -> None:
        monkeypatch.setattr(f"stylize_live.{where}", refuse)

    train_style(job, CPU, on_step=after_the_first)
    assert is_unfinished(job.target) is False
    assert "it is open" in caplog.text
    assert "training goes on" in caplog.text


@pytest.mark.usefixtures("small_features")
def test_state_of_another_run_is_refused(job: TrainingJob) -> None:
    def interrupt(progress: Progress) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_style(job, CPU, on_step=interrupt)
    other = replace(job, settings=TrainSettings(steps=9, crop=64))
    with pytest.raises(TrainingError, match="--restart"):
        train_style(other, CPU, on_step=ignore)
    assert train_style(job, CPU, restart=True, on_step=ignore).resumed_at == 0


def test_a_style_with_two_ends_is_gone_on_with_between_them(job: TrainingJob, tmp_path: Path) -> None:
    """At the usual boldness; both ends move by what is learnt there."""
    bold, faithful = make_checkpoint(seed=1), make_checkpoint(seed=2)
    start = replace(bold, faithful=faithful.weights)
    save_checkpoint(tmp_path / "start.safetensors", start)
    started: list[dict[str, Tensor]] = []
    really = Trainer.run

    def run(trainer: Trainer, **options: Any) -> None:
        started.append({name: weight.clone() for name, weight in trainer.network.state_dict().items()})
        really(trainer, **options)
        started.append(trainer.weights)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Trainer, "run", run)
        train_style(replace(job, start=tmp_path / "start.safetensors"), CPU, on_step=ignore)
    result, (begun, learnt) = load_checkpoint(job.target), started
    assert result.faithful is not None
    for name, usual in load_checkpoint(tmp_path / "start.safetensors").at(DEFAULT_BOLDNESS).weights.items():
        np.testing.assert_allclose(begun[name].numpy(), usual, atol=1e-6)
        between = bold.weights[name] - faithful.weights[name]
        step = np.abs(between).max() / 100  # the file has the difference in eight bits
        np.testing.assert_allclose(
            result.at(DEFAULT_BOLDNESS).weights[name], learnt[name].numpy(), atol=step + 1e-3
        )
        np.testing.assert_allclose(
            result.weights[name] - result.faithful[name], between, atol=2 * step + 1e-3
        )
    assert any(not np.allclose(learnt[name].numpy(), begun[name].numpy(), atol=1e-4) for name in begun)


def test_weights_that_are_no_numbers_move_no_end() -> None:
    bold, faithful = make_checkpoint(seed=1), make_checkpoint(seed=2)
    ends = RunEnds(replace(bold, faithful=faithful.weights), bold_only=False)
    weights = {name: torch.full(array.shape, torch.nan) for name, array in bold.weights.items()}
    trainer: Any = SimpleNamespace(weights=weights, faithful={})
    found = ends.of(trainer)
    assert len(found) == 1
    assert ends.practised(found) is found[0]


@pytest.mark.parametrize("other", ["features", "start", "no start"])
def test_a_run_goes_on_with_its_own_features_and_start_only(
    job: TrainingJob, features_file: Path, tmp_path: Path, other: str
) -> None:
    def interrupt(progress: Progress) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_style(job, CPU, on_step=interrupt)
    weights = load_file(features_file)
    weights["features.0.bias"] += 1
    save_file(weights, tmp_path / "other-features.safetensors")
    save_checkpoint(tmp_path / "other-start.safetensors", make_checkpoint("other", seed=1))
    changed = {
        "features": replace(job, features=tmp_path / "other-features.safetensors"),
        "start": replace(job, start=tmp_path / "other-start.safetensors"),
        "no start": replace(job, start=None),
    }[other]
    with pytest.raises(TrainingError, match=r"other paintings, features or start.*--restart"):
        train_style(changed, CPU, on_step=ignore)
    assert train_style(job, CPU, on_step=ignore).resumed_at == 1


@pytest.mark.usefixtures("small_features")
def test_previews_of_the_users_own_stay(job: TrainingJob) -> None:
    job.previews.mkdir(parents=True)
    mine = job.previews / "step-mine.jpg"
    mine.write_text("mine")
    train_style(job, CPU, on_step=ignore)
    assert mine.read_text() == "mine"


@pytest.mark.usefixtures("small_features")
@pytest.mark.parametrize("name", ["style.pt", "no/style.safetensors"])
def test_bad_targets_fail_before_training(job: TrainingJob, tmp_path: Path, name: str) -> None:
    bad = replace(job, target=tmp_path / name)
    with pytest.raises(SinkError):
        train_style(bad, CPU, on_step=ignore)


def test_folder_without_photos(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="no photos"):
        find_photos(tmp_path)
    with pytest.raises(TrainingError, match="no such folder"):
        find_photos(tmp_path / "no")
