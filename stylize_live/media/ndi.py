"""NDI, video over a local network, through cyndilib: all that is known of that library.

NDI carries YUV, by BT.709 at every size. It takes and gives RGB as well, but by an arithmetic of its own:
pure blue comes out as 0, 0, 240. So both ways are computed here, which is exact to one level and takes 2.6 ms
of processor time instead of 1.8 for a frame of 1280x720 that is sent.
"""

from __future__ import annotations

import threading
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from stylize_live.errors import UsageError
from stylize_live.frame import Pixels
from stylize_live.install_hints import install_command
from stylize_live.lifecycle import Closeable
from stylize_live.media.color.colorspace import ToRgb, ToStored, tag
from stylize_live.media.libraries import av
from stylize_live.system.clock import monotonic

_YUV = "uyvy422"
_MOST_PIXELS = 8192 * 4320


def _library() -> Any:
    """Raises `UsageError` where it is not installed."""
    try:
        import cyndilib.finder
        import cyndilib.receiver
        import cyndilib.sender
        import cyndilib.video_frame
        import cyndilib.wrapper
    except ImportError:
        raise UsageError(
            f"NDI needs cyndilib, which brings NDI's own library under NDI's own licence: "
            f"{install_command('cyndilib')}"
        ) from None
    return cyndilib


def is_installed() -> bool:
    """Whether NDI can be used."""
    try:
        _library()
    except UsageError:
        return False
    return True


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
        library = _library()
        self._sender = library.sender.Sender(name, clock_video=False)  # frames come at their own pace
        frame = library.video_frame.VideoSendFrame()
        frame.set_resolution(*size)
        frame.set_frame_rate(rate)
        frame.set_fourcc(library.wrapper.FourCC.UYVY)
        self._sender.set_video_frame(frame)
        self._to_yuv = ToStored(_YUV)
        self._sender.open()
        self.name = str(self._sender.source.name) if self._sender.source else name

    def send(self, pixels: Pixels) -> None:
        """Send an image, (H, W, 3) uint8 RGB of the size."""
        rows = _rows(self._to_yuv(pixels))
        self._sender.write_video(np.ascontiguousarray(rows).reshape(-1))

    @property
    def receivers(self) -> int:
        """How many are connected."""
        return int(self._sender.get_num_connections(0))

    def close(self) -> None:
        """Offer nothing more."""
        self._sender.close()


def list_sources(seconds: float = 1.0) -> list[str]:
    """Names of what is offered in the network, sorted: "MACHINE (name)".

    Args:
        seconds: how long to listen; more are heard of with time.

    Raises:
        UsageError: cyndilib is not installed.
    """
    finder = _library().finder.Finder()
    finder.open()
    try:
        ending = threading.Event()
        end = monotonic() + seconds
        while monotonic() < end:
            ending.wait(0.1)
        return sorted(set(finder.get_source_names()))
    finally:
        finder.close()


class NdiReceiver(Closeable):
    """Frames of a source. For one thread at a time.

    Args:
        name: the source's whole name, as `list_sources` has it.

    Raises:
        UsageError: cyndilib is not installed.
    """

    def __init__(self, name: str) -> None:
        library = _library()
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
        """Nominal frames a second, or None before the first frame."""
        return Fraction(self._frame.get_frame_rate()) or None

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
        image = av.VideoFrame(width, height, _YUV)
        _rows(image)[:] = rows[:, : width * 2]
        tag(image, image.format)
        return self._to_rgb(image)

    def close(self) -> None:
        """Hang up."""
        self._receiver.disconnect()
        self._finder.close()


def _rows(image: av.VideoFrame) -> npt.NDArray[np.uint8]:
    """The rows of an image of packed YUV, without what lies between them."""
    plane = image.planes[0]
    return np.frombuffer(plane, np.uint8).reshape(image.height, plane.line_size)[:, : image.width * 2]
