"""Where one picture lies on its way through a GPU: what is given, and what becomes of it.

Pictures come as pixels of the host, as planes of the host, or as planes on the device, and leave as what they
came as. What comes from the host is copied into page-locked memory first, which a GPU reads by itself.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
import torch
from torch import Tensor

from stylize_live.engine.backend import levels, quantised
from stylize_live.frame import Pixels
from stylize_live.media.nv12 import from_rgb, parted, room, stored, to_rgb
from stylize_live.media.surface import STORED, Nv12Surface

Picture = Pixels | Nv12Surface
_Kind = TypeVar("_Kind", Pixels, Nv12Surface)
# Bytes from which on torch copies faster, by several threads, than NumPy by one: measured beside an H100.
_LARGE = 12_000_000


class Slot(Protocol):
    """One picture each way. All calls but `result` queue work on the current stream."""

    def given(self) -> Tensor:
        """(1, 3, H, W) float32 in 0..255, on the device."""

    def take(self, shown: Tensor) -> None:
        """Keep the result, of the same shape; what lies outside of 0..255 is clipped."""

    def result(self) -> Picture:
        """The result, once the device is done."""


class HostSlot(ABC, Generic[_Kind]):
    """Memory of the host and of the device for pictures of one kind, that come from the host and go back.

    Args:
        host: uninitialised memory for such a picture, page-locked where the device is a GPU.
        device: a GPU; the processor only to test.
    """

    def __init__(self, host: Tensor, device: torch.device) -> None:
        self._host, self._device = host, torch.empty(host.shape, dtype=host.dtype, device=device)
        self._sent: Tensor | None = None

    @abstractmethod
    def put(self, picture: _Kind) -> None:
        """Bring the next picture."""

    @abstractmethod
    def given(self) -> Tensor:
        """See `Slot`."""

    @abstractmethod
    def take(self, shown: Tensor) -> None:
        """See `Slot`."""

    @abstractmethod
    def result(self) -> _Kind:
        """See `Slot`; to be called once."""

    def _fill(self, part: Tensor, given: Tensor) -> None:
        """Copy into a part of the host's memory."""
        if self._host.nbytes > _LARGE:
            part.copy_(given)
        else:
            part.numpy()[:] = given.numpy()

    def _uploaded(self) -> Tensor:
        return self._device.copy_(self._host, non_blocking=True)

    def _send(self, result: Tensor) -> None:
        """Queue the way back, into memory of the result's own: it travels on while the slot is used again.

        Torch keeps page-locked memory that nobody holds any more for the next who asks; so this is as quick
        as memory of the slot would be, and saves the copy out of it.
        """
        self._sent = torch.empty(result.shape, dtype=result.dtype, pin_memory=result.is_cuda)
        self._sent.copy_(result, non_blocking=True)

    def _arrived(self) -> Tensor:
        assert self._sent is not None
        arrived, self._sent = self._sent, None
        return arrived


class PixelSlot(HostSlot[Pixels]):
    """For pixels.

    Args:
        like: such a picture, (H, W, 3) uint8 or uint16.
        device: see `HostSlot`.
    """

    def __init__(self, like: Pixels, device: torch.device) -> None:
        dtype = torch.from_numpy(like).dtype
        super().__init__(torch.empty(like.shape, dtype=dtype, pin_memory=_is_gpu(device)), device)

    def put(self, picture: Pixels) -> None:
        """See `HostSlot`."""
        self._fill(self._host, torch.from_numpy(picture))

    def given(self) -> Tensor:
        """See `Slot`."""
        return levels(self._uploaded())

    def take(self, shown: Tensor) -> None:
        """See `Slot`."""
        self._send(quantised(shown, self._host.dtype))

    def result(self) -> Pixels:
        """See `HostSlot`; the array holds its memory, and may be written to."""
        return np.asarray(self._arrived().numpy())


class PlaneSlot(HostSlot[Nv12Surface]):
    """For planes in the host's memory: half the bytes of pixels each way, which the device makes colours of.

    Args:
        size: (width, height) of such pictures in pixels.
        device: see `HostSlot`.
    """

    def __init__(self, size: tuple[int, int], device: torch.device) -> None:
        super().__init__(room(size, pin_memory=_is_gpu(device)), device)
        self._width = size[0]
        self._matrix, self._full_range = STORED, False

    def put(self, picture: Nv12Surface) -> None:
        """See `HostSlot`."""
        self._matrix, self._full_range = picture.matrix, picture.full_range
        luma, chroma = parted(self._host, self._width)
        self._fill(luma, picture.luma)
        self._fill(chroma, picture.chroma)

    def given(self) -> Tensor:
        """See `Slot`."""
        planes = parted(self._uploaded(), self._width)
        return to_rgb(*planes, self._matrix, full_range=self._full_range)

    def take(self, shown: Tensor) -> None:
        """See `Slot`."""
        self._send(stored(shown))

    def result(self) -> Nv12Surface:
        """See `HostSlot`; the planes hold their memory."""
        return Nv12Surface(*parted(self._arrived(), self._width))


class SurfaceSlot:
    """For a picture that stays on the device.

    Args:
        surface: on the device, complete.
    """

    def __init__(self, surface: Nv12Surface) -> None:
        self._surface = surface  # held until the device is done with it
        self._painted: Nv12Surface | None = None

    def given(self) -> Tensor:
        """See `Slot`."""
        # Decoders and their copies use torch's usual stream. Only in tests is a surface elsewhere.
        if self._surface.on_gpu:
            torch.cuda.current_stream().wait_stream(torch.cuda.default_stream())
        return self._surface.levels()

    def take(self, shown: Tensor) -> None:
        """See `Slot`."""
        self._painted = Nv12Surface(*from_rgb(shown))

    def result(self) -> Nv12Surface:
        """See `Slot`."""
        assert self._painted is not None
        return self._painted


def host_slot(like: Picture, device: torch.device) -> HostSlot[Any]:
    """A slot for pictures of the host that are of the same kind as this one, see `kind_of`."""
    return PlaneSlot(like.size, device) if isinstance(like, Nv12Surface) else PixelSlot(like, device)


def kind_of(picture: Picture) -> tuple[object, ...]:
    """What must be equal for two pictures of the host to go through the same slots."""
    return picture.size if isinstance(picture, Nv12Surface) else (*picture.shape, picture.dtype)


def _is_gpu(device: torch.device) -> bool:
    return device.type == "cuda"
