"""Memory for one image on its way to a GPU and back.

Images come as pixels of the host, as planes of the host, or as planes on the device, and leave as what they
came as. What comes from the host is copied into page-locked memory first, which a GPU reads by itself.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
import torch
from torch import Tensor

from stylize_live.engine.cpu.torch_backend import quantize, to_levels
from stylize_live.frame import Pixels
from stylize_live.media.hw.nv12 import allocate_planes, from_rgb, rgb_to_planes, split_planes, to_rgb
from stylize_live.media.hw.surface import STORED, Nv12Surface

Image = Pixels | Nv12Surface
_Kind = TypeVar("_Kind", Pixels, Nv12Surface)
# Bytes from which on torch copies faster, by several threads, than NumPy by one: measured beside an H100.
_LARGE = 12_000_000


class StagingBuffer(Protocol):
    """One image each way. All calls but `result` queue work on the current stream."""

    def levels(self) -> Tensor:
        """(1, 3, H, W) float32 in 0..255, on the device."""

    def take(self, shown: Tensor) -> None:
        """Keep the result, of the same shape; what lies outside of 0..255 is clipped."""

    def result(self) -> Image:
        """The result, once the device is done."""


class HostBuffer(ABC, Generic[_Kind]):
    """Memory of the host and of the device for images of one kind, that come from the host and go back.

    Args:
        host: uninitialised memory for such an image, page-locked where the device is a GPU.
        device: a GPU; the processor only to test.
    """

    def __init__(self, host: Tensor, device: torch.device) -> None:
        self._host, self._device = host, torch.empty(host.shape, dtype=host.dtype, device=device)
        self._sent: Tensor | None = None

    @abstractmethod
    def put(self, image: _Kind) -> None:
        """Bring the next frame."""

    @abstractmethod
    def levels(self) -> Tensor:
        """See `StagingBuffer`."""

    @abstractmethod
    def take(self, shown: Tensor) -> None:
        """See `StagingBuffer`."""

    @abstractmethod
    def result(self) -> _Kind:
        """See `StagingBuffer`; to be called once."""

    def _fill(self, part: Tensor, given: Tensor) -> None:
        """Copy into a part of the host's memory."""
        if self._host.nbytes > _LARGE:
            part.copy_(given)
        else:
            part.numpy()[:] = given.numpy()

    def _upload(self) -> Tensor:
        return self._device.copy_(self._host, non_blocking=True)

    def _send(self, result: Tensor) -> None:
        """Queue the copy back, into memory of its own: it goes on while the buffer is used again.

        Torch keeps page-locked memory that nobody holds any more for the next who asks; so this is as quick
        as memory of the buffer would be, and saves the copy out of it.
        """
        self._sent = torch.empty(result.shape, dtype=result.dtype, pin_memory=result.is_cuda)
        self._sent.copy_(result, non_blocking=True)

    def _take_sent(self) -> Tensor:
        assert self._sent is not None
        arrived, self._sent = self._sent, None
        return arrived


class PixelBuffer(HostBuffer[Pixels]):
    """For pixels.

    Args:
        like: such an image, (H, W, 3) uint8 or uint16.
        device: see `HostBuffer`.
    """

    def __init__(self, like: Pixels, device: torch.device) -> None:
        dtype = torch.from_numpy(like).dtype
        super().__init__(torch.empty(like.shape, dtype=dtype, pin_memory=_is_gpu(device)), device)

    def put(self, image: Pixels) -> None:
        """See `HostBuffer`."""
        self._fill(self._host, torch.from_numpy(image))

    def levels(self) -> Tensor:
        """See `StagingBuffer`."""
        return to_levels(self._upload())

    def take(self, shown: Tensor) -> None:
        """See `StagingBuffer`."""
        self._send(quantize(shown, self._host.dtype))

    def result(self) -> Pixels:
        """See `HostBuffer`; the array holds its memory, and may be written to."""
        return np.asarray(self._take_sent().numpy())


class PlaneBuffer(HostBuffer[Nv12Surface]):
    """For planes in the host's memory: half the bytes of pixels each way; the device turns them into RGB.

    Args:
        size: (width, height) of such images in pixels.
        device: see `HostBuffer`.
    """

    def __init__(self, size: tuple[int, int], device: torch.device) -> None:
        super().__init__(allocate_planes(size, pin_memory=_is_gpu(device)), device)
        self._width = size[0]
        self._matrix, self._full_range = STORED, False

    def put(self, image: Nv12Surface) -> None:
        """See `HostBuffer`."""
        self._matrix, self._full_range = image.matrix, image.full_range
        luma, chroma = split_planes(self._host, self._width)
        self._fill(luma, image.luma)
        self._fill(chroma, image.chroma)

    def levels(self) -> Tensor:
        """See `StagingBuffer`."""
        planes = split_planes(self._upload(), self._width)
        return to_rgb(*planes, self._matrix, full_range=self._full_range)

    def take(self, shown: Tensor) -> None:
        """See `StagingBuffer`."""
        self._send(rgb_to_planes(shown))

    def result(self) -> Nv12Surface:
        """See `HostBuffer`; the planes hold their memory."""
        return Nv12Surface(*split_planes(self._take_sent(), self._width))


class SurfaceBuffer:
    """For an image that stays on the device.

    Args:
        surface: on the device, complete.
    """

    def __init__(self, surface: Nv12Surface) -> None:
        self._surface = surface  # held until the device is done with it
        self._painted: Nv12Surface | None = None

    def levels(self) -> Tensor:
        """See `StagingBuffer`."""
        # Decoders and their copies use torch's usual stream. Only in tests is a surface elsewhere.
        if self._surface.on_gpu:
            torch.cuda.current_stream().wait_stream(torch.cuda.default_stream())
        return self._surface.levels()

    def take(self, shown: Tensor) -> None:
        """See `StagingBuffer`."""
        self._painted = Nv12Surface(*from_rgb(shown))

    def result(self) -> Nv12Surface:
        """See `StagingBuffer`."""
        assert self._painted is not None
        return self._painted


def make_host_buffer(like: Image, device: torch.device) -> HostBuffer[Any]:
    """A buffer for images of the host that are of the same kind as this one, see `kind_of`."""
    return PlaneBuffer(like.size, device) if isinstance(like, Nv12Surface) else PixelBuffer(like, device)


def kind_of(image: Image) -> tuple[object, ...]:
    """What must be equal for two images of the host to go through the same buffers."""
    return image.size if isinstance(image, Nv12Surface) else (*image.shape, image.dtype)


def _is_gpu(device: torch.device) -> bool:
    return device.type == "cuda"
