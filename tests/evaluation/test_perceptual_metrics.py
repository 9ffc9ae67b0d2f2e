"""LPIPS and the sliced Wasserstein distance, against computations of their own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from tiny import random_pixels
from torch.nn.functional import conv2d, max_pool2d

from stylize_live.errors import TrainingError
from stylize_live.evaluation.lpips import load_lpips
from stylize_live.evaluation.wasserstein import DIRECTIONS, SlicedWasserstein
from stylize_live.training.dataset import to_tensor

CPU = torch.device("cpu")
ONE, OTHER = to_tensor(random_pixels(48, 32, 1)), to_tensor(random_pixels(48, 32, 2))


def direct_lpips(weights: dict[str, torch.Tensor], one: torch.Tensor, other: torch.Tensor) -> float:
    """LPIPS written out: input in [-1, 1], shift and scale as published, 2 2 3 3 3 convolutions."""
    shift = torch.tensor([-0.030, -0.088, -0.188]).view(1, 3, 1, 1)
    scale = torch.tensor([0.458, 0.448, 0.450]).view(1, 3, 1, 1)
    pair = (2 * torch.cat([one, other]) - 1 - shift) / scale
    place, total = 0, 0.0
    for block, convolutions in enumerate((2, 2, 3, 3, 3)):
        for _ in range(convolutions):
            kernel, bias = weights[f"features.{place}.weight"], weights[f"features.{place}.bias"]
            pair = conv2d(pair, kernel.float(), bias.float(), padding=1).clamp(min=0)
            place += 2
        first, second = (x / (np.linalg.norm(x, axis=0) + 1e-10) for x in pair.numpy())
        apart = ((first - second) ** 2).mean((1, 2))
        total += float(weights[f"lpips.{block}"].numpy() @ apart)
        pair = max_pool2d(pair, 2)
        place += 1
    return total


def test_lpips_is_as_published(lpips_file: Path) -> None:
    network = load_lpips(lpips_file, device=CPU)
    found = network.distance(ONE, OTHER)
    assert found == pytest.approx(direct_lpips(load_file(lpips_file), ONE, OTHER), rel=1e-3)
    assert found == pytest.approx(network.distance(OTHER, ONE))
    assert network.distance(ONE, ONE) == 0
    assert 0 < network.distance(ONE, torch.lerp(ONE, OTHER, 0.3)) < found


@pytest.mark.parametrize(
    ("name", "tensor", "message"),
    [
        ("lpips.3", None, "lpips.3 is missing"),
        ("lpips.1", torch.ones(3), "lpips.1 does not have 128 values"),
        ("features.28.bias", None, "28.bias is missing"),
    ],
)
def test_weights_that_are_not_of_lpips(
    name: str, tensor: torch.Tensor | None, message: str, lpips_file: Path, tmp_path: Path
) -> None:
    weights = load_file(lpips_file)
    del weights[name]
    if tensor is not None:
        weights[name] = tensor
    save_file(weights, tmp_path / "x.safetensors")
    with pytest.raises(TrainingError, match=f"x.safetensors: .*{message}"):
        load_lpips(tmp_path / "x.safetensors", device=CPU)


def test_sliced_wasserstein_of_moved_features_is_how_far_they_moved() -> None:
    """All points moved by one vector: along a direction, by its share in that direction."""
    generator = torch.Generator().manual_seed(3)
    painting = torch.rand(1, 5, 64, 64, generator=generator)
    moved = torch.tensor([0.3, -0.2, 0.0, 0.5, 0.1])
    distance = SlicedWasserstein({"a": painting})
    directions = torch.nn.functional.normalize(
        torch.randn(DIRECTIONS, 5, generator=torch.Generator().manual_seed(0)), dim=1
    )
    wanted = (directions @ moved).square().mean()
    wanted /= (directions @ painting[0].flatten(1)).square().mean()
    assert distance({"a": painting + moved.view(1, 5, 1, 1)}) == pytest.approx(float(wanted), rel=1e-3)


def test_sliced_wasserstein_sees_what_there_is_and_not_where() -> None:
    generator = torch.Generator().manual_seed(4)
    painting = torch.rand(1, 8, 40, 30, generator=generator)
    distance = SlicedWasserstein({"a": painting, "b": painting})
    shuffled = painting.flatten(2)[:, :, torch.randperm(1200, generator=generator)].view(1, 8, 30, 40)
    assert distance({"a": shuffled, "b": shuffled}) == pytest.approx(0, abs=1e-9)
    larger = painting.repeat_interleave(2, 2).repeat_interleave(2, 3)
    assert distance({"a": larger, "b": larger}) < 1e-4
    other = torch.rand(1, 8, 40, 30, generator=generator) ** 2
    assert distance({"a": other, "b": other}) == pytest.approx(2 * distance({"a": other, "b": painting}))


def test_sliced_wasserstein_of_a_large_layer_is_that_of_a_part(monkeypatch: pytest.MonkeyPatch) -> None:
    generator = torch.Generator().manual_seed(5)
    painting, other = (torch.rand(1, 4, 60, 60, generator=generator) ** power for power in (1, 3))
    whole = SlicedWasserstein({"a": painting})({"a": other})
    monkeypatch.setattr("stylize_live.evaluation.wasserstein._MOST_PLACES", 1000)
    assert SlicedWasserstein({"a": painting})({"a": other}) == pytest.approx(whole, rel=0.1)
