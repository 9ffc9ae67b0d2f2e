"""The newest frame as a JPEG, with a mask where it is transparent, for any number of readers: encoded once,
and only when one waits for it."""

from __future__ import annotations

import asyncio
from concurrent.futures import Executor
from dataclasses import dataclass

from stylize_live.frame import Frame
from stylize_live.media.color.opaque import on_black
from stylize_live.media.image.jpeg import encode_jpeg
from stylize_live.media.image.mask import encode_mask
from stylize_live.system.clock import monotonic


@dataclass(frozen=True, slots=True)
class Packet:
    """A frame on its way to pages.

    Attributes:
        number: grows by one with every frame that came, sent or not.
        jpeg: the frame.
        mask: a PNG as opaque as the frame; empty where that is opaque, or shown on black.
        came_at: when it came from the session, monotonic seconds.
    """

    number: int
    jpeg: bytes
    mask: bytes
    came_at: float


class Preview:
    """Holds one frame, like `Latest`, but any number of readers get it. For one event loop.

    Args:
        executor: where frames are encoded.
        longest: longest side of frames in pixels; larger ones are shrunk. None keeps all.
        masks: whether readers take them; otherwise what is transparent is shown on black.
    """

    def __init__(self, executor: Executor, longest: int | None, *, masks: bool = False) -> None:
        self._executor = executor
        self._longest, self._masks = longest, masks
        self._frame: tuple[Frame, float] | None = None
        self._number = 0
        self._arrival = asyncio.Event()
        self._coding: tuple[int, asyncio.Future[Packet]] | None = None

    def put(self, frame: Frame) -> None:
        """Replace the frame."""
        self._frame = frame, monotonic()
        self._number += 1
        self._arrival.set()
        self._arrival = asyncio.Event()

    async def newer(self, seen: int) -> Packet:
        """The newest frame, once there is one after number `seen`; 0 takes any."""
        while self._number <= seen:
            await self._arrival.wait()
        if self._coding is None or self._coding[0] != self._number:
            loop = asyncio.get_running_loop()
            self._coding = self._number, loop.run_in_executor(self._executor, self._encode, self._number)
        # Shielded: another reader waits for the same frame when this one leaves.
        return await asyncio.shield(self._coding[1])

    def _encode(self, number: int) -> Packet:
        assert self._frame is not None
        frame, came_at = self._frame
        if frame.alpha is None or not self._masks:
            return Packet(number, encode_jpeg(on_black(frame), longest=self._longest), b"", came_at)
        jpeg, mask = encode_jpeg(frame.pixels, longest=self._longest), encode_mask(frame.alpha, self._longest)
        return Packet(number, jpeg, mask, came_at)
