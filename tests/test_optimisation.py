"""Optimisation beside networks: the descent, and what is kept of it."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest
from small_features import SmallFeatures
from tiny import random_pixels

from stylize_live.training.descents import Descents
from stylize_live.training.evaluation import Yardstick
from stylize_live.training.features import VggFeatures
from stylize_live.training.optimisation import optimise
from stylize_live.training.photos import to_tensor


@pytest.fixture
def features() -> VggFeatures:
    return cast(VggFeatures, SmallFeatures())


PAINTING = to_tensor(random_pixels(48, 48, 9))
PHOTO = to_tensor(random_pixels(40, 32, 1))


def ignore(iteration: int) -> None:
    """A watcher that does not watch."""


def test_optimisation_comes_nearer_to_the_painting(features: VggFeatures) -> None:
    yardstick = Yardstick(features, [PAINTING])
    content = yardstick.content_of(PHOTO)
    seen: list[int] = []
    descent = optimise(yardstick, PHOTO, 12, on_iteration=seen.append)
    assert descent.errors.style < 0.5 * yardstick(PHOTO, content).style
    assert 0 < descent.errors.content < 1
    assert descent.picture.shape == (32, 40, 3)
    assert seen == sorted(seen)
    assert seen[-1] == 12
    # The figures are those of the picture that is shown, but for rounding to eight bits.
    shown = yardstick(to_tensor(descent.picture), content)
    assert shown.style == pytest.approx(descent.errors.style, rel=0.05)
    assert shown.content == pytest.approx(descent.errors.content, rel=0.05)


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
    assert (tmp_path / first.picture).is_file()
    monkeypatch.setattr("stylize_live.training.descents.optimise", None)
    again = Descents(tmp_path, features)
    assert again.make(PAINTING, PHOTO, 10, on_iteration=ignore) == first
    assert again.find(again.key(PAINTING, PHOTO, 20)) is None
    assert again.find(again.key(PHOTO, PHOTO, 10)) is None


def test_damaged_runs_are_made_again(features: VggFeatures, tmp_path: Path) -> None:
    descents = Descents(tmp_path, features)
    first = descents.make(PAINTING, PHOTO, 3, on_iteration=ignore)
    key = descents.key(PAINTING, PHOTO, 3)
    stored = tmp_path / "optimised" / f"{key}.json"
    for damage in ("", "[]", '{"style": 3}', '{"style": [1], "content": 2}'):
        stored.write_text(damage)
        assert descents.find(key) is None
    assert descents.make(PAINTING, PHOTO, 3, on_iteration=ignore).picture == first.picture
    (tmp_path / first.picture).unlink()
    assert descents.find(key) is None
