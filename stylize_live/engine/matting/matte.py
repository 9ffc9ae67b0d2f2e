"""How much of each pixel of a frame is a person."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from stylize_live.config import Runtime
from stylize_live.engine.matting.weights import Shape, digest
from stylize_live.errors import DeviceError
from stylize_live.frame import Pixels, to_eight_bits
from stylize_live.install_hints import install_command
from stylize_live.lifecycle import Closeable
from stylize_live.media.libraries import cv2
from stylize_live.wording import option

# (width, height) of the images that the two sets of weights were trained with.
_SIZES: dict[Shape, tuple[int, int]] = {"square": (256, 256), "landscape": (256, 144)}
_VERSION = 1  # of how mattes are made; another one where they come out otherwise


class PersonNetwork(Protocol):
    """What finds people in small images of one size."""

    def __call__(self, pixels: Pixels) -> npt.NDArray[np.float32]:
        """(h, w, 3) uint8 RGB -> (h, w) float32, 0 to 1: how much of a person. A new array."""


class PersonMatte(Closeable):
    """Finds the people in the frames of a video, in order. One thread at a time may use it.

    Making one is cheap: what computes is loaded when the first frame comes.

    Args:
        device: "cpu" or "cuda".
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
        self._networks: dict[Shape, PersonNetwork] = {}

    def measure(self, pixels: Pixels, begins: bool) -> npt.NDArray[np.uint8]:
        """The matte of the next frame.

        Args:
            pixels: (H, W, 3) uint8 or uint16 RGB, of any size from 1x1.
            begins: whether a shot begins with it: no frame before it counts then.

        Returns:
            (H, W): 0 is background, 255 a person.
        """
        height, width = pixels.shape[:2]
        shape: Shape = "landscape" if width > height else "square"
        small = to_eight_bits(cv2.resize(pixels, _SIZES[shape], interpolation=cv2.INTER_AREA))
        likelihood = self._network(shape)(small)
        levels = cv2.convertScaleAbs(likelihood, alpha=255)
        return np.asarray(cv2.resize(levels, (width, height)), np.uint8)

    def _network(self, shape: Shape) -> PersonNetwork:
        if shape not in self._networks:
            self._networks[shape] = self._load(shape)
        return self._networks[shape]

    def _load(self, shape: Shape) -> PersonNetwork:
        if self._by_openvino:
            from stylize_live.engine.matting.openvino_network import OpenVinoNetwork

            return OpenVinoNetwork(shape, _SIZES[shape])
        from stylize_live.engine.matting.torch_network import TorchNetwork

        return TorchNetwork(shape, self._device)

    def reset(self) -> None:
        """Take the next frame as the first of a video."""

    @property
    def memory(self) -> Mapping[str, npt.NDArray[Any]]:
        """What the next matte depends on beside its frame, by name; may be set, also to more than that."""
        return {}

    @memory.setter
    def memory(self, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        pass

    @property
    def fingerprint(self) -> str:
        """Names everything that mattes depend on beside their frames."""
        weights = " ".join(digest(shape) for shape in _SIZES)
        return f"person matte {_VERSION}, weights {weights}, {self._runtime()} on {self._device}"

    def _runtime(self) -> str:
        if self._by_openvino:
            from stylize_live.engine.matting.openvino_network import RUNTIME
        else:
            from stylize_live.engine.matting.torch_network import RUNTIME
        return RUNTIME

    def close(self) -> None:
        """See `Closeable.close`."""
        self._networks.clear()
        self.reset()
