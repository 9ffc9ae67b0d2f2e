"""Training of the first look: it learns, and what is shipped computes the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from small_features import SmallFeatures
from tiny import random_pixels

from stylize_live.engine import Stylizer
from stylize_live.engine.first_look.description import Description, describe, logits
from stylize_live.engine.first_look.mixture import mix
from stylize_live.engine.first_look.predictor import load_predictor
from stylize_live.media.image.io import Still, read_image, write_image
from stylize_live.training.color_transfer import PhotoStatistics
from stylize_live.training.dataset import PhotoBatches, sample_crops
from stylize_live.training.first_look import (
    MixPredictor,
    PaintingSpace,
    StyleMix,
    choose_nearest,
    export_predictor,
    measure_colors,
    mixed_styles,
)
from stylize_live.training.first_look_run import SETTINGS, FirstLookTrainer

pytestmark = pytest.mark.timeout(600)  # where others are at work, PyTorch's threads wait for each other

STYLES = ["great-wave", "starry-night", "udnie"]


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("images")
    paths = [folder / f"{number}.png" for number in range(6)]
    for number, path in enumerate(paths):
        write_image(path, Still(random_pixels(120, 90, number)))
    return paths


@pytest.fixture(scope="module")
def descriptions(images: list[Path]) -> list[Description]:
    return [describe(read_image(path).pixels) for path in images]


@pytest.fixture(scope="module")
def stacked(descriptions: list[Description]) -> tuple[torch.Tensor, torch.Tensor]:
    return (
        torch.from_numpy(np.stack([one.features for one in descriptions])),
        torch.from_numpy(np.stack([one.colors for one in descriptions])),
    )


@pytest.fixture(scope="module")
def style_mix() -> StyleMix:
    return StyleMix(STYLES)


def test_all_styles_with_two_ends_are_mixed() -> None:
    assert "desert" not in mixed_styles()
    assert len(mixed_styles()) > 20


def test_places_are_of_unit_spread(stacked: tuple[torch.Tensor, torch.Tensor]) -> None:
    features = torch.randn(60, 100) * torch.linspace(1, 5, 100)
    colors = torch.randn(60, 12) + 3
    places = PaintingSpace.of(features, colors).place(features, colors)
    assert places.shape == (60, 52)
    assert float(places.mean(0).abs().max()) < 0.1
    torch.testing.assert_close(places.std(0), torch.ones(52), atol=0.15, rtol=0)


def test_a_few_steps_lower_the_loss(
    images: list[Path], stacked: tuple[torch.Tensor, torch.Tensor], style_mix: StyleMix
) -> None:
    torch.manual_seed(0)
    space = PaintingSpace.of(*stacked)
    places = space.place(*stacked)
    predictor = MixPredictor(places[:3], STYLES, len(style_mix.layers))
    statistics = PhotoStatistics.of(sample_crops(images))
    with PhotoBatches(images[:1], batch=1, crop=32, seed=0) as batches:
        trainer = FirstLookTrainer(
            predictor, style_mix, images[:2], places, SmallFeatures(), statistics, batches, SETTINGS
        )
        losses = [trainer.make_step(0.0) for _ in range(40)]
    assert trainer.step == 40
    first, last = (np.mean([one["color"] for one in part]) for part in (losses[:6], losses[-6:]))
    assert last < 0.95 * first
    assert losses[0]["added"] == 0
    assert losses[-1]["added"] > 0
    moved = [
        not torch.equal(trainer.average[name], tensor) for name, tensor in predictor.state_dict().items()
    ]
    assert all(moved)


def randomized(predictor: MixPredictor) -> MixPredictor:
    torch.manual_seed(1)
    for parameter in predictor.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    return predictor


def test_export_predicts_and_mixes_the_same(
    descriptions: list[Description], stacked: tuple[torch.Tensor, torch.Tensor], style_mix: StyleMix
) -> None:
    space = PaintingSpace.of(*stacked)
    places = space.place(*stacked)
    trained = randomized(MixPredictor(places[:3], STYLES, len(style_mix.layers)))
    shipped = export_predictor(trained.state_dict(), space, places[:3], STYLES, style_mix.layers)
    with torch.no_grad():
        wanted = trained(places[4])
        network = style_mix(wanted)
    recipe = shipped(descriptions[4])
    np.testing.assert_allclose(recipe.shares.sum(1), 1, atol=1e-5)
    # The mean of the styles is what shares that do not sum to 1 stand for.
    missing = (1 - wanted.shares.sum(1, keepdim=True)) / len(STYLES)
    np.testing.assert_allclose(recipe.shares, wanted.shares + missing, atol=3e-3)
    np.testing.assert_allclose(recipe.matrix, wanted.matrix, atol=3e-3)
    np.testing.assert_allclose(recipe.shift, wanted.shift, atol=3e-3)
    _, bold, faithful = mix(recipe)
    for name, tensor in network.items():
        between = 0.7 * bold[name] + 0.3 * faithful[name]
        np.testing.assert_allclose(between, tensor, atol=5e-3, err_msg=name)


def test_what_is_shipped_was_exported_like_this() -> None:
    found = load_predictor()
    assert found.axes.shape == (len(found.mean), len(found.metric) - len(found.color_mean))
    state = choose_nearest(torch.from_numpy(found.gallery), found.styles, len(found.layers))
    np.testing.assert_array_equal(found.preference, state["bias"])
    # The painting of a clean style is nearest to itself.
    apart = np.square(found.gallery[:, None] - found.gallery[None]) @ found.metric
    nearest = (found.preference - apart).argmax(1)
    clean = found.preference == 0
    np.testing.assert_array_equal(nearest[clean], np.arange(len(nearest))[clean])
    assert clean.sum() == 13


def test_colors_of_a_style_are_those_that_it_paints() -> None:
    photos = [torch.rand(1, 3, 40, 48, generator=torch.Generator().manual_seed(seed)) for seed in (0, 1)]
    found = measure_colors(photos, STYLES[:1])
    with Stylizer(STYLES[0], device="cpu", runtime="torch") as stylizer:
        painted = [stylizer((photo[0].permute(1, 2, 0) * 255).round().byte().numpy()) for photo in photos]
    values = np.concatenate([logits(image / 255).reshape(-1, 3) for image in painted])
    np.testing.assert_allclose(found["painted_mean"][0], values.mean(0), atol=0.05)
    np.testing.assert_allclose(found["painted_covariance"][0], np.cov(values.T).ravel(), atol=0.05)
