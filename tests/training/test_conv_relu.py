"""Convolution, bias and ReLU in one kernel: the same numbers and gradients as in three."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from stylize_live.training import conv_relu
from stylize_live.training.conv_relu import ConvReLU, fuse


def _layers(device: str = "cpu", dtype: torch.dtype = torch.float32) -> nn.Sequential:
    generator = torch.Generator().manual_seed(0)
    layers = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(inplace=True), nn.MaxPool2d(2))
    layers += nn.Sequential(nn.Conv2d(8, 16, 3, padding=1), nn.ReLU(inplace=True))
    for parameter in layers.parameters():
        parameter.data = torch.randn(parameter.shape, generator=generator) * 0.2
    return layers.to(device, dtype).to(memory_format=torch.channels_last).requires_grad_(False)


def _result(
    layers: Callable[[Tensor], Tensor], device: str = "cpu", dtype: torch.dtype = torch.float32
) -> list[Tensor]:
    x = torch.randn(2, 3, 16, 16, generator=torch.Generator().manual_seed(1)).to(device)
    x.requires_grad_(True)
    y = layers(x.to(dtype).contiguous(memory_format=torch.channels_last))
    y.float().square().mean().backward()  # type: ignore[no-untyped-call]
    assert x.grad is not None
    return [y.detach().float(), x.grad.float()]


def test_relu_moves_into_its_convolution() -> None:
    layers = fuse(_layers())
    assert [type(layer) for layer in layers] == [ConvReLU, nn.MaxPool2d, ConvReLU]
    for found, wanted in zip(_result(layers), _result(_layers()), strict=True):
        torch.testing.assert_close(found, wanted, rtol=0, atol=0)


def test_the_gradient_of_one_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ours is written by hand; here with torch's own functions in the place of cuDNN's."""

    def on_cpu(x: Tensor, weight: Tensor, bias: Tensor, *_: object) -> Tensor:
        return F.relu(F.conv2d(x, weight, bias, padding=1))

    def forward(layer: ConvReLU, x: Tensor) -> Tensor:
        return conv_relu._Fused.apply(x, layer.conv.weight, layer.conv.bias)

    monkeypatch.setattr(torch, "cudnn_convolution_relu", on_cpu)
    monkeypatch.setattr(ConvReLU, "forward", forward)
    for found, wanted in zip(_result(fuse(_layers())), _result(_layers()), strict=True):
        torch.testing.assert_close(found, wanted, rtol=0, atol=1e-7)


@pytest.mark.gpu
def test_on_a_gpu(cuda: torch.device) -> None:
    found, wanted = (
        _result(fuse(_layers("cuda", torch.bfloat16)), "cuda", torch.bfloat16),
        _result(_layers()),
    )
    for one, other in zip(found, wanted, strict=True):
        assert float((one.cpu() - other).norm() / other.norm()) < 0.02
