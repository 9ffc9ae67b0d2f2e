"""Colors of a style, brought to its painting's in the last layer."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from stylize_live.nets.transformer import ResidualTransformer, initialise
from stylize_live.training.color_match import color_map, logits, match_colors


def _painting() -> Tensor:
    generator = torch.Generator().manual_seed(3)
    mixed = torch.tensor([[0.9, 0.3, 0.1], [0.1, 0.5, 0.2], [0.2, 0.1, 0.8]])
    colors = torch.randn(1, 3, 40, 40, generator=generator) * 0.6 + torch.tensor([0.5, -0.2, -0.8]).view(
        1, 3, 1, 1
    )
    return torch.sigmoid(torch.einsum("ij,njhw->nihw", mixed, colors))


def _network() -> ResidualTransformer:
    network = ResidualTransformer().eval().requires_grad_(False)
    initialise(network, 1)
    network.brightness.zero_()
    return network


def _photos() -> Tensor:
    return torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(2))


def test_mean_and_covariance_become_the_paintings() -> None:
    network, painting = _network(), _painting()
    weights = dict(network.state_dict())
    match_colors([weights], network(_photos()), painting, 1.0)
    found, wanted = logits(network(_photos())), logits(painting)
    torch.testing.assert_close(found.mean(0), wanted.mean(0), atol=0.02, rtol=0)
    torch.testing.assert_close(torch.cov(found.T), torch.cov(wanted.T), atol=0.05, rtol=0.05)


def test_part_of_the_way() -> None:
    given, wanted = logits(_photos()), logits(_painting())
    half, shift = color_map(given, wanted, 0.5)
    whole, moved = color_map(given, wanted, 1.0)
    torch.testing.assert_close(half, (whole + torch.eye(3)) / 2, check_dtype=False)
    torch.testing.assert_close(shift, moved / 2)
    torch.testing.assert_close(whole, whole.T)  # no turn that is not needed


def test_all_ends_are_mapped_alike() -> None:
    ends = [{k: v.clone() for k, v in _network().state_dict().items()} for _ in range(2)]
    match_colors(ends, _network()(_photos()), _painting(), 0.7)
    assert torch.equal(ends[0]["to_full.weight"], ends[1]["to_full.weight"])
    assert not torch.equal(ends[0]["to_full.weight"], _network().to_full.weight)
    assert torch.equal(ends[0]["refine.0.weight"], _network().refine[0].weight)


@pytest.mark.parametrize("value", [0.0, 1.0, 0.5])
def test_images_of_one_color(value: float) -> None:
    flat = torch.full((1, 3, 8, 8), value)
    matrix, shift = color_map(logits(flat), logits(_painting()), 1.0)
    assert bool(torch.isfinite(matrix).all())
    assert bool(torch.isfinite(shift).all())
