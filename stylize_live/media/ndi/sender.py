"""Offers frames to the network."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from stylize_live.frame import Pixels
from stylize_live.lifecycle import Closeable
from stylize_live.media.color.colorspace import ToStored
from stylize_live.media.ndi.library import YUV, load_library, rows_of


class NdiSender(Closeable):
    """Offers frames to the network under a name. For one thread at a time.

    Args:
        name: as others see it, behind the machine's.
        size: (width, height) in pixels, both even.
        rate: nominal frames a second.

    Raises:
        UsageError: cyndilib is not installed.
        RuntimeError: the library's, where it does not offer it.
    """

    def __init__(self, name: str, size: tuple[int, int], rate: Fraction) -> None:
        library = load_library()
        self._sender = library.sender.Sender(name, clock_video=False)  # frames come at their own pace
        frame = library.video_frame.VideoSendFrame()
        frame.set_resolution(*size)
        frame.set_frame_rate(rate)
        frame.set_fourcc(library.wrapper.FourCC.UYVY)
        self._sender.set_video_frame(frame)
        self._to_yuv = ToStored(YUV)
        self._sender.open()
        self.name = str(self._sender.source.name) if self._sender.source else name

    def send(self, pixels: Pixels) -> None:
        """Send an image, (H, W, 3) uint8 RGB of the size."""
        rows = rows_of(self._to_yuv(pixels))
        self._sender.write_video(np.ascontiguousarray(rows).reshape(-1))

    @property
    def receivers(self) -> int:
        """How many are connected."""
        return int(self._sender.get_num_connections(0))

    def close(self) -> None:
        """Offer nothing more."""
        self._sender.close()
