"""The colors of a first look."""

from __future__ import annotations

import numpy as np
import pytest

from stylize_live.engine.first_look.colors import match_colors, monge_kantorovich
from stylize_live.engine.first_look.description import Array
from stylize_live.engine.first_look.predictor import load_predictor
from stylize_live.training.first_look import _CLEAN

LUMA = np.array([0.3, 0.59, 0.11])
PAINTED = np.diag([0.2, 0.3, 0.4]) + 1.0
MEAN = np.array([0.1, -0.2, 0.3])


def described(mean: list[float], covariance: np.ndarray) -> Array:
    return np.concatenate([mean, covariance.ravel()]).astype(np.float32)


def painted(painting: Array) -> tuple[np.ndarray, np.ndarray]:
    """Mean and covariance of what was painted, in the painting's colors."""
    matrix, shift = match_colors(painting, MEAN, PAINTED)
    return matrix @ MEAN + shift, matrix @ PAINTED @ matrix.T


def test_the_map_gives_one_covariance_the_other() -> None:
    wanted = np.diag([2.0, 0.5, 1.0]) + 0.1
    matrix = monge_kantorovich(PAINTED, wanted)
    np.testing.assert_allclose(matrix @ PAINTED @ matrix.T, wanted, atol=1e-12)
    np.testing.assert_allclose(matrix, matrix.T, atol=1e-12)


def test_photos_get_the_colors_of_the_painting() -> None:
    """A little livelier: more contrast, more saturation."""
    covariance = np.diag([0.2, 0.1, 0.3]) + 1.0
    mean, found = painted(described([0.5, -0.1, -0.4], covariance))
    grey = LUMA @ [0.5, -0.1, -0.4]
    np.testing.assert_allclose(mean, grey + 1.15 * (np.array([0.5, -0.1, -0.4]) - grey), atol=1e-6)
    assert LUMA @ found @ LUMA == pytest.approx(1.1**2 * (LUMA @ covariance @ LUMA), rel=1e-5)


@pytest.mark.parametrize(
    ("light", "spread", "becomes"),
    [(-3.0, 1.0, (-0.8, 1.1)), (3.0, 1.0, (0.8, 1.1)), (0.0, 0.3, (0.0, 0.9)), (0.0, 4.0, (0.0, 1.5))],
)
def test_neither_night_nor_fog_hides_what_photos_show(
    light: float, spread: float, becomes: tuple[float, float]
) -> None:
    covariance = spread**2 * (0.9 + 0.1 * np.eye(3))
    covariance *= spread**2 / (LUMA @ covariance @ LUMA)
    mean, found = painted(described([light] * 3, covariance))
    assert (LUMA @ mean, np.sqrt(LUMA @ found @ LUMA)) == pytest.approx(becomes, abs=0.05)


def test_faults_of_the_paint_are_not_blown_up() -> None:
    wild = described([0.0, 0.0, 0.0], np.diag([50.0, 0.001, 50.0]))
    matrix, _ = match_colors(wild, MEAN, PAINTED)
    values = np.linalg.eigvalsh(matrix)
    assert values.min() == pytest.approx(0.3)
    assert values.max() == pytest.approx(1.7)


def test_the_shipped_predictor_takes_the_nearest_clean_style_alone() -> None:
    predictor = load_predictor()
    rng = np.random.default_rng(0)
    assert set(_CLEAN) < set(predictor.styles)
    for place in rng.normal(0, 1, (20, len(predictor.metric))).astype(np.float32):
        apart = np.square(place - predictor.gallery).sum(1)
        clean = [number for number, name in enumerate(predictor.styles) if name in _CLEAN]
        nearest = min(clean, key=lambda number: apart[number])
        assert not any(added.any() for added in (predictor.linear, predictor.output, predictor.bias))
        nearness = predictor.preference - np.square(place - predictor.gallery) @ predictor.metric
        assert int(nearness.argmax()) == nearest
        assert np.sort(nearness)[-1] - np.sort(nearness)[-2] > 10
