"""The GPU's own kernels, run by Triton's interpreter on the CPU, against torch. See test_kernels.py."""

from __future__ import annotations

from dataclasses import replace

import layer_kinds
import pytest
import torch
from layer_kinds import SAMPLES, Swirl, layout_of
from torch import Tensor

from stylize_live.engine.cpu.torch_backend import Blender, paint
from stylize_live.engine.cuda import fused_network
from stylize_live.errors import StyleError
from stylize_live.nets.checkpoint import Checkpoint, StyleInfo, weights_of
from stylize_live.nets.layers import (
    ConvNorm,
    Layer,
    Layout,
    PointwiseUpsample,
    Residual,
    ToPixels,
    UpsampleNorm,
)
from stylize_live.nets.transformer import Architecture, InstanceNorm, ResidualTransformer, initialise

ODD = Architecture(width=24, deep_width=40, head_width=12, blocks_in=1, blocks_deep=1, blocks_out=1)
SHALLOW = Architecture(width=16, deep_width=0, head_width=8, blocks_in=0, blocks_deep=0, blocks_out=2)

PAINTED = {ConvNorm, UpsampleNorm, PointwiseUpsample, Residual}  # kinds of layers; others are refused


@pytest.fixture(autouse=True)
def few_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    """The interpreter takes milliseconds for each."""
    monkeypatch.setattr(fused_network, "_PROGRAMS", 4)


def network_of(architecture: Architecture, seed: int = 0) -> ResidualTransformer:
    network = ResidualTransformer(architecture)
    initialise(network, seed)
    generator = torch.Generator().manual_seed(seed)
    for module in network.modules():  # as after training, where no two channels are alike
        if isinstance(module, InstanceNorm):
            module.weight.data.uniform_(0.5, 1.5, generator=generator)
            module.bias.data.uniform_(-0.5, 0.5, generator=generator)
    network.to_full.bias.data.uniform_(-0.5, 0.5, generator=generator)  # type: ignore[union-attr]
    return network.eval().requires_grad_(False).to(memory_format=torch.channels_last)


def image_of(width: int, height: int) -> Tensor:
    coarse = torch.rand((1, 3, 6, 7), generator=torch.Generator().manual_seed(0))
    return 255 * torch.nn.functional.interpolate(coarse, (height, width), mode="bilinear")


@pytest.mark.parametrize("architecture", [ODD, SHALLOW], ids=["odd", "shallow"])
@pytest.mark.parametrize("size", [(40, 32), (37, 21)])
def test_paints_as_torch_does(architecture: Architecture, size: tuple[int, int]) -> None:
    network, image = network_of(architecture), image_of(*size)
    for given in (image, image.contiguous(memory_format=torch.channels_last)):
        torch.testing.assert_close(
            fused_network.FusedNetwork(network)(given), paint(network, given), atol=0.01, rtol=0
        )


def test_in_sixteen_bits() -> None:
    network, image = network_of(ODD), image_of(40, 32)
    exact = paint(network, image)
    network = network.to(torch.float16)
    ours, torchs = fused_network.FusedNetwork(network)(image), paint(network, image)
    assert ours.dtype == torch.float32
    assert (ours - exact).abs().mean() < 1.2 * (torchs - exact).abs().mean() + 0.1


def test_the_same_image_gives_the_same_result() -> None:
    network, image = fused_network.FusedNetwork(network_of(ODD)), image_of(40, 32)
    first = network(image)
    network(255 - image)
    assert (network(image) == first).all()


def test_follows_weights_that_change_in_place() -> None:
    first, second = (
        Checkpoint(StyleInfo("a style"), ODD, weights_of(network_of(ODD, seed).state_dict()))
        for seed in (1, 2)
    )
    network, image = network_of(ODD), image_of(40, 32)
    ours, blend = fused_network.FusedNetwork(network), Blender(network)
    for share in (0.0, 0.5, 1.0):
        blend(first, second, share)
        ours.refresh()
        torch.testing.assert_close(ours(image), paint(network, image), atol=0.01, rtol=0)


@pytest.mark.parametrize("kind", SAMPLES, ids=lambda kind: kind.__name__)
def test_paints_each_kind_of_layer_or_names_it(kind: type[Layer], monkeypatch: pytest.MonkeyPatch) -> None:
    network = layer_kinds.network_of(layout_of(*SAMPLES[kind]), monkeypatch)
    network, image = network.to(memory_format=torch.channels_last), image_of(40, 32)
    if kind not in PAINTED:
        with pytest.raises(StyleError, match=f"Triton has no kernel for layers of the kind {kind.__name__}"):
            fused_network.FusedNetwork(network)(image)
        return
    torch.testing.assert_close(
        fused_network.FusedNetwork(network)(image), paint(network, image), atol=0.01, rtol=0
    )


def test_names_what_it_has_no_kernel_for(monkeypatch: pytest.MonkeyPatch) -> None:
    network = layer_kinds.network_of(layout_of(), monkeypatch)
    twice = Residual((Residual(SAMPLES[next(iter(SAMPLES))]),))  # adds to what is added
    for layer, name in ((Swirl(), "Swirl"), (twice, "Residual")):
        network.layout = layout_of(layer)  # type: ignore[arg-type]
        with pytest.raises(StyleError, match=f"Triton has no kernel for layers of the kind {name}"):
            fused_network.FusedNetwork(network)(image_of(40, 32))


def test_refuses_convolutions_of_other_sides(monkeypatch: pytest.MonkeyPatch) -> None:
    network = layer_kinds.network_of(layout_of(), monkeypatch)
    for kind in (ConvNorm, ToPixels):
        with monkeypatch.context() as patched:
            patched.setattr(kind, "operations", lambda layer: (layer._convolution(1),))
            with pytest.raises(StyleError, match=f"kind {kind.__name__} with 1x1 convolutions"):
                fused_network.FusedNetwork(network)


def test_refuses_values_of_fields_that_it_does_not_know(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fused_network, "_FIELDS", fused_network._FIELDS - {"stride"})
    fused_network.FusedNetwork(layer_kinds.network_of(layout_of(*SAMPLES[ConvNorm]), monkeypatch))
    network = layer_kinds.network_of(layout_of(*SAMPLES[PointwiseUpsample]), monkeypatch)
    with pytest.raises(StyleError, match="no kernel for layers of the kind ConvNorm with stride=2"):
        fused_network.FusedNetwork(network)


def test_refuses_images_that_have_no_three_colors(monkeypatch: pytest.MonkeyPatch) -> None:
    layout = layout_of()
    gray = Layout(layout.stem, layout.body, replace(layout.head, outputs=1))
    with pytest.raises(StyleError, match="kind ToPixels with outputs=1"):
        fused_network.FusedNetwork(layer_kinds.network_of(gray, monkeypatch))


@pytest.mark.parametrize(
    "body",
    [
        (ConvNorm("smaller", 8, 8, norm="n", stride=2),),
        (ConvNorm("more", 8, 12, norm="n"),),
        (PointwiseUpsample("up", 8, 8),),
    ],
    ids=["size", "channels", "enlarged"],
)
def test_refuses_to_add_what_does_not_fit(body: tuple[Layer, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    network = layer_kinds.network_of(layout_of(Residual(body)), monkeypatch)
    with pytest.raises(StyleError, match="Triton cannot add features of"):
        fused_network.FusedNetwork(network)(image_of(40, 32))
