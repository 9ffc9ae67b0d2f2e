"""The network: shapes, the folded upsampling, borders."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from stylize_live.nets import transformer
from stylize_live.nets.transformer import Architecture, ResidualTransformer, fold_upsampling, initialise


@pytest.fixture(scope="module")
def network() -> ResidualTransformer:
    network = ResidualTransformer()
    initialise(network, seed=1)
    return network.eval().requires_grad_(False)


@pytest.mark.parametrize(
    ("height", "width"), [(1, 1), (1, 70), (3, 2), (8, 8), (37, 51), (64, 96), (90, 161)]
)
def test_output_has_the_size_of_the_input(network: ResidualTransformer, height: int, width: int) -> None:
    painted = network(torch.rand(2, 3, height, width))
    assert painted.shape == (2, 3, height, width)
    assert painted.dtype == torch.float32
    assert bool(painted.isfinite().all())
    assert 0 <= float(painted.min()) <= float(painted.max()) <= 1


@pytest.mark.parametrize("shape", [(3, 8, 8), (1, 4, 8, 8), (1, 3, 0, 8)])
def test_refuses_what_is_not_a_batch_of_images(network: ResidualTransformer, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="expected"):
        network(torch.rand(shape))


def test_folded_upsampling_equals_bilinear_then_convolution() -> None:
    generator = torch.Generator().manual_seed(0)
    weight = torch.randn(5, 7, 3, 3, generator=generator, dtype=torch.float64)
    x = torch.randn(2, 7, 9, 11, generator=generator, dtype=torch.float64)
    plain = F.conv2d(F.interpolate(x, scale_factor=2, mode="bilinear"), weight, padding=1)
    folded = F.pixel_shuffle(F.conv2d(x, fold_upsampling(weight), padding=1), 2)
    inner = (..., slice(2, -2), slice(2, -2))
    torch.testing.assert_close(folded[inner], plain[inner])


def test_even_image_gives_even_result(network: ResidualTransformer, monkeypatch: pytest.MonkeyPatch) -> None:
    """No grid, no dark rim: with nothing in the image, every pixel is painted alike.

    Norms that see next to nothing blow it up 300 times, each of fourteen: on some processors, that is what
    was rounded differently at different places. Here they must not (in images,
    `attenuate_low_contrast` sees to it).
    """
    monkeypatch.setattr(transformer, "NORM_EPSILON", 1.0)
    painted = network(torch.full((1, 3, 72, 104), 0.3))
    spread = painted.amax((2, 3)) - painted.amin((2, 3))
    assert float(spread.max()) < 0.02


def test_same_weights_without_deep_stage() -> None:
    network = ResidualTransformer(Architecture(deep_width=0, blocks_deep=0))
    assert network(torch.rand(1, 3, 20, 20)).shape == (1, 3, 20, 20)


def test_initialise_is_reproducible() -> None:
    first, second, other = (ResidualTransformer() for _ in range(3))
    initialise(first, 3)
    initialise(second, 3)
    initialise(other, 4)
    assert all(
        torch.equal(a, b)
        for a, b in zip(first.state_dict().values(), second.state_dict().values(), strict=True)
    )
    assert not torch.equal(first.stem[0].weight, other.stem[0].weight)


@pytest.mark.parametrize(
    "change", [{"width": 0}, {"width": 4096}, {"width": True}, {"width": 4.5}, {"more": 1}]
)
def test_architecture_refuses_nonsense(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="architecture"):
        Architecture.from_dict({**Architecture().to_dict(), **change})


@pytest.mark.parametrize(
    "architecture",
    [Architecture(), Architecture(deep_width=0, blocks_in=2), Architecture(8, 16, 12, 0, 1, 3)],
)
def test_shapes_are_known_without_the_network(architecture: Architecture) -> None:
    weights = ResidualTransformer(architecture).state_dict()
    assert architecture.shapes() == {name: tuple(tensor.shape) for name, tensor in weights.items()}
