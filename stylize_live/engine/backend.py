"""Where the arithmetic happens: the contract, and the CPU."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from stylize_live.engine.finishing import finished, reduced_to
from stylize_live.engine.flow import Motion, Plane
from stylize_live.engine.look import Look
from stylize_live.engine.smoothing import smoothed
from stylize_live.frame import Frame, Pixels
from stylize_live.nets.checkpoint import Checkpoint
from stylize_live.nets.transformer import ResidualTransformer


@dataclass(frozen=True, slots=True)
class Steady:
    """How a picture is to follow from the one before.

    Attributes:
        motion: measures that of the input, or finds that pictures start anew (None). Called once for each
            picture, in order, when the device has been given its work: so a GPU is not kept waiting,
            and on a CPU, whose cores the network takes all, the two do not get in each other's way.
        share: least share of the fresh picture, see `smoothing.least_share`.
    """

    motion: Callable[[], Motion | None]
    share: float


# A frame, and how to smooth it; None leaves it as painted.
Job = tuple[Frame, Steady | None]


class Backend(Protocol):
    """Runs one network on one device.

    Attributes:
        memory: the last smoothed painting, (h, w, 3) float32 in 0..255, or None; may be set.
        runtime: name and version of what computes the network.
    """

    runtime: str

    @property
    def memory(self) -> Plane | None: ...
    @memory.setter
    def memory(self, picture: Plane | None) -> None: ...

    def load(self, checkpoint: Checkpoint) -> None:
        """Use these weights from the next picture on."""

    def blend(self, first: Checkpoint, second: Checkpoint, share: float) -> None:
        """Use weights between two of one architecture from the next picture on, changed in place.

        Cheap enough for every picture of a crossfade: the styles are brought to the device once.

        Args:
            first, second: the same network as the one in use.
            share: of the second, 0 to 1.
        """

    def run(self, pixels: Pixels, look: Look, steady: Steady | None = None) -> Pixels:
        """Paint one picture: (H, W, 3) RGB, uint8 or uint16 -> the same shape and dtype, a new array."""

    def stream(self, jobs: Iterable[Job], look: Look) -> Iterator[Frame]:
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


def paint(network: ResidualTransformer, picture: Tensor) -> Tensor:
    """Run a network, on whatever device the picture is.

    Args:
        network: in evaluation mode.
        picture: (1, 3, H, W) float32 in 0..255.

    Returns:
        The same shape and range.
    """
    painted: Tensor = network(picture / 255)
    return painted.mul_(255)


def levels(pixels: Tensor) -> Tensor:
    """(H, W, 3) uint8 or uint16, the whole range -> (1, 3, H, W) float32 in 0..255, channels last."""
    # HWC memory seen as NCHW is exactly channels_last: no copy.
    return pixels.permute(2, 0, 1)[None].float().mul_(255 / torch.iinfo(pixels.dtype).max)


def quantised(picture: Tensor, dtype: torch.dtype) -> Tensor:
    """Turn a painted picture into pixels.

    Args:
        picture: (1, 3, H, W) float32, 0..255; what is outside is clipped.
        dtype: uint8 or uint16.

    Returns:
        (H, W, 3) of that dtype, contiguous.
    """
    most = torch.iinfo(dtype).max
    levels = picture.mul(most / 255).add_(0.5).clamp_(0, most).to(dtype)
    return levels[0].permute(1, 2, 0).contiguous()


class CpuBackend:
    """The network under torch on the CPU, one picture at a time on all cores.

    Args:
        checkpoint: weights to start with.
        dtype: float32 or bfloat16.
    """

    runtime = f"torch {torch.__version__}"

    def __init__(self, checkpoint: Checkpoint, dtype: torch.dtype) -> None:
        self._dtype = dtype
        self.memory: Plane | None = None
        self.load(checkpoint)

    def load(self, checkpoint: Checkpoint) -> None:
        """See `Backend.load`; a new network, so that a picture under way keeps the old one."""
        self._network = prepare_network(checkpoint, torch.device("cpu"), self._dtype)
        self._blender = Blender(self._network)

    def blend(self, first: Checkpoint, second: Checkpoint, share: float) -> None:
        """See `Backend.blend`."""
        self._blender(first, second, share)

    def run(self, pixels: Pixels, look: Look, steady: Steady | None = None) -> Pixels:
        """See `Backend.run`."""
        small = reduced_to(pixels, look.working_size((pixels.shape[1], pixels.shape[0])))
        fresh = self.painted(small)
        if steady is not None:
            fresh = self._smoothed(fresh, steady)
        shown = torch.from_numpy(finished(fresh, small, pixels, look)).permute(2, 0, 1)[None]
        found: Pixels = quantised(shown, torch.from_numpy(pixels).dtype).numpy()
        return found

    def painted(self, pixels: Pixels) -> Plane:
        """The network alone: (h, w, 3) uint8 or uint16 -> (h, w, 3) float32 in 0..255."""
        with torch.inference_mode():
            painted = paint(self._network, levels(torch.from_numpy(pixels)))
            picture: Plane = painted[0].permute(1, 2, 0).contiguous().numpy()
        return picture

    def _smoothed(self, fresh: Plane, steady: Steady) -> Plane:
        motion = steady.motion()
        if motion is None or self.memory is None or self.memory.shape != fresh.shape:
            self.memory = fresh
        else:
            self.memory = smoothed(self.memory, fresh, motion, steady.share)
        return self.memory

    def stream(self, jobs: Iterable[Job], look: Look) -> Iterator[Frame]:
        """See `Backend.stream`."""
        for frame, steady in jobs:
            yield frame.with_pixels(self.run(frame.pixels, look, steady))

    def close(self) -> None:
        """See `Backend.close`."""
        self.memory = None
