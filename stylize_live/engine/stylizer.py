"""The heart of the package for programmers: pictures in, painted pictures out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Self, overload

import numpy as np

from stylize_live.closing import Closing
from stylize_live.config import DEFAULT_STYLE, DeviceName, EngineSettings, Precision
from stylize_live.engine.backend import Backend, CpuBackend
from stylize_live.engine.device import choose_device, choose_precision
from stylize_live.errors import UsageError
from stylize_live.frame import Frame, Pixels, check_pixels
from stylize_live.nets.catalogue import load_style
from stylize_live.nets.checkpoint import Checkpoint


class Stylizer(Closing):
    """Paints pictures in one style; the style may change between pictures.

    Use one from one thread at a time; `style` and `strength` may be set from any thread and count
    from the next picture on.

    Args:
        style: name of a shipped style, path of a style file, or a blend such as
            ``"starry-night:0.6,great-wave:0.4"``.
        strength: 0 (the original) to 1 (the full style).
        device: "auto", "cpu" or "cuda".
        precision: "auto", "float32", "bfloat16" or "float16".

    Raises:
        StyleError: the style is unknown or its file unusable.
        DeviceError: the device or precision is not available.
        UsageError: the strength is not in 0..1.

    Example:
        >>> paint = Stylizer("starry-night")
        >>> painted = paint(rgb)  # (H, W, 3) uint8 -> (H, W, 3) uint8
    """

    def __init__(
        self,
        style: str | Path = DEFAULT_STYLE,
        *,
        strength: float = 1.0,
        device: DeviceName = "auto",
        precision: Precision = "auto",
    ) -> None:
        self._device = choose_device(device)
        self._dtype = choose_precision(precision, self._device)
        self._style = str(style)
        self._pending: Checkpoint | None = None
        self.strength = strength
        self._backend = self._make_backend(load_style(self._style))

    @classmethod
    def from_settings(cls, settings: EngineSettings) -> Self:
        """A stylizer as a command's settings describe it. Raises as the constructor does."""
        return cls(
            settings.style, strength=settings.strength, device=settings.device, precision=settings.precision
        )

    def _make_backend(self, checkpoint: Checkpoint) -> Backend:
        if self._device.type == "cuda":
            from stylize_live.engine.cuda import CudaBackend

            return CudaBackend(checkpoint, self._device, self._dtype)
        return CpuBackend(checkpoint, self._dtype)

    @property
    def style(self) -> str:
        """The style as it was asked for; set it to change from the next picture on."""
        return self._style

    @style.setter
    def style(self, text: str) -> None:
        self._pending = load_style(text)
        self._style = text

    @property
    def strength(self) -> float:
        """Share of the painted picture in the mix with the original, 0 to 1."""
        return self._strength

    @strength.setter
    def strength(self, value: float) -> None:
        if not 0 <= value <= 1:
            raise UsageError(f"strength must be between 0 and 1, got {value}")
        self._strength = float(value)

    @property
    def device(self) -> str:
        """Where the network runs: "cpu" or "cuda"."""
        return self._device.type

    @property
    def precision(self) -> str:
        """Arithmetic of the network: "float32", "bfloat16" or "float16"."""
        return str(self._dtype).removeprefix("torch.")

    @overload
    def __call__(self, picture: Frame) -> Frame: ...
    @overload
    def __call__(self, picture: Pixels) -> Pixels: ...
    def __call__(self, picture: Frame | Pixels) -> Frame | Pixels:
        """Paint one picture.

        Args:
            picture: (H, W, 3) RGB of any size, uint8 or uint16, or a `Frame` of it. Not changed.

        Returns:
            The same kind of thing, size and dtype.

        Raises:
            TypeError: not a uint8 or uint16 array of three channels.
            ValueError: a side is zero.
        """
        self._use_pending()
        if isinstance(picture, Frame):
            return picture.with_pixels(self._backend.run(picture.pixels, self._strength))
        return self._backend.run(check_pixels(picture), self._strength)

    def stream(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        """Paint frames in order; on a GPU several are under way at once.

        The style and strength of the start count for all of them.
        """
        self._use_pending()
        return self._backend.stream(frames, self._strength)

    def warm_up(self, size: tuple[int, int]) -> None:
        """Paint a grey picture, so that the first real one of this (width, height) is not slow."""
        width, height = size
        self(np.full((height, width, 3), 128, np.uint8))

    def _use_pending(self) -> None:
        pending, self._pending = self._pending, None
        if pending is not None:
            self._backend.load(pending)

    def close(self) -> None:
        """Release device memory. May be called twice."""
        self._backend.close()
