"""What a painting is seen with: both runtimes compute what torchvision's network does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from tiny import random_pixels

from stylize_live.engine.first_look import feature_weights, packing
from stylize_live.engine.first_look.description import Array, Measure
from stylize_live.engine.first_look.feature_network import channels, normalize, shapes
from stylize_live.training.features import VggFeatures, load_features


def make_openvino() -> Measure:
    pytest.importorskip("openvino")
    from stylize_live.engine.first_look.openvino_features import measure

    return measure


def make_torch() -> Measure:
    from stylize_live.engine.first_look.torch_features import measure

    return measure


both = pytest.mark.parametrize("make", [make_openvino, make_torch])


def seen(width: int, height: int) -> Array:
    return random_pixels(width, height).astype(np.float32) / 255


@both
@pytest.mark.parametrize("size", [(64, 48), (41, 67)])
def test_it_is_the_network_that_training_sees_with(
    make: Callable[[], Measure], size: tuple[int, int]
) -> None:
    image = seen(*size)
    features = load_features("small", device=torch.device("cpu"), dtype=torch.float32)
    layers = features(torch.from_numpy(image).permute(2, 0, 1)[None])
    found = make()(normalize(image))
    assert list(layers) == list(VggFeatures.style_layers)
    for layer, mean, square in zip(layers.values(), found[::2], found[1::2], strict=True):
        values = layer[0].flatten(1)
        np.testing.assert_allclose(mean, values.mean(1), rtol=1e-3, atol=1e-3)
        np.testing.assert_allclose(square, values.square().mean(1), rtol=1e-3, atol=1e-2)
    assert sum(map(len, found[::2])) == channels()


def test_weights_fit_and_say_where_they_come_from() -> None:
    with safe_open(feature_weights.FILE, framework="numpy") as opened:
        assert opened.metadata()["licence"] == "BSD-3-Clause"
        assert "torchvision" in opened.metadata()["credit"]
    licence = Path(feature_weights.FILE.parent / "LICENSE").read_text(encoding="utf-8")
    assert licence.startswith("BSD 3-Clause License")
    assert {name: array.shape for name, array in feature_weights.load_weights().items()} == shapes()


def test_eight_bits_are_near() -> None:
    rng = np.random.default_rng(0)
    weights = {name: rng.normal(0, 0.1, shape).astype(np.float32) for name, shape in shapes().items()}
    found = packing.unpack(feature_weights.pack(weights))
    assert found.keys() == weights.keys()
    for name, array in weights.items():
        np.testing.assert_allclose(found[name], array, atol=0.003)
