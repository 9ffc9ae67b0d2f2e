"""A small network around each kind of layer, for what has to know all of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from stylize_live.nets.architecture import Architecture
from stylize_live.nets.checkpoint import Checkpoint, StyleInfo, weights_of
from stylize_live.nets.layers import (
    ConvNorm,
    Layer,
    Layout,
    Operation,
    PointwiseUpsample,
    Record,
    Residual,
    ToPixels,
    UpsampleNorm,
)
from stylize_live.nets.transformer import ResidualTransformer, initialise

_DOWN = ConvNorm("down", 8, 12, norm="down_norm", stride=2)
# Each at quarter resolution and 8 channels, as the body's first layer takes and the last gives them.
SAMPLES: dict[type[Layer], tuple[Layer, ...]] = {
    ConvNorm: (ConvNorm("one", 8, 8, norm="one_norm"),),
    UpsampleNorm: (
        UpsampleNorm("twice", 8, 8, norm="twice_norm"),
        ConvNorm("back", 8, 8, norm="n", stride=2),
    ),
    PointwiseUpsample: (Residual((_DOWN, PointwiseUpsample("up", 12, 8))),),
    Residual: (Residual((ConvNorm("branch", 8, 8, norm="branch_norm", relu=False),)),),
}


@dataclass(frozen=True, slots=True)
class Swirl(Record):
    """A kind of layer that nothing knows, made of operations that nothing knows."""

    def operations(self) -> tuple[Operation, ...]:
        return (self,)  # type: ignore[return-value]


def layout_of(*body: Layer) -> Layout:
    return Layout(
        ConvNorm("stem", 48, 8, norm="stem_norm", int8=False),
        (*body, UpsampleNorm("to_half", 8, 8, norm="to_half_norm")),
        ToPixels("to_full", 8, 3, brightness="brightness"),
    )


def use(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let all networks made from now on consist of these layers."""
    monkeypatch.setattr(Architecture, "layout", lambda _: layout)


def network_of(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> ResidualTransformer:
    use(layout, monkeypatch)
    network = ResidualTransformer()
    initialise(network, 0)
    return network.eval().requires_grad_(False)


def checkpoint_of(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> Checkpoint:
    network = network_of(layout, monkeypatch)
    weights = weights_of(network.state_dict())
    assert {name: w.shape for name, w in weights.items()} == layout.shapes()
    return Checkpoint(StyleInfo("a style"), Architecture(), weights)


PIXELS = np.random.default_rng(0).integers(0, 256, (40, 56, 3), np.uint8)
