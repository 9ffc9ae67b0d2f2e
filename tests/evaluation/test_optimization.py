"""Optimisation beside networks: a run, and what is kept of it."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest
from small_features import SmallFeatures
from tiny import random_pixels

from stylize_live.evaluation.optimization import optimize_image
from stylize_live.evaluation.optimization_cache import OptimizationCache
from stylize_live.training.dataset import to_tensor
from stylize_live.training.features import VggFeatures
from stylize_live.training.style_metrics import StyleMetrics


@pytest.fixture
def features() -> VggFeatures:
    return cast(VggFeatures, SmallFeatures())


PAINTING = to_tensor(random_pixels(48, 48, 9))
PHOTO = to_tensor(random_pixels(40, 32, 1))


def ignore(iteration: int) -> None:
    """A watcher that does not watch."""


def test_optimisation_comes_nearer_to_the_painting(features: VggFeatures) -> None:
    metrics = StyleMetrics(features, [PAINTING])
    content = metrics.content_of(PHOTO)
    seen: list[int] = []
    run = optimize_image(metrics, PHOTO, 12, on_iteration=seen.append)
    assert run.errors.style < 0.5 * metrics(PHOTO, content).style
    assert 0 < run.errors.content < 1
    assert run.image.shape == (32, 40, 3)
    assert seen == sorted(seen)
    assert seen[-1] == 12
    # The figures are those of the image that is shown, but for rounding to eight bits.
    shown = metrics(to_tensor(run.image), content)
    assert shown.style == pytest.approx(run.errors.style, rel=0.05)
    assert shown.content == pytest.approx(run.errors.content, rel=0.05)


def test_errors_are_means_over_paintings(features: VggFeatures) -> None:
    other = to_tensor(random_pixels(48, 48, 3))
    content = StyleMetrics(features, [PAINTING]).content_of(PHOTO)
    one, two, both = (
        StyleMetrics(features, paintings)(PHOTO, content)
        for paintings in ([PAINTING], [other], [PAINTING, other])
    )
    assert both.style == pytest.approx((one.style + two.style) / 2, rel=1e-4)


def test_runs_are_kept(features: VggFeatures, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = OptimizationCache(tmp_path, features).make(PAINTING, PHOTO, 10, on_iteration=ignore)
    assert (tmp_path / first.image).is_file()
    monkeypatch.setattr("stylize_live.evaluation.optimization_cache.optimize_image", None)
    again = OptimizationCache(tmp_path, features)
    assert again.make(PAINTING, PHOTO, 10, on_iteration=ignore) == first
    assert again.find(again.key(PAINTING, PHOTO, 20)) is None
    assert again.find(again.key(PHOTO, PHOTO, 10)) is None


def test_damaged_runs_are_made_again(features: VggFeatures, tmp_path: Path) -> None:
    cache = OptimizationCache(tmp_path, features)
    first = cache.make(PAINTING, PHOTO, 3, on_iteration=ignore)
    key = cache.key(PAINTING, PHOTO, 3)
    stored = tmp_path / "optimised" / f"{key}.json"
    for damage in ("", "[]", '{"style": 3}', '{"style": [1], "content": 2}'):
        stored.write_text(damage)
        assert cache.find(key) is None
    assert cache.make(PAINTING, PHOTO, 3, on_iteration=ignore).image == first.image
    (tmp_path / first.image).unlink()
    assert cache.find(key) is None
