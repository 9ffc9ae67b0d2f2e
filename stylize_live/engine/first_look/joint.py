"""One network that has learnt hundreds of paintings at once, adapted to a new one.

What differs between paintings is little: scales and shifts of its norms, and how colors come in and go out. A
linear and a hidden layer predict these numbers from where a painting is among others (Ghiasi et al., BMVC
2017, arXiv:1705.06830). `training/joint_network.py` trains both.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file, save

from stylize_live.engine.first_look.color_maps import add_input_map, add_output_map
from stylize_live.engine.first_look.description import Array, Description
from stylize_live.engine.first_look.packing import LARGE, pack, unpack
from stylize_live.engine.first_look.space import Space
from stylize_live.nets.architecture import Architecture
from stylize_live.nets.checkpoint import Weights
from stylize_live.nets.layers import Shapes

FILE = Path(__file__).parent / "weights" / "joint.safetensors"
_COLORS = 9 + 3 + 9  # numbers of the maps of colors: a matrix and a shift at the end, a matrix at the start
_BASE = "base/"  # before the names of its weights


@dataclass(frozen=True, slots=True)
class JointNetwork(Space):
    """Gives networks for paintings. All arrays float32; n = K + 12, h hidden, m numbers are predicted.

    Attributes:
        linear, hidden, hidden_bias, output, bias: (m, n), (h, n), (h,), (m, h), (m,).
        base: weights of the usual architecture, by name: what predicted numbers change.
    """

    linear: Array
    hidden: Array
    hidden_bias: Array
    output: Array
    bias: Array
    base: Weights

    def __call__(self, description: Description) -> Weights:
        """The weights of the network for a painting."""
        place = self.place(description)
        inner = self.hidden @ place + self.hidden_bias
        return adapt(self.base, self.linear @ place + self.output @ _silu(inner) + self.bias)


def adapted() -> Shapes:
    """Names and shapes of the weights that differ from painting to painting, in the order of their numbers.

    All norms, and the kernel of the last layer; behind them come the maps of colors.
    """
    layout = Architecture().layout()
    shapes, head = layout.shapes(), layout.head
    norms = {
        name: shape
        for name, shape in shapes.items()
        if len(shape) == 1 and name not in (head.bias, head.brightness)
    }
    return norms | {head.kernel: shapes[head.kernel]}


def count_numbers() -> int:
    """How many numbers are predicted for a painting."""
    return sum(map(math.prod, adapted().values())) + _COLORS


def adapt(base: Mapping[str, Any], numbers: Any) -> dict[str, Any]:
    """The weights of a network for a painting.

    Args:
        base: weights by name; NumPy's arrays, or torch's tensors.
        numbers: (m,) of the same kind. All 0, nothing is changed.
    """
    found, at = dict(base), 0
    for name, shape in adapted().items():
        part = numbers[at : at + math.prod(shape)].reshape(shape)
        at += math.prod(shape)
        is_scale = len(shape) == 1 and name.endswith(".weight")
        found[name] = base[name] + (base[name] * part if is_scale else part)
    matrix, shift, first = numbers[at : at + 9], numbers[at + 9 : at + 12], numbers[at + 12 :]
    add_output_map(found, matrix.reshape(3, 3), shift)
    add_input_map(found, first.reshape(3, 3))
    return found


def load_joint_network() -> JointNetwork:
    """The shipped one."""
    arrays = unpack(load_file(FILE))
    base = {name.removeprefix(_BASE): arrays.pop(name) for name in list(arrays) if name.startswith(_BASE)}
    return JointNetwork(base=base, **arrays)


def save_joint_network(path: Path, network: JointNetwork, about: Mapping[str, str]) -> None:
    """Write a file, see `pack`.

    Args:
        path: written anew.
        network: what is written.
        about: its metadata.
    """
    arrays = {one.name: getattr(network, one.name) for one in fields(network)}
    arrays |= {_BASE + name: array for name, array in arrays.pop("base").items()}
    arrays |= {name: _in_six_bits(arrays[name]) for name in ("linear", "output")}
    path.write_bytes(save(pack(arrays, larger_than=LARGE), dict(about)))


def _in_six_bits(table: Array) -> Array:
    """Fewer values in each row: packed in eight bits, they can then be compressed in the wheel."""
    steps = np.abs(table).max(1, keepdims=True) / 31 + np.finfo(np.float32).tiny
    return np.asarray(np.round(table / steps) * steps, np.float32)


def _silu(values: Array) -> Array:
    return np.asarray(values / (1 + np.exp(-values)))
