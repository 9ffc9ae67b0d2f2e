"""How networks are mixed: of one style alone it is that style, and of two their blend."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from stylize_live.engine.first_look.mixture import mix
from stylize_live.engine.first_look.predictor import Predictor, Recipe, load_predictor
from stylize_live.engine.style_loading import load_style
from stylize_live.nets.architecture import Architecture
from stylize_live.nets.checkpoint import Weights
from stylize_live.training.first_look import StyleMix, mixed_styles

STYLES = ("great-wave", "starry-night", "udnie")


def recipe(*shares: float) -> Recipe:
    """The same shares in all layers, and no map of colors."""
    layers = load_predictor().layers
    row = np.float32(shares)
    table = np.tile(row, (len(layers), 1))
    return Recipe(STYLES, layers, table, row, np.eye(3, dtype=np.float32), np.zeros(3, np.float32))


def assert_equal(found: Weights, wanted: Weights | None) -> None:
    assert wanted is not None
    assert found.keys() == wanted.keys()
    # How much of a photo's brightness is added belongs to no layer: it is the mean of all styles.
    for name in wanted.keys() - {"brightness"}:
        np.testing.assert_allclose(found[name], wanted[name], atol=1e-6, err_msg=name)


def test_one_style_alone_is_itself() -> None:
    style = load_style("starry-night")
    architecture, bold, faithful = mix(recipe(0, 1, 0))
    assert architecture == style.architecture
    assert_equal(bold, style.weights)
    assert_equal(faithful, style.faithful)


def test_shares_are_those_of_a_blend() -> None:
    blended = load_style("great-wave:0.25,udnie:0.75")
    _, bold, faithful = mix(recipe(0.25, 0, 0.75))
    assert_equal(bold, blended.weights)
    assert_equal(faithful, blended.faithful)


def test_colors_are_mapped_in_the_last_layer() -> None:
    matrix, shift = np.diag(np.float32([2, 1, 0.5])), np.float32([0.1, 0, -0.1])
    plain = mix(recipe(1, 0, 0))[1]
    mapped = mix(replace(recipe(1, 0, 0), matrix=matrix, shift=shift))[1]
    np.testing.assert_allclose(mapped["to_full.bias"], matrix @ plain["to_full.bias"] + shift, atol=1e-6)
    np.testing.assert_allclose(mapped["to_full.weight"][0], 2 * plain["to_full.weight"][0], atol=1e-6)


@pytest.fixture(scope="module")
def predictor() -> Predictor:
    return load_predictor()


def test_the_shipped_predictor_fits_the_shipped_styles(predictor: Predictor) -> None:
    assert list(predictor.styles) == mixed_styles()
    assert predictor.layers == StyleMix(predictor.styles[:1]).layers
    names = {name.rpartition(".")[0] for name in Architecture().shapes()} - {""}
    assert set(predictor.layers) == names
