"""Takes frames from the network."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import numpy.typing as npt

from stylize_live.frame import Pixels
from stylize_live.lifecycle import Closeable
from stylize_live.media.color.colorspace import ToRgb, tag
from stylize_live.media.libraries import av
from stylize_live.media.ndi.library import YUV, load_library, rows_of

_MOST_PIXELS = 8192 * 4320


class NdiReceiver(Closeable):
    """Frames of a source. For one thread at a time.

    Args:
        name: the source's whole name, as `list_sources` has it.

    Raises:
        UsageError: cyndilib is not installed.
    """

    def __init__(self, name: str) -> None:
        library = load_library()
        self._finder = library.finder.Finder()
        self._finder.open()
        self._receiver = library.receiver.Receiver(
            color_format=library.wrapper.RecvColorFormat.UYVY_RGBA,
            bandwidth=library.wrapper.RecvBandwidth.highest,
            allow_video_fields=False,
        )
        self._frame = library.video_frame.VideoFrameSync()
        self._receiver.frame_sync.set_video_frame(self._frame)
        self._four_cc = library.wrapper.FourCC
        self._name = name
        self._connected = False
        self._seen = 0.0  # the time of the newest frame by the sender's clock
        self._to_rgb = ToRgb(sited_left=True)

    def connect(self) -> bool:
        """Whether the source is there; to be tried until it is."""
        if not self._connected and self._name in self._finder.get_source_names():
            self._receiver.set_source(self._finder.get_source(self._name))
            self._connected = True
        return self._connected and bool(self._receiver.is_connected())

    @property
    def rate(self) -> Fraction | None:
        """Nominal frames a second, or None before the first frame and where the sender does not say."""
        try:
            return max(Fraction(self._frame.get_frame_rate()), Fraction(0)) or None
        except ZeroDivisionError:  # a sender may put 0 below the line, for no fixed rate
            return None

    def take(self) -> Pixels | None:
        """The newest image, (H, W, 3) uint8 RGB, or None where it was taken before. Never waits."""
        self._receiver.frame_sync.capture_video()
        width, height = self._frame.get_resolution()
        stamp = self._frame.get_timestamp_posix()
        if not width or not height or width * height > _MOST_PIXELS or stamp == self._seen:
            return None
        self._seen = stamp
        stride = self._frame.get_line_stride()
        rows = np.frombuffer(self._frame.get_array(), np.uint8)[: stride * height].reshape(height, stride)
        if self._frame.get_fourcc() == self._four_cc.UYVY:
            return self._convert(rows, width, height)
        rgba = np.ascontiguousarray(rows[:, : width * 4]).reshape(height, width, 4)
        return np.ascontiguousarray(rgba[..., :3])

    def _convert(self, rows: npt.NDArray[np.uint8], width: int, height: int) -> Pixels:
        image = av.VideoFrame(width, height, YUV)
        rows_of(image)[:] = rows[:, : width * 2]
        tag(image, image.format)
        return self._to_rgb(image)

    def close(self) -> None:
        """Hang up."""
        self._receiver.disconnect()
        self._finder.close()
