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

    def blend(self, first: Checkpoint, second: Checkpoint, share: float) -> None:
        """Use weights between two of one architecture from the next picture on, changed in place.

        Cheap enough for every picture of a crossfade: the styles are brought to the device once.

        Args:
            first, second: the same network as the one in use.
            share: of the second, 0 to 1.
        """

    def run(self, pixels: Pixels, strength: float) -> Pixels:
        """Paint one picture: (H, W, 3) RGB, uint8 or uint16 -> the same shape and dtype, a new array."""

    def stream(self, frames: Iterable[Frame], strength: float) -> Iterator[Frame]:
        """Paint frames in order, with as many under way at once as the device likes."""

    def close(self) -> None:
        """Release device memory."""


def prepare_network(checkpoint: Checkpoint, device: torch.device, dtype: torch.dtype) -> ResidualTransformer:
    """The checkpoint's network on a device, in the layout that convolutions like best."""
    return checkpoint.network().to(device, dtype).to(memory_format=torch.channels_last)


class Blender:
    """Changes a network's weights in place. Knows the styles it saw, as float32 on the device.

    Args:
        network: where the weights go, on whatever device and in whatever precision.
    """

    def __init__(self, network: ResidualTransformer) -> None:
        self._targets = network.state_dict()
        self._device = next(network.parameters()).device
        self._seen: dict[int, tuple[Checkpoint, dict[str, Tensor]]] = {}

    def __call__(self, first: Checkpoint, second: Checkpoint, share: float) -> None:
        """See `Backend.blend`."""
        a, b = self._weights(first), self._weights(second)
        with torch.no_grad():
            for name, target in self._targets.items():
                target.copy_(torch.lerp(a[name], b[name], share))

    def _weights(self, checkpoint: Checkpoint) -> dict[str, Tensor]:
        if id(checkpoint) not in self._seen:
            weights = {name: tensor.to(self._device) for name, tensor in checkpoint.weights.items()}
            self._seen[id(checkpoint)] = checkpoint, weights  # held, so that its id stays its own
        return self._seen[id(checkpoint)][1]


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
        self._blender = Blender(self._network)

    def blend(self, first: Checkpoint, second: Checkpoint, share: float) -> None:
        """See `Backend.blend`."""
        self._blender(first, second, share)

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
