"""The network's layers stand in one place, and whatever computes it knows all kinds of them or says so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

import numpy as np
import pytest
import torch
from layer_kinds import PIXELS, SAMPLES, Swirl, checkpoint_of, layout_of, network_of, use

from stylize_live.engine.cpu.int8 import input_ranges
from stylize_live.engine.cpu.torch_backend import TorchCpuBackend
from stylize_live.errors import StyleError
from stylize_live.nets.architecture import Architecture
from stylize_live.nets.layers import (
    ConvLayer,
    ConvNorm,
    Layer,
    Operation,
    Record,
    Relu,
    Residual,
    Sum,
    last_norms,
)
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
    found = list(input_ranges(checkpoint_of(layout, monkeypatch)))
    layers = [layer for layer in layout.walk() if isinstance(layer, ConvLayer)]
    # Kinds may have convolutions that are in no layer of their own.
    own = {name for name, shape in layout.shapes().items() if len(shape) == 4}
    own -= {layer.kernel for layer in layers}
    assert [name for name in found if name not in own] == [layer.kernel for layer in layers if layer.int8]


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


@dataclass(frozen=True, slots=True)
class Twofold(Record):
    """A kind of layer that nothing knows, made of operations that are known."""

    parts: tuple[Layer, ...]

    def operations(self) -> tuple[Operation, ...]:
        return (Sum(Residual(self.parts).operations()), Relu())

    def layers(self) -> tuple[Layer, ...]:
        return self.parts


def test_a_new_kind_says_its_weights_ranges_and_beginnings_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    (known,) = SAMPLES[Residual]
    new = layout_of(Twofold(known.layers()))  # type: ignore[arg-type]
    checkpoint = checkpoint_of(layout_of(known), monkeypatch)
    assert new.shapes() == layout_of(known).shapes()
    assert list(last_norms(new.operations())) == ["branch_norm"]
    before = input_ranges(checkpoint)
    use(new, monkeypatch)
    ranges = input_ranges(checkpoint)
    assert list(ranges) == list(before)
    # The input stands in the sum once more; and what is behind it cannot be told from a norm's tails.
    assert ranges["branch.weight"] == before["branch.weight"]
    assert ranges["to_half.weight"][1] > before["to_half.weight"][1]


@dataclass(frozen=True, slots=True)
class Bare(ConvLayer):
    """A convolution without a norm."""

    def operations(self) -> tuple[Operation, ...]:
        return (self._convolution(3),)


def test_without_a_norm_nothing_lies_beyond_what_the_weights_allow(monkeypatch: pytest.MonkeyPatch) -> None:
    checkpoint = checkpoint_of(layout_of(*SAMPLES[ConvNorm]), monkeypatch)
    use(layout_of(Bare("one", 8, 8)), monkeypatch)  # type: ignore[arg-type]
    low, high = input_ranges(checkpoint)["to_half.weight"]
    # What the stem's norm and ReLU give: normal, all neighbours alike, or as the weights would have them.
    values = np.random.default_rng(0).normal(size=(1000, 8)).clip(0)
    weight = checkpoint.weights["one.weight"]
    for reach in (weight.sum((2, 3)), np.abs(weight).sum((2, 3)) * np.sign(weight.sum((2, 3)))):
        made = values @ reach.T
        assert low < made.min() < made.max() < high


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
