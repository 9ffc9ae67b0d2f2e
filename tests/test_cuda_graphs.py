"""What of the GPU's path can be tried without one; the rest is in test_cuda.py."""

from __future__ import annotations

import logging
from typing import Any

import pytest
import torch

from stylize_live.engine.backend import paint
from stylize_live.engine.cuda_graphs import GraphedNetwork
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
    stream: Any = None
    graphed, picture = GraphedNetwork(network, stream), 255 * torch.rand(1, 3, 24, 32)
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            torch.testing.assert_close(graphed(picture), paint(network, picture))
    assert [record.message for record in caplog.records] == [
        "painting kernel by kernel, as a CUDA graph could not be recorded: no graphs here"
    ]
