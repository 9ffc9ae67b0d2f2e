"""What of the GPU's path can be tried without one; the rest is in engine/cuda/test_cuda.py."""

from __future__ import annotations

import logging
import sys
from types import SimpleNamespace

import pytest
import torch

from stylize_live.engine.cpu.optical_flow import FlowEstimator
from stylize_live.engine.cpu.smoothing import Tuning
from stylize_live.engine.cpu.torch_backend import paint
from stylize_live.engine.cuda.graphs import Graphed
from stylize_live.engine.cuda.motion import select_motion
from stylize_live.engine.cuda.motion_tensors import TensorMotion
from stylize_live.engine.cuda.network import TorchNetwork, select_network
from stylize_live.engine.cuda.smoothing import smooth
from stylize_live.nets.transformer import ResidualTransformer, initialise


@pytest.fixture
def network() -> ResidualTransformer:
    network = ResidualTransformer()
    initialise(network, 0)
    return network.eval().requires_grad_(False)


def test_paints_without_a_graph_where_none_can_be_recorded(
    network: ResidualTransformer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> None:
        raise RuntimeError("no graphs here")

    monkeypatch.setattr(torch.cuda, "CUDAGraph", fail)
    graphed, image = Graphed(TorchNetwork(network)), 255 * torch.rand(1, 3, 24, 32)
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            torch.testing.assert_close(graphed(image), paint(network, image))
    assert [record.message for record in caplog.records] == [
        "launching kernel by kernel, as a CUDA graph could not be recorded: no graphs here"
    ]


def test_paints_with_torch_where_triton_is_not_there(
    network: ResidualTransformer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "stylize_live.engine.cuda.fused_network", None)
    image = 255 * torch.rand(1, 3, 24, 32)
    found = select_network(network)
    assert isinstance(found, TorchNetwork)
    torch.testing.assert_close(found(image), paint(network, image))


def test_paints_with_torch_where_triton_cannot_build(
    network: ResidualTransformer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(network: ResidualTransformer) -> None:
        raise FileNotFoundError("no C compiler")

    monkeypatch.setitem(
        sys.modules, "stylize_live.engine.cuda.fused_network", SimpleNamespace(FusedNetwork=fail)
    )
    assert isinstance(select_network(network), TorchNetwork)
    assert "Triton cannot build ours: no C compiler" in caplog.text


@pytest.fixture
def images() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """What smoothing takes."""
    generator = torch.Generator().manual_seed(0)
    previous, fresh = 255 * torch.rand((2, 1, 3, 48, 64), generator=generator)
    return previous, fresh, 255 * torch.rand((2, 24, 32), generator=generator), torch.tensor(0.04)


def test_the_processor_measures_motion_where_triton_is_not_there(
    images: tuple[torch.Tensor, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "stylize_live.engine.cuda.optical_flow", None)
    cpu = torch.device("cpu")
    previous, fresh, inputs, share = images
    motion = TensorMotion.of(FlowEstimator()(*(inputs + 0.5).byte().numpy()), cpu)
    torch.testing.assert_close(select_motion(cpu)(*images), smooth(previous, fresh, motion, share, Tuning()))


def test_the_processor_measures_motion_where_triton_cannot_build(
    images: tuple[torch.Tensor, ...], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(inputs: torch.Tensor) -> None:
        raise FileNotFoundError("no C compiler")

    module = SimpleNamespace(flow_between=fail, compare_patches=fail)
    monkeypatch.setitem(sys.modules, "stylize_live.engine.cuda.optical_flow", module)
    assert select_motion(torch.device("cpu"))(*images).shape == images[0].shape
    assert "Triton cannot build our kernels: no C compiler" in caplog.text
