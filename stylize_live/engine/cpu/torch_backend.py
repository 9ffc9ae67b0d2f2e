"""The network under torch: functions for any device, and the backend for the CPU."""

from __future__ import annotations

from collections import OrderedDict

import torch
from torch import Tensor

from stylize_live.engine.cpu.base import CpuBackend
from stylize_live.engine.cpu.optical_flow import Plane
from stylize_live.frame import Pixels
from stylize_live.nets.checkpoint import Checkpoint
from stylize_live.nets.transformer import ResidualTransformer

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


def prepare_network(checkpoint: Checkpoint, device: torch.device, dtype: torch.dtype) -> ResidualTransformer:
    """The checkpoint's network on a device, in the layout that convolutions like best."""
    return checkpoint.network().to(device, dtype).to(memory_format=torch.channels_last)


_KNOWN = 32  # sets of weights


class Blender:
    """Changes a network's weights in place. Knows the sets it saw last, as float32 on the device.

    Args:
        network: where the weights go, on whatever device and in whatever precision.
    """

    def __init__(self, network: ResidualTransformer) -> None:
        self._targets = network.state_dict()
        self._device = next(network.parameters()).device
        self._seen: OrderedDict[int, tuple[Checkpoint, dict[str, Tensor]]] = OrderedDict()

    def __call__(self, first: Checkpoint, second: Checkpoint, share: float) -> None:
        """See `Backend.blend`."""
        a, b = self._weights(first), self._weights(second)
        with torch.no_grad():
            for name, target in self._targets.items():
                target.copy_(torch.lerp(a[name], b[name], share))

    def _weights(self, checkpoint: Checkpoint) -> dict[str, Tensor]:
        if id(checkpoint) not in self._seen:
            weights = {
                name: torch.from_numpy(array).to(self._device) for name, array in checkpoint.weights.items()
            }
            self._seen[id(checkpoint)] = checkpoint, weights  # held, so that its id stays its own
            if len(self._seen) > _KNOWN:
                self._seen.popitem(last=False)
        return self._seen[id(checkpoint)][1]


def paint(network: ResidualTransformer, image: Tensor) -> Tensor:
    """Run a network, on whatever device the image is.

    Args:
        network: in evaluation mode.
        image: (1, 3, H, W) float32 in 0..255.

    Returns:
        The same shape and range.
    """
    painted: Tensor = network(image / 255)
    return painted.mul_(255)


def to_levels(pixels: Tensor) -> Tensor:
    """(H, W, 3) uint8 or uint16, the whole range -> (1, 3, H, W) float32 in 0..255, channels last."""
    # HWC memory seen as NCHW is exactly channels_last: no copy.
    return pixels.permute(2, 0, 1)[None].float().mul_(255 / torch.iinfo(pixels.dtype).max)


def quantize(image: Tensor, dtype: torch.dtype) -> Tensor:
    """Turn a painted image into pixels.

    Args:
        image: (1, 3, H, W) float32, 0..255; what is outside is clipped.
        dtype: uint8 or uint16.

    Returns:
        (H, W, 3) of that dtype, contiguous.
    """
    most = torch.iinfo(dtype).max
    levels = image.mul(most / 255).add_(0.5).clamp_(0, most).to(dtype)
    return levels[0].permute(1, 2, 0).contiguous()


class TorchCpuBackend(CpuBackend):
    """The network under torch on the CPU, one image at a time on all cores.

    Args:
        checkpoint: weights to start with.
        precision: "float32" or "bfloat16".
    """

    runtime = f"torch {torch.__version__}"

    def __init__(self, checkpoint: Checkpoint, precision: str) -> None:
        super().__init__()
        self._dtype = DTYPES[precision]
        self.load(checkpoint)

    def load(self, checkpoint: Checkpoint) -> None:
        """See `Backend.load`; a new network, so that an image under way keeps the old one."""
        self._network = prepare_network(checkpoint, torch.device("cpu"), self._dtype)
        self._blender = Blender(self._network)

    def blend(self, first: Checkpoint, second: Checkpoint, share: float) -> None:
        """See `Backend.blend`."""
        self._blender(first, second, share)

    def run_network(self, pixels: Pixels) -> Plane:
        """See `CpuBackend.run_network`."""
        with torch.inference_mode():
            painted = paint(self._network, to_levels(torch.from_numpy(pixels)))
            image: Plane = painted[0].permute(1, 2, 0).contiguous().numpy()
        return image
