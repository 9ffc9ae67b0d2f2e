"""What a first look knows of the shipped styles."""

from __future__ import annotations

import numpy as np
import torch

from stylize_live.engine import Stylizer
from stylize_live.engine.first_look.description import Description, logits
from stylize_live.engine.first_look.nearest import load_nearest_style
from stylize_live.training.first_look import (
    CLEAN_STYLES,
    PaintingSpace,
    export_nearest_style,
    measure_colors,
    mixed_styles,
)


def test_all_styles_with_two_ends_are_mixed() -> None:
    assert "desert" not in mixed_styles()
    assert len(mixed_styles()) > 20
    assert set(CLEAN_STYLES) < set(mixed_styles())


def test_places_are_of_unit_spread() -> None:
    features = torch.randn(60, 100) * torch.linspace(1, 5, 100)
    colors = torch.randn(60, 12) + 3
    places = PaintingSpace.of(features, colors).place(features, colors)
    assert places.shape == (60, 52)
    assert float(places.mean(0).abs().max()) < 0.1
    torch.testing.assert_close(places.std(0), torch.ones(52), atol=0.15, rtol=0)


def test_what_is_shipped_asks_the_clean_styles() -> None:
    found = load_nearest_style()
    assert found.styles == CLEAN_STYLES
    assert found.gallery.shape == (len(CLEAN_STYLES), found.axes.shape[1] + len(found.color_mean))


def test_the_painting_of_a_style_is_nearest_to_itself() -> None:
    generator = torch.Generator().manual_seed(0)
    features, colors = torch.randn(60, 1920, generator=generator), torch.randn(60, 12, generator=generator)
    space = PaintingSpace.of(features, colors)
    photos = [torch.rand(1, 3, 32, 32, generator=generator)]
    exported = export_nearest_style(space, space.place(features, colors)[: len(CLEAN_STYLES)], photos)
    for number in (0, 7):
        same = Description(features[number].numpy(), colors[number].numpy())
        assert exported(same).style == CLEAN_STYLES[number]


def test_colors_of_a_style_are_those_that_it_paints() -> None:
    photos = [torch.rand(1, 3, 40, 48, generator=torch.Generator().manual_seed(seed)) for seed in (0, 1)]
    found = measure_colors(photos, CLEAN_STYLES[:1])
    with Stylizer(CLEAN_STYLES[0], device="cpu", runtime="torch") as stylizer:
        painted = [stylizer((photo[0].permute(1, 2, 0) * 255).round().byte().numpy()) for photo in photos]
    values = np.concatenate([logits(image / 255).reshape(-1, 3) for image in painted])
    np.testing.assert_allclose(found["painted_mean"][0], values.mean(0), atol=0.05)
    np.testing.assert_allclose(found["painted_covariance"][0], np.cov(values.T).ravel(), atol=0.05)
