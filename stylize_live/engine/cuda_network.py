"""Which kernels a GPU paints with: ours where they can be built, else torch's."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

from stylize_live.engine.backend import paint
from stylize_live.engine.triton_kernels import made
from stylize_live.nets.transformer import ResidualTransformer

_TRIED = (1, 3, 16, 16)


class GpuNetwork(Protocol):
    """A network on a GPU.

    Attributes:
        kernels: name and version of what its kernels are from.
    """

    kernels: str

    def __call__(self, picture: Tensor) -> Tensor:
        """See `backend.paint`."""

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

    def __call__(self, picture: Tensor) -> Tensor:
        """See `GpuNetwork`."""
        return paint(self._network, picture)

    def refresh(self) -> None:
        """Nothing to do: it reads the weights themselves."""


def quickest(network: ResidualTransformer) -> GpuNetwork:
    """The network with the fastest kernels that there are here; the first time, these are built.

    Args:
        network: on a GPU, channels last, the current stream being the one it will paint on.
    """

    def fused() -> GpuNetwork:
        from stylize_live.engine.fused import FusedNetwork

        found = FusedNetwork(network)
        with torch.inference_mode():
            found(torch.zeros(_TRIED, device=network.brightness.device))
        return found

    return made(fused, instead="painting with torch's kernels", ours="ours") or TorchNetwork(network)
