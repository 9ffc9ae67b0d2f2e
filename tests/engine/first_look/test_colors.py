"""The colors of a first look."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from stylize_live.engine.first_look import nearest
from stylize_live.engine.first_look.colors import match_colors, monge_kantorovich
from stylize_live.engine.first_look.description import Array, Description
from stylize_live.engine.first_look.nearest import load_nearest_style, save_nearest_style

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


def test_the_nearest_style_is_taken_in_the_painting_s_colors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped = load_nearest_style()
    number = 4
    # The description that lies where this style's painting does.
    colors = shipped.gallery[number][-12:] * shipped.color_scale + shipped.color_mean
    texture = np.linalg.lstsq(shipped.axes.T, shipped.gallery[number][:-12], rcond=None)[0] + shipped.mean
    description = Description(texture.astype(np.float32), colors)
    found = shipped(description)
    assert found.style == shipped.styles[number]
    covariance = shipped.painted_covariance[number].reshape(3, 3)
    matrix, shift = match_colors(colors, shipped.painted_mean[number], covariance)
    np.testing.assert_allclose(found.matrix, matrix, atol=1e-5)
    np.testing.assert_allclose(found.shift, shift, atol=1e-5)
    save_nearest_style(tmp_path / "a.safetensors", shipped, {})
    monkeypatch.setattr(nearest, "FILE", tmp_path / "a.safetensors")
    again = load_nearest_style()(description)
    np.testing.assert_allclose(again.matrix, found.matrix, atol=1e-3)
