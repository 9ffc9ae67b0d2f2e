"""Optimisation beside networks: the descent, what is kept of it, what a network is worth."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest
from conftest import SmallFeatures, random_pixels

from stylize_live.training.descents import Descents
from stylize_live.training.evaluation import Yardstick
from stylize_live.training.features import VggFeatures
from stylize_live.training.optimisation import milestones, optimise, worth
from stylize_live.training.photos import to_tensor


@pytest.fixture
def features() -> VggFeatures:
    return cast(VggFeatures, SmallFeatures())


PAINTING = to_tensor(random_pixels(48, 48, 9))
PHOTO = to_tensor(random_pixels(40, 32, 1))


def ignore(iteration: int) -> None:
    """A watcher that does not watch."""


def test_worth_is_read_between_the_points_of_a_curve() -> None:
    curve = {0: 3.0, 10: 1.0, 25: 0.7, 50: 0.6}
    assert worth(curve, 1.0) == 10
    assert worth(curve, 2.0) == pytest.approx(5)
    assert worth(curve, 0.8) == pytest.approx(20)
    assert worth(curve, 4.0) == 0
    assert worth(curve, 0.5) is None


def test_worth_is_where_a_curve_first_comes_down() -> None:
    assert worth({0: 3.0, 10: 1.0, 20: 1.5, 30: 0.5}, 1.2) == pytest.approx(9)


def test_the_last_iteration_is_always_looked_at() -> None:
    assert milestones(10) == [1, 2, 3, 5, 7, 10]
    assert milestones(33)[-2:] == [30, 33]
    assert {10, 25, 50, 100, 200} < set(milestones(201))


def test_optimisation_comes_nearer_to_the_painting(features: VggFeatures) -> None:
    yardstick = Yardstick(features, [PAINTING])
    seen: list[int] = []
    descent = optimise(yardstick, PHOTO, 12, on_iteration=seen.append)
    totals = [errors.total for errors in descent.errors.values()]
    assert list(descent.errors) == [0, 1, 2, 3, 5, 7, 10, 12]
    assert descent.errors[0].content == 0
    assert totals[-1] < 0.5 * totals[0]
    assert totals == sorted(totals, reverse=True)
    assert list(descent.pictures) == [10, 12]
    assert descent.pictures[12].shape == (32, 40, 3)
    assert seen == sorted(seen)
    assert seen[-1] == 12
    # The figures are those of the pictures that are shown, but for rounding to eight bits.
    shown = yardstick(to_tensor(descent.pictures[12]), yardstick.content_of(PHOTO))
    assert shown.total == pytest.approx(totals[-1], rel=0.05)


def test_errors_are_means_over_paintings(features: VggFeatures) -> None:
    other = to_tensor(random_pixels(48, 48, 3))
    content = Yardstick(features, [PAINTING]).content_of(PHOTO)
    one, two, both = (
        Yardstick(features, paintings)(PHOTO, content)
        for paintings in ([PAINTING], [other], [PAINTING, other])
    )
    assert both.style == pytest.approx((one.style + two.style) / 2, rel=1e-4)


def test_runs_are_kept(features: VggFeatures, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = Descents(tmp_path, features).make(PAINTING, PHOTO, 10, on_iteration=ignore)
    monkeypatch.setattr("stylize_live.training.descents.optimise", None)
    again = Descents(tmp_path, features)
    assert again.make(PAINTING, PHOTO, 10, on_iteration=ignore) == first
    assert all((tmp_path / file).exists() for file in first.pictures.values())
    key = again.key(PAINTING, PHOTO)
    shorter = again.find(key, 7)
    assert shorter is not None
    assert max(shorter.errors) == 7
    assert again.find(key, 20) is None
    assert again.find(again.key(PHOTO, PHOTO), 10) is None


def test_damaged_runs_are_made_again(features: VggFeatures, tmp_path: Path) -> None:
    descents = Descents(tmp_path, features)
    first = descents.make(PAINTING, PHOTO, 3, on_iteration=ignore)
    stored = tmp_path / "optimised" / f"{descents.key(PAINTING, PHOTO)}.json"
    for damage in ("", "[]", '{"0": 3}', '{"10": [1, 2]}'):
        stored.write_text(damage)
        assert descents.find(stored.stem, 3) is None
    assert descents.make(PAINTING, PHOTO, 3, on_iteration=ignore).errors.keys() == first.errors.keys()
