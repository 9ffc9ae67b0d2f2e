"""The person matte where frames are tensors: all of it on their device, a GPU as a rule.

The same steps as on a processor; motion is searched otherwise, see `tensor_motion.py`. On a GPU they are one
CUDA graph for each size of frames, so that a frame costs a few launches and not three hundred.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from stylize_live.engine.cuda.graphs import Graphed
from stylize_live.engine.cuda.staging import PixelBuffer, kind_of
from stylize_live.engine.matting.edges import Matte
from stylize_live.engine.matting.sizes import network_size
from stylize_live.engine.matting.tensor_blobs import remove_weak_blobs
from stylize_live.engine.matting.tensor_edges import follow_edges
from stylize_live.engine.matting.tensor_motion import measure_motion
from stylize_live.engine.matting.tensor_reduction import reduce_to
from stylize_live.engine.matting.tensor_smoothing import shrink, smooth
from stylize_live.engine.matting.torch_network import RUNTIME as RUNTIME
from stylize_live.engine.matting.torch_network import TorchNetwork
from stylize_live.frame import Pixels

_Results = tuple[Tensor, Tensor, Tensor]  # a matte, its likelihoods, and the grey image that motion goes by


class TensorMatte:
    """Finds the people in the frames of a video, in order, without waiting for the device.

    Attributes:
        past: likelihoods of the last frame, (1, 1, h, w), and its small grey image; or None. May be set.

    Args:
        device: on the current stream of which all is queued.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._network = TorchNetwork(device)
        on_gpu = device.type == "cuda"
        self._measure: Callable[..., _Results] = Graphed(self.measure) if on_gpu else self.measure
        self.past: tuple[Tensor, Tensor] | None = None

    def __call__(self, image: Tensor, begins: bool) -> Tensor:
        """The matte of the next frame.

        Args:
            image: (1, 3, H, W) float32 in 0..255.
            begins: whether a shot begins with it.

        Returns:
            (H, W) uint8, 0 is background, 255 a person. The next call may write over it.
        """
        width, height = network_size((image.shape[3], image.shape[2]))
        size = height // 2, width // 2
        if begins or self.past is None or self.past[0].shape[2:] != size:
            nothing = torch.zeros((1, 1, *size), device=self._device)
            self.past, begins = (nothing, shrink(nothing.expand(-1, 3, -1, -1))), True
        least = torch.full((), float(begins), device=self._device)
        matte, *past = self._measure(image, *self.past, least)
        self.past = past[0], past[1]
        return matte

    def measure(self, image: Tensor, previous: Tensor, before: Tensor, least: Tensor) -> _Results:
        """One step, a function of nothing but its arguments.

        Args:
            image: as above.
            previous, before: see `past`.
            least: (), least share of the fresh likelihoods; 1 where a shot begins.
        """
        size = network_size((image.shape[3], image.shape[2]))
        places = size[0] // 2, size[1] // 2  # see `PersonMatte.measure`
        seen = reduce_to(image, size)
        fresh, small = reduce_to(self._network.find(seen / 255), places), reduce_to(seen, places)
        now = shrink(small)
        likelihood = smooth(previous, fresh, measure_motion(torch.stack((before, now))), least)
        return follow_edges(remove_weak_blobs(likelihood), small, image), likelihood, now


class DeviceMatte:
    """`PersonMatte` for frames of the host's memory, all but their way there and back on a device.

    Args:
        name: of the device, as torch calls it.
    """

    def __init__(self, name: str) -> None:
        self._device = torch.device(name)
        self._stream = torch.cuda.Stream(self._device) if self._on_gpu else None  # type: ignore[no-untyped-call]
        with self._queueing():
            self._tensors = TensorMatte(self._device)
        self._buffer: PixelBuffer | None = None
        self._kind: tuple[object, ...] = ()

    def measure(self, pixels: Pixels, begins: bool) -> Matte:
        """See `PersonMatte.measure`."""
        with torch.inference_mode(), self._queueing():
            matte = self._tensors(self._upload(pixels), begins)
            result = torch.empty(matte.shape, dtype=matte.dtype, pin_memory=self._on_gpu)
            result.copy_(matte, non_blocking=True)
            if self._stream is not None:
                done = torch.cuda.Event(blocking=True)  # type: ignore[no-untyped-call]
                done.record(self._stream)
                done.synchronize()
        found: Matte = result.numpy()
        return found

    def _upload(self, pixels: Pixels) -> Tensor:
        kind = kind_of(pixels)
        if self._buffer is None or kind != self._kind:
            self._buffer, self._kind = PixelBuffer(pixels, self._device), kind
        self._buffer.put(pixels)
        return self._buffer.levels()

    def reset(self) -> None:
        """See `PersonMatte.reset`."""
        self._tensors.past = None

    @property
    def memory(self) -> Mapping[str, npt.NDArray[Any]]:
        """See `PersonMatte.memory`."""
        if self._tensors.past is None:
            return {}
        with self._queueing():
            likelihood, before = (one.cpu().numpy() for one in self._tensors.past)
        return {"matte": likelihood[0, 0], "matte_before": before}

    @memory.setter
    def memory(self, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        self.reset()
        if "matte" in arrays:
            with self._queueing():
                past = (arrays["matte"][None, None], arrays["matte_before"])
                likelihood, before = (torch.from_numpy(np.array(one)).to(self._device) for one in past)
            self._tensors.past = likelihood, before

    @property
    def _on_gpu(self) -> bool:
        return self._device.type == "cuda"

    def _queueing(self) -> AbstractContextManager[Any]:
        """All that is asked of the device meanwhile goes to its own stream."""
        return nullcontext() if self._stream is None else torch.cuda.stream(self._stream)
