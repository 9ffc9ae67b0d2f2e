"""What a painting looks like in numbers: the same for the same paint, other ones for other paint."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tiny import random_pixels

from stylize_live.engine.first_look import description as module
from stylize_live.engine.first_look.description import describe, logits
from stylize_live.engine.first_look.feature_network import channels
from stylize_live.training import color_match


@pytest.mark.parametrize("size", [(40, 32), (300, 260), (1200, 100)])
def test_any_shape_has_the_same_numbers(size: tuple[int, int]) -> None:
    found = describe(random_pixels(*size))
    assert found.features.shape == (2 * channels(),)
    assert found.colors.shape == (12,)
    assert found.features.dtype == found.colors.dtype == np.float32
    assert np.isfinite(found.features).all()
    assert np.isfinite(found.colors).all()


def test_of_a_strip_the_middle_counts() -> None:
    middle = random_pixels(650, 260)
    strip = np.concatenate([np.zeros((260, 700, 3), np.uint8), middle, np.zeros((260, 700, 3), np.uint8)], 1)
    np.testing.assert_allclose(describe(strip).features, describe(middle).features, atol=1e-5)


def test_colors_are_mean_and_covariance_of_logits() -> None:
    pixels = random_pixels(300, 256, 4)
    found = describe(pixels).colors
    values = color_match.logits(torch.from_numpy(module._soften(pixels)).permute(2, 0, 1)[None])
    np.testing.assert_allclose(found[:3], values.mean(0), atol=0.01)
    np.testing.assert_allclose(found[3:].reshape(3, 3), torch.cov(values.T), atol=0.02)
    np.testing.assert_allclose(logits(np.array([0.5, 0.0])), [0, np.log(0.02 / 0.98)], atol=1e-9)


def test_runtimes_see_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("openvino")
    pixels = random_pixels(330, 280, 2)
    first = describe(pixels)
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    second = describe(pixels)
    np.testing.assert_allclose(first.features, second.features, atol=2e-3)
    np.testing.assert_array_equal(first.colors, second.colors)
