"""Which kernels a GPU paints with: ours where they can be built, else torch's."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

from stylize_live.engine.cpu.torch_backend import paint
from stylize_live.engine.cuda.triton.build import build_or_fallback
from stylize_live.nets.transformer import ResidualTransformer

_TRIED = (1, 3, 16, 16)


class GpuNetwork(Protocol):
    """A network on a GPU.

    Attributes:
        kernels: name and version of what its kernels are from.
    """

    kernels: str

    def __call__(self, image: Tensor) -> Tensor:
        """See `torch_backend.paint`."""

    def refresh(self) -> None:
        """Take note of weights that were changed in place, in the order of the current stream."""


class TorchNetwork:
    """Torch's kernels: on any GPU, and several times slower.

    Args:
        network: on a GPU.
    """

    kernels = f"torch {torch.__version__}"

    def __init__(self, network: ResidualTransformer) -> None:
        self._network = network

    def __call__(self, image: Tensor) -> Tensor:
        """See `GpuNetwork`."""
        return paint(self._network, image)

    def refresh(self) -> None:
        """Nothing to do: it reads the weights themselves."""


def select_network(network: ResidualTransformer) -> GpuNetwork:
    """The network with the fastest kernels that there are here; the first time, these are built.

    Args:
        network: on a GPU, channels last, the current stream being the one it will paint on.
    """

    def fused() -> GpuNetwork:
        from stylize_live.engine.cuda.fused_network import FusedNetwork

        found = FusedNetwork(network)
        with torch.inference_mode():
            found(torch.zeros(_TRIED, device=network.brightness.device))
        return found

    return build_or_fallback(fused, instead="painting with torch's kernels", ours="ours") or TorchNetwork(
        network
    )
