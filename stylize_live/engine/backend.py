"""Where the arithmetic happens: the contract, and the CPU."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

import torch
from torch import Tensor

from stylize_live.frame import Frame, Pixels
from stylize_live.nets.checkpoint import Checkpoint
from stylize_live.nets.transformer import ResidualTransformer


class Backend(Protocol):
    """Runs one network on one device."""

    def load(self, checkpoint: Checkpoint) -> None:
        """Use these weights from the next picture on."""

    def run(self, pixels: Pixels, strength: float) -> Pixels:
        """Paint one picture: (H, W, 3) RGB, uint8 or uint16 -> the same shape and dtype, a new array."""

    def stream(self, frames: Iterable[Frame], strength: float) -> Iterator[Frame]:
        """Paint frames in order, with as many under way at once as the device likes."""

    def close(self) -> None:
        """Release device memory."""


def prepare_network(checkpoint: Checkpoint, device: torch.device, dtype: torch.dtype) -> ResidualTransformer:
    """The checkpoint's network on a device, in the layout that convolutions like best."""
    return checkpoint.network().to(device, dtype).to(memory_format=torch.channels_last)


def paint(network: ResidualTransformer, pixels: Tensor, strength: float) -> Tensor:
    """Run a network on raw pixels, on whatever device they are.

    Args:
        network: in evaluation mode.
        pixels: (H, W, 3) uint8 or uint16, the whole range.
        strength: 0 gives the original back, 1 the painted picture, between them a mix.

    Returns:
        The same shape and dtype, contiguous.
    """
    top = torch.iinfo(pixels.dtype).max
    # HWC memory seen as NCHW is exactly channels_last: no copy.
    batch = pixels.permute(2, 0, 1)[None].float() / top
    painted: Tensor = network(batch)
    if strength < 1:
        painted = torch.lerp(batch, painted, strength)
    levels = painted.mul(top).add_(0.5).clamp_(0, top).to(pixels.dtype)
    return levels[0].permute(1, 2, 0).contiguous()


class CpuBackend:
    """The network under torch on the CPU, one picture at a time on all cores.

    Args:
        checkpoint: weights to start with.
        dtype: float32 or bfloat16.
    """

    def __init__(self, checkpoint: Checkpoint, dtype: torch.dtype) -> None:
        self._dtype = dtype
        self.load(checkpoint)

    def load(self, checkpoint: Checkpoint) -> None:
        """See `Backend.load`; a new network, so that a picture under way keeps the old one."""
        self._network = prepare_network(checkpoint, torch.device("cpu"), self._dtype)

    def run(self, pixels: Pixels, strength: float) -> Pixels:
        """See `Backend.run`."""
        with torch.inference_mode():
            painted: Pixels = paint(self._network, torch.from_numpy(pixels), strength).numpy()
        return painted

    def stream(self, frames: Iterable[Frame], strength: float) -> Iterator[Frame]:
        """See `Backend.stream`."""
        for frame in frames:
            yield frame.with_pixels(self.run(frame.pixels, strength))

    def close(self) -> None:
        """Nothing to release."""
