"""Training of one network for many paintings: it learns, and what is shipped computes the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from small_features import SmallFeatures
from tiny import random_pixels

from stylize_live.engine.first_look.description import Description, describe
from stylize_live.engine.first_look.joint import count_numbers
from stylize_live.engine.style_loading import load_style
from stylize_live.media.image.io import Still, read_image, write_image
from stylize_live.nets.architecture import Architecture
from stylize_live.training.color_transfer import PhotoStatistics
from stylize_live.training.dataset import PhotoBatches, sample_crops
from stylize_live.training.first_look import PaintingSpace
from stylize_live.training.joint_network import AdaptedNetwork, export_joint_network, start_network
from stylize_live.training.joint_run import SETTINGS, JointTrainer

pytestmark = pytest.mark.timeout(600)  # where others are at work, PyTorch's threads wait for each other


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


def test_it_starts_between_the_shipped_styles() -> None:
    """Only those of one base count: the mean of others would be noise."""
    network = start_network()
    assert float(network.brightness) == 0
    kernel = network.state_dict()["stem.0.weight"]
    own = torch.from_numpy(load_style("starry-night").at(0.7).weights["stem.0.weight"])
    assert 0 < float((kernel - own).abs().mean()) < 0.5 * float(own.abs().mean())


def test_untrained_it_is_the_network_that_it_starts_from() -> None:
    base = start_network()
    weights = AdaptedNetwork(base, 52)(torch.randn(52))
    for name, tensor in base.state_dict().items():
        torch.testing.assert_close(weights[name], tensor, msg=name)


def test_a_few_steps_lower_the_loss(images: list[Path], stacked: tuple[torch.Tensor, torch.Tensor]) -> None:
    torch.manual_seed(0)
    places = PaintingSpace.of(*stacked).place(*stacked)
    network = AdaptedNetwork(start_network(), places.shape[1])
    begun = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    statistics = PhotoStatistics.of(sample_crops(images))
    with PhotoBatches(images[:1], batch=1, crop=64, seed=0) as batches:
        trainer = JointTrainer(network, images[:2], places, SmallFeatures(), statistics, batches, SETTINGS)
        losses = [
            trainer.make_step(share) for share in [*np.linspace(0, 0.14, 50), *np.linspace(0.16, 1, 10)]
        ]
    assert trainer.step == 60
    first, last = (np.mean([one["color"] for one in part]) for part in (losses[:6], losses[44:50]))
    assert last < 0.95 * first
    assert "style" not in losses[49]
    assert "style" in losses[50]
    moved = {name for name, tensor in trainer.average.items() if not torch.equal(begun[name], tensor)}
    assert moved == set(begun) - {"base.brightness"}


def randomized(seed: int, places: int) -> AdaptedNetwork:
    torch.manual_seed(seed)
    network = AdaptedNetwork(start_network(), places)
    for layer in (network.linear, network.output):
        torch.nn.init.normal_(layer.weight, std=0.2)
        torch.nn.init.normal_(layer.bias, std=0.2)
    return network


def test_export_makes_the_same_network(
    descriptions: list[Description], stacked: tuple[torch.Tensor, torch.Tensor]
) -> None:
    space = PaintingSpace.of(*stacked)
    places = space.place(*stacked)
    trained = randomized(1, places.shape[1])
    shipped = export_joint_network(trained.state_dict(), space)
    with torch.no_grad():
        wanted = trained(places[4])
    found = shipped(descriptions[4])
    assert found.keys() == Architecture().shapes().keys()
    for name, array in found.items():
        np.testing.assert_allclose(array, wanted[name].detach(), atol=2e-3, rtol=2e-3, err_msg=name)
    assert len(shipped.bias) == count_numbers()
