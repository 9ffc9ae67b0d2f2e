"""Where one picture lies on its way through a GPU: what is given, and what becomes of it."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

from stylize_live.engine.backend import levels, quantised
from stylize_live.frame import Pixels
from stylize_live.media.nv12 import from_rgb
from stylize_live.media.surface import Nv12Surface


class Slot(Protocol):
    """One picture each way. All calls but `result` queue work on the current stream."""

    def given(self) -> Tensor:
        """(1, 3, H, W) float32 in 0..255, on the device."""

    def take(self, shown: Tensor) -> None:
        """Keep the result, of the same shape; what lies outside of 0..255 is clipped."""

    def result(self) -> Pixels | Nv12Surface:
        """The result, once the device is done."""


class HostSlot:
    """Page-locked memory of the host and memory of the device, for pictures that come from there and go back.

    Args:
        like: such a picture, (H, W, 3) uint8 or uint16.
        device: a GPU.
    """

    def __init__(self, like: Pixels, device: torch.device) -> None:
        shape, dtype = like.shape, torch.from_numpy(like).dtype
        self._host_in = torch.empty(shape, dtype=dtype, pin_memory=True)
        self._host_out = torch.empty(shape, dtype=dtype, pin_memory=True)
        self._device_in = torch.empty(shape, dtype=dtype, device=device)

    def put(self, pixels: Pixels) -> None:
        """Bring the next picture."""
        self._host_in.numpy()[:] = pixels

    def given(self) -> Tensor:
        """See `Slot`."""
        self._device_in.copy_(self._host_in, non_blocking=True)
        return levels(self._device_in)

    def take(self, shown: Tensor) -> None:
        """See `Slot`."""
        self._host_out.copy_(quantised(shown, self._device_in.dtype), non_blocking=True)

    def result(self) -> Pixels:
        """See `Slot`; copied, because the slot is used again while the picture travels on."""
        pixels: Pixels = self._host_out.numpy().copy()
        return pixels


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
        return self._surface.levels()

    def take(self, shown: Tensor) -> None:
        """See `Slot`."""
        self._painted = Nv12Surface(*from_rgb(shown))

    def result(self) -> Nv12Surface:
        """See `Slot`."""
        assert self._painted is not None
        return self._painted
