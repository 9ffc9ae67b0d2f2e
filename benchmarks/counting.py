"""What a network has to compute and to move, counted while it runs on nothing ("meta" tensors)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

# Operations that look at memory in another way and move nothing.
_VIEWS = {
    "view",
    "reshape",
    "permute",
    "slice",
    "expand",
    "unsqueeze",
    "detach",
    "detach_",
    "alias",
    "lift_fresh",
}
_CONVOLUTIONS = {"conv2d", "convolution"}


@dataclass(frozen=True, slots=True)
class Work:
    """What one frame takes.

    Attributes:
        multiply_adds: of all convolutions.
        least_bytes: frame in, frame out, weights: if all between stayed in registers.
        layer_bytes: what goes into and out of the convolutions: if all else were fused into them.
        all_bytes: what goes into and out of every operation as torch runs them.
    """

    multiply_adds: int
    least_bytes: int
    layer_bytes: int
    all_bytes: int


class _Traffic(TorchDispatchMode):
    """Adds up the bytes of what operations read and write."""

    def __init__(self) -> None:
        super().__init__()
        self.all = self.layers = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        found = func(*args, **(kwargs or {}))
        name = func.overloadpacket.__name__
        if name not in _VIEWS:
            tensors = [x for x in tree_leaves((args, kwargs, found)) if isinstance(x, torch.Tensor)]
            moved = sum(tensor.numel() * tensor.element_size() for tensor in tensors)
            self.all += moved
            self.layers += moved if name in _CONVOLUTIONS else 0
        return found


def work_of(network: torch.nn.Module, size: tuple[int, int], dtype: torch.dtype) -> Work:
    """Count the work of one frame.

    Args:
        network: (1, 3, H, W) float32 to the same.
        size: (width, height) in pixels.
        dtype: of weights and of what lies between layers.
    """
    network = network.eval().to("meta", dtype)
    image = torch.empty(1, 3, size[1], size[0], device="meta")
    flops, traffic = FlopCounterMode(display=False), _Traffic()
    with torch.inference_mode(), flops:
        network(image)
    with torch.inference_mode(), traffic:
        network(image)
    weights = sum(p.numel() * p.element_size() for p in network.parameters())
    # Frames are read and shown as bytes.
    least = 2 * image.numel() + weights
    return Work(flops.get_total_flops() // 2, least, traffic.layers, traffic.all)
