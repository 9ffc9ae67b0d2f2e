"""The network's layers stand in one place, and whatever computes it knows all kinds of them or says so."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest
import torch
from layer_kinds import PIXELS, SAMPLES, Swirl, checkpoint_of, layout_of, network_of, use

from stylize_live.engine.cpu.int8 import input_ranges
from stylize_live.engine.cpu.torch_backend import TorchCpuBackend
from stylize_live.errors import StyleError
from stylize_live.nets.architecture import Architecture
from stylize_live.nets.layers import ConvNorm, Layer, PointwiseUpsample, Residual, ToPixels, UpsampleNorm
from stylize_live.nets.transformer import ResidualTransformer

UNKNOWN = layout_of(Swirl())  # type: ignore[arg-type]
each_kind = pytest.mark.parametrize("kind", SAMPLES, ids=lambda kind: kind.__name__)


def test_every_kind_has_a_sample_that_holds_it() -> None:
    assert set(SAMPLES) == set(get_args(Layer))
    for kind, body in SAMPLES.items():
        assert kind in {type(layer) for layer in layout_of(*body).walk()}


@each_kind
def test_openvino_paints_each_kind_as_torch_does(kind: type[Layer], monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("openvino")
    from stylize_live.engine.cpu.openvino_backend import OpenVinoBackend

    checkpoint = checkpoint_of(layout_of(*SAMPLES[kind]), monkeypatch)
    expected = TorchCpuBackend(checkpoint, "float32").run_network(PIXELS)
    assert expected.std() > 1
    assert np.abs(OpenVinoBackend(checkpoint, "float32").run_network(PIXELS) - expected).max() < 0.1


@each_kind
def test_eight_bits_are_what_the_layers_say(kind: type[Layer], monkeypatch: pytest.MonkeyPatch) -> None:
    layout = layout_of(*SAMPLES[kind])
    convolutions = ConvNorm | UpsampleNorm | PointwiseUpsample | ToPixels
    worth = [layer.kernel for layer in layout.walk() if isinstance(layer, convolutions) and layer.int8]
    assert list(input_ranges(checkpoint_of(layout, monkeypatch))) == worth


def test_torch_names_a_kind_that_it_does_not_know(monkeypatch: pytest.MonkeyPatch) -> None:
    network = network_of(layout_of(), monkeypatch)
    network.layout = UNKNOWN
    with pytest.raises(StyleError, match="torch has no kernel for layers of the kind Swirl"):
        network(torch.zeros(1, 3, 8, 8))
    use(UNKNOWN, monkeypatch)
    with pytest.raises(StyleError, match="torch has no kernel for layers of the kind Swirl"):
        ResidualTransformer()


def test_openvino_names_a_kind_that_it_does_not_know(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("openvino")
    from stylize_live.engine.cpu.openvino_backend import OpenVinoBackend

    backend = OpenVinoBackend(checkpoint_of(layout_of(), monkeypatch), "float32")
    use(UNKNOWN, monkeypatch)
    with pytest.raises(StyleError, match="OpenVINO has no kernel for layers of the kind Swirl"):
        backend.run_network(PIXELS)


def test_eight_bits_name_a_kind_that_they_do_not_know(monkeypatch: pytest.MonkeyPatch) -> None:
    checkpoint = checkpoint_of(layout_of(), monkeypatch)
    use(UNKNOWN, monkeypatch)
    with pytest.raises(StyleError, match="int8 has no kernel for layers of the kind Swirl"):
        input_ranges(checkpoint)


def test_a_fresh_block_hardly_adds_to_its_input(monkeypatch: pytest.MonkeyPatch) -> None:
    network = network_of(layout_of(*SAMPLES[Residual]), monkeypatch)
    assert (network.norms["branch_norm"].weight == 0.1).all()
    assert (network.norms["stem_norm"].weight == 1).all()


def test_another_depth_is_another_row_of_blocks() -> None:
    few, many = (Architecture(blocks_deep=count).layout() for count in (1, 4))
    added = [name for name in many.shapes() if name not in few.shapes()]
    assert all(name.startswith(tuple(f"deep.blocks.{number}." for number in (1, 2, 3))) for name in added)
    assert len(added) == 3 * 6
