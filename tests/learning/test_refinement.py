"""The trainer that has no end: it improves, resumes, and gives away nothing worse."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from small_features import SmallFeatures
from tiny import make_checkpoint, random_pixels

from stylize_live.learning.messages import LearningJob
from stylize_live.learning.report import write_report
from stylize_live.nets.checkpoint import Checkpoint, save_checkpoint
from stylize_live.training.refinement import RECIPE, PracticeCrops, Refinement

SETTINGS = RECIPE.model_copy(update={"crop": 64, "painting_size": 64})
PHOTOS = [random_pixels(96, 80, seed) for seed in range(6)]


class EnoughError(Exception):
    pass


def refine(painting: Path, state: Path, start: Checkpoint | None = None) -> Refinement:
    return Refinement(
        start or make_checkpoint(),
        painting,
        PHOTOS,
        features=SmallFeatures(),  # type: ignore[arg-type]
        state=state,
        device=torch.device("cpu"),
        settings=SETTINGS,
    )


def practise(refinement: Refinement, steps: int) -> None:
    """Practise up to so many steps in all."""

    def stop(took: float) -> None:
        if refinement.progress.step >= steps:
            raise EnoughError

    with pytest.raises(EnoughError):
        refinement.run(stop)


def test_it_gets_better_on_what_it_never_saw(painting: Path, tmp_path: Path) -> None:
    refinement = refine(painting, tmp_path / "state.safetensors")
    practise(refinement, 40)
    better = refinement.measure()
    assert better is not None
    assert better.steps == 40
    assert better.seconds == refinement.seconds > 0
    assert refinement.measure() is None  # the same is no better


def test_what_is_worse_is_not_given_away(painting: Path, tmp_path: Path) -> None:
    refinement = refine(painting, tmp_path / "state.safetensors")
    practise(refinement, 10)
    for value in refinement._trainer.weights.values():
        value.normal_(std=30)
    assert refinement.measure() is None


def test_what_is_given_away_nears_what_practice_came_to(painting: Path, tmp_path: Path) -> None:
    refinement = refine(painting, tmp_path / "state.safetensors")
    start = {name: weight.clone() for name, weight in refinement._trainer.weights.items()}
    for steps, share in ((10, 10 / 310), (20, 20 / 320)):
        practise(refinement, steps)
        better = refinement.measure()
        assert better is not None
        for name, weight in refinement._trainer.weights.items():
            wanted = start[name] + share * (weight - start[name])
            np.testing.assert_allclose(better.weights[name], wanted, atol=1e-6, err_msg=name)


def test_measuring_changes_nothing(painting: Path, tmp_path: Path) -> None:
    runs = [refine(painting, tmp_path / f"{name}.safetensors") for name in "ab"]
    for measured, run in enumerate(runs):
        for steps in (3, 6):
            practise(run, steps)
            if measured:
                run.measure()
    first, second = (run._trainer.weights for run in runs)
    for name, value in first.items():
        torch.testing.assert_close(value, second[name], rtol=0, atol=0)


def test_a_killed_run_goes_on_as_if_it_had_not_been(painting: Path, tmp_path: Path) -> None:
    whole = refine(painting, tmp_path / "whole.safetensors")
    practise(whole, 20)
    parted = refine(painting, tmp_path / "state.safetensors")
    practise(parted, 10)
    parted.save()
    again = refine(painting, tmp_path / "state.safetensors")
    again.resume()
    assert again.progress.step == 10
    assert again.seconds == pytest.approx(parted.seconds)
    practise(again, 20)
    for name, value in whole._trainer.weights.items():
        torch.testing.assert_close(value, again._trainer.weights[name])


def test_a_state_that_is_of_no_use_is_removed(painting: Path, tmp_path: Path) -> None:
    state = tmp_path / "state.safetensors"
    state.write_bytes(b"nonsense")
    refinement = refine(painting, state)
    assert refinement.resume() is None
    assert not state.exists()
    practise(refinement, 2)


def test_crops_depend_on_the_step_alone_and_frames_join_in() -> None:
    crops = PracticeCrops(PHOTOS, batch=2, crop=64, seed=0)
    torch.testing.assert_close(crops(3).photos, crops(3).photos)
    assert crops(3).photos.shape == (2, 3, 64, 64)
    black = np.zeros((64, 64, 3), np.uint8)
    for _ in range(30):
        crops.add(black)
    dark = sum(float(crops(step).photos[0].max()) == 0 for step in range(40))
    assert 5 < dark < 35


def test_edges_are_drawn_into_what_is_aimed_at() -> None:
    plain, lined = (PracticeCrops(PHOTOS, batch=1, crop=64, seed=0, lines=lines)(0) for lines in (0.0, 1.0))
    assert torch.equal(plain.photos, lined.photos)
    assert (lined.subjects <= plain.subjects).all()
    assert float((plain.subjects - lined.subjects).max()) > 0.2


def test_a_page_tells_of_a_style_that_was_kept(painting: Path, tmp_path: Path) -> None:
    refinement = refine(painting, tmp_path / "state.safetensors")
    practise(refinement, 20)
    style = tmp_path / "my-wall.safetensors"
    save_checkpoint(style, make_checkpoint("my-wall", seed=4))
    job = LearningJob(painting, make_checkpoint(), tmp_path, 100.0)
    page = write_report(style, job, refinement)
    assert page.name == "my-wall-report.html"
    assert "step 20" in page.read_text("utf-8")
    assert {path.name for path in (tmp_path / "my-wall-previews").iterdir()} == {
        "photos.jpg",
        "step-000000.jpg",
        "step-000020.jpg",
    }
