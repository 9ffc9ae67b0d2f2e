"""How much of each pixel of a frame is a person."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Protocol

import numpy.typing as npt

from stylize_live.config import Runtime
from stylize_live.engine.cpu.optical_flow import Plane
from stylize_live.engine.matting.blobs import remove_weak_blobs
from stylize_live.engine.matting.edges import EdgeFollower, Matte
from stylize_live.engine.matting.reduction import reduce_to
from stylize_live.engine.matting.sizes import Size, network_size
from stylize_live.engine.matting.smoothing import MatteSmoother
from stylize_live.engine.matting.weights import digest
from stylize_live.errors import DeviceError
from stylize_live.frame import Pixels, to_eight_bits
from stylize_live.install_hints import install_command
from stylize_live.lifecycle import Closeable
from stylize_live.media.libraries import cv2
from stylize_live.wording import option

if TYPE_CHECKING:
    from stylize_live.engine.matting.tensor_matte import DeviceMatte

_NETWORKS = 4  # kept, one for each size of small images
_VERSION = 1  # of how mattes are made; another one where they come out otherwise


class PersonNetwork(Protocol):
    """What finds people in small images of one size."""

    def __call__(self, pixels: Pixels) -> Plane:
        """(h, w, 3) uint8 RGB -> (h, w) float32, 0 to 1: how much of a person. A new array."""


class PersonMatte(Closeable):
    """Finds the people in the frames of a video, in order. One thread at a time may use it.

    Making one is cheap: what computes is loaded when the first frame comes.

    Args:
        device: "cpu", "cuda", or a GPU by its number, such as "cuda:1".
        runtime: "torch", "openvino", or "auto": OpenVINO on a CPU where it is installed.

    Raises:
        DeviceError: OpenVINO was asked for and is not installed.
    """

    def __init__(self, device: str = "cpu", runtime: Runtime = "auto") -> None:
        has_openvino = find_spec("openvino") is not None
        if device == "cpu" and runtime == "openvino" and not has_openvino:
            instead = option("runtime", "torch")
            raise DeviceError(f"OpenVINO is not installed: {install_command('openvino')}, or use {instead}")
        self._device = device
        self._by_openvino = device == "cpu" and runtime != "torch" and has_openvino
        self._networks: OrderedDict[Size, PersonNetwork] = OrderedDict()
        self._smoother = MatteSmoother()
        self._follow_edges = EdgeFollower()
        self._on_gpu: DeviceMatte | None = None

    def measure(self, pixels: Pixels, begins: bool) -> Matte:
        """The matte of the next frame.

        Args:
            pixels: (H, W, 3) uint8 or uint16 RGB, of any size from 1x1.
            begins: whether a shot begins with it: no frame before it counts then.

        Returns:
            (H, W): 0 is background, 255 a person.
        """
        if self._device != "cpu":
            return self._gpu().measure(pixels, begins)
        if begins:
            self.reset()
        size = network_size((pixels.shape[1], pixels.shape[0]))
        seen = to_eight_bits(reduce_to(pixels, size))
        # The network says four things of each place that it sees; what follows needs their mean.
        places = size[0] // 2, size[1] // 2
        likelihood, small = reduce_to(self._network(size)(seen), places), reduce_to(seen, places)
        likelihood = self._smoother(likelihood, small)
        return self._follow_edges(remove_weak_blobs(likelihood), small, pixels)

    def _network(self, size: Size) -> PersonNetwork:
        if size not in self._networks:
            self._networks[size] = self._load(size)
            if len(self._networks) > _NETWORKS:
                self._networks.popitem(last=False)
        return self._networks[size]

    def _load(self, size: Size) -> PersonNetwork:
        if self._by_openvino:
            from stylize_live.engine.matting.openvino_network import OpenVinoNetwork

            return OpenVinoNetwork(size)
        import torch

        from stylize_live.engine.matting.torch_network import TorchNetwork

        return TorchNetwork(torch.device("cpu"))

    def _gpu(self) -> DeviceMatte:
        if self._on_gpu is None:
            from stylize_live.engine.matting.tensor_matte import DeviceMatte

            self._on_gpu = DeviceMatte(self._device)
        return self._on_gpu

    def reset(self) -> None:
        """Take the next frame as the first of a video."""
        self._smoother.reset()
        if self._on_gpu is not None:
            self._on_gpu.reset()

    @property
    def memory(self) -> Mapping[str, npt.NDArray[Any]]:
        """What the next matte depends on beside its frame, by name; may be set, also to more than that."""
        return self._smoother.memory if self._on_gpu is None else self._on_gpu.memory

    @memory.setter
    def memory(self, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        if self._device == "cpu":
            self._smoother.memory = arrays
        else:
            self._gpu().memory = arrays

    @property
    def fingerprint(self) -> str:
        """Names everything that mattes depend on beside their frames."""
        where = f"{self._runtime()} on cpu, OpenCV {cv2.__version__}"
        if self._device != "cpu":
            where = f"{self._runtime()}, all of it on a GPU"  # whichever it is
        return f"person matte {_VERSION}, weights {digest()}, {where}"

    def _runtime(self) -> str:
        if self._by_openvino:
            from stylize_live.engine.matting.openvino_network import RUNTIME
        else:
            from stylize_live.engine.matting.torch_network import RUNTIME
        return RUNTIME

    def close(self) -> None:
        """See `Closeable.close`."""
        self._networks.clear()
        self._on_gpu = None
        self.reset()
