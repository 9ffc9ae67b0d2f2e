"""Eight-bit convolutions: their ranges fit what features really are, and images stay what they are."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from places import SAMPLES

from stylize_live.engine import Stylizer
from stylize_live.engine.cpu.int8 import input_ranges, quantize_weight
from stylize_live.engine.cpu.optical_flow import Plane
from stylize_live.engine.style_loading import load_style
from stylize_live.frame import Pixels
from stylize_live.media.image.io import read_image, resize
from stylize_live.nets.transformer import ResidualTransformer

MOUNTAIN = SAMPLES / "snow-mountain.jpg"
WORTH_IT = 14  # convolutions: all but the first and the one on the way down


@pytest.fixture(scope="module")
def mountain() -> Pixels:
    return resize(read_image(MOUNTAIN).pixels, 240)


def inputs_of(style: str, pixels: Pixels) -> dict[str, torch.Tensor]:
    """What goes into every convolution, by the name of its weight."""
    checkpoint = load_style(style)
    network = ResidualTransformer(checkpoint.architecture)
    network.load_state_dict({name: torch.from_numpy(w.copy()) for name, w in checkpoint.weights.items()})
    seen: dict[str, torch.Tensor] = {}
    for name, module in network.named_modules():
        if f"{name}.weight" in checkpoint.weights:
            module.register_forward_pre_hook(
                lambda _, given, name=name: seen.__setitem__(f"{name}.weight", given[0])
            )
    with torch.no_grad():
        network(torch.from_numpy(pixels / np.float32(255)).permute(2, 0, 1)[None])
    return seen


@pytest.mark.parametrize("style", ["starry-night", "great-wave"])
def test_ranges_are_as_wide_as_features_and_not_much_wider(style: str, mountain: Pixels) -> None:
    seen = inputs_of(style, mountain)
    ranges = input_ranges(load_style(style))
    assert len(ranges) == WORTH_IT
    for name, (low, high) in ranges.items():
        x = seen[name]
        outside = ((x < low) | (x > high)).float().mean().item()
        assert outside < 1e-4, name
        # Steps that are fine beside what differs from place to place.
        assert (high - low) / 255 < x.std().item() / 2, name


def test_weights_are_rounded_to_the_nearest_step() -> None:
    weight = np.random.default_rng(0).normal(size=(5, 3, 3, 3)).astype(np.float32)
    weight[2] *= 100
    weight[4] = 0
    steps, size = quantize_weight(weight)
    assert steps.dtype == np.int8
    assert np.abs(steps).max() == 127
    assert np.all(np.abs(steps * size - weight) <= size / 2 * 1.001)
    assert np.all(steps[4] == 0)


def painted(pixels: Pixels, **how: Any) -> Plane:
    pytest.importorskip("openvino")
    with Stylizer(runtime="openvino", device="cpu", **how) as stylizer:
        return stylizer(pixels).astype(np.float32) * np.float32(255 / np.iinfo(pixels.dtype).max)


# Means and most of levels of 255. Strokes all over, as in "starry-night", amplify what is rounded off.
@pytest.mark.parametrize(
    ("style", "mean", "most"), [("great-wave", 1.25, 8), ("the-scream", 1.25, 8), ("starry-night", 1.75, 12)]
)
def test_images_stay_what_they_are(style: str, mean: float, most: float, mountain: Pixels) -> None:
    exact = painted(mountain, style=style, precision="float32")
    off = np.abs(painted(mountain, style=style, precision="int8") - exact)
    assert 0.05 < off.mean() < mean  # not the same arithmetic, and hardly another image
    assert np.percentile(off, 99.9) < most


@pytest.mark.parametrize(("style", "mean", "most"), [("great-wave", 0.3, 8), ("starry-night", 1.25, 40)])
def test_images_of_16_bits_keep_them(style: str, mean: float, most: float, mountain: Pixels) -> None:
    deep = mountain.astype(np.uint16) * 257
    exact = painted(deep, style=style, precision="float32")
    off = np.abs(painted(deep, style=style, precision="int8") - exact)
    assert off.mean() < mean
    assert off.max() < most  # bold styles widen what bfloat16 rounds, the input too, of which it keeps 8 bits
