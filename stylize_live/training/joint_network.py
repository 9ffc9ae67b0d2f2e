"""One network that learns many paintings, and what adapts it to each.

`engine/first_look/joint.py` computes the same in NumPy, of what `export_joint_network` gives. That few
numbers, predicted from a painting, are a style: Ghiasi et al., BMVC 2017 (arXiv:1705.06830).
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from stylize_live.engine.first_look.joint import JointNetwork, adapt, adapted, count_numbers
from stylize_live.nets.architecture import Architecture
from stylize_live.nets.catalogue import style_path
from stylize_live.nets.checkpoint import load_checkpoint, mix_weights
from stylize_live.nets.transformer import ResidualTransformer
from stylize_live.options import DEFAULT_BOLDNESS
from stylize_live.training.first_look import PaintingSpace, array_of, mixed_styles

_HIDDEN = 128  # of the hidden layer
_LINEAR, _OUTPUT = 0.1, 0.3  # both begin at zero: how fast they move from there
_KERNEL = 0.3  # how fast the last layer's kernel moves, likewise

State = Mapping[str, Tensor]


def start_network() -> ResidualTransformer:
    """What training begins with: the mean of the shipped styles at their usual boldness, without brightness.

    Only of those with two ends: they are trained from one base and can be averaged.
    """
    chosen = [load_checkpoint(style_path(name)).once_at(DEFAULT_BOLDNESS).weights for name in mixed_styles()]
    mean = mix_weights(chosen, [1 / len(chosen)] * len(chosen))
    network = ResidualTransformer()
    network.load_state_dict({name: torch.from_numpy(array) for name, array in mean.items()})
    network.brightness.zero_()
    return network


class AdaptedNetwork(nn.Module):
    """Place of a painting -> the weights of its network.

    Args:
        base: what all paintings share; it is trained, too.
        places: numbers of a place.
    """

    paces: Tensor

    def __init__(self, base: ResidualTransformer, places: int) -> None:
        super().__init__()
        self.base = base
        self.register_buffer("paces", _paces(), persistent=False)
        self.linear = nn.Linear(places, count_numbers())
        self.hidden = nn.Linear(places, _HIDDEN)
        self.output = nn.Linear(_HIDDEN, count_numbers())
        for layer in (self.linear, self.output):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, place: Tensor) -> dict[str, Tensor]:
        """(n,) -> weights by name."""
        numbers = self.linear(place) * _LINEAR + self.output(F.silu(self.hidden(place))) * _OUTPUT
        return adapt(
            dict(self.base.named_parameters()) | dict(self.base.named_buffers()), numbers * self.paces
        )


def _paces() -> Tensor:
    """How fast each of the predicted numbers moves."""
    kernel = Architecture().layout().head.kernel
    paces = [
        torch.full((math.prod(shape),), _KERNEL if name == kernel else 1.0)
        for name, shape in adapted().items()
    ]
    return F.pad(torch.cat(paces), (0, count_numbers() - sum(map(len, paces))), value=1.0)


def export_joint_network(state: State, space: PaintingSpace) -> JointNetwork:
    """What was trained, as the program ships it.

    Args:
        state: of an `AdaptedNetwork`.
        space: in which places are.
    """
    paces = _paces()
    tensors = {
        "linear": state["linear.weight"] * _LINEAR * paces[:, None],
        "hidden": state["hidden.weight"],
        "hidden_bias": state["hidden.bias"],
        "output": state["output.weight"] * _OUTPUT * paces[:, None],
        "bias": (state["linear.bias"] * _LINEAR + state["output.bias"] * _OUTPUT) * paces,
    }
    base = {name: array_of(state[f"base.{name}"]) for name in Architecture().shapes()}
    arrays = {name: array_of(tensor) for name, tensor in tensors.items()}
    return JointNetwork(base=base, **arrays, **space.arrays())
