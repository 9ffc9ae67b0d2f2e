"""Frames as JPEGs in a NUT stream: every frame stands alone, so that nothing has to be waited for."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, cast

from stylize_live.media.libraries import av
from stylize_live.system.clock import monotonic

_CLOCK = Fraction(1, 90_000)
# The stream's clock runs slow, so that a reader who shows frames in step with it never waits: each one is
# late. OBS, which collects some before it shows the first, catches up so in seconds.
_PACE = 0.9


class NutMuxer:
    """JPEGs become the bytes of one NUT stream.

    Frames carry the time at which they are added, by a clock that runs slow: a reader shows them as they
    come. The source's own clock could run away from it.

    Args:
        size: (width, height) in pixels.
        rate: nominal frames per second.
    """

    def __init__(self, size: tuple[int, int], rate: Fraction) -> None:
        self._bytes = bytearray()
        # No index, which is of use in files only and would grow here as long as the stream runs, and no
        # points to seek to: readers that use FFmpeg, as OBS does, remember each of them, half a kilobyte a
        # frame (58 MB an hour at 30 a second). FFmpeg calls writing without them experimental; its
        # readers of 5.1 and later take it.
        options = {"flush_packets": "1", "write_index": "0", "syncpoints": "none", "strict": "experimental"}
        self._container = av.open(cast("Any", self), "w", format="nut", container_options=options)
        stream = self._container.add_stream("mjpeg", rate=rate, options={"threads": "1"})
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height = size
        stream.pix_fmt = "yuvj420p"
        stream.time_base = stream.codec_context.time_base = _CLOCK
        self._stream = stream
        self._container.start_encoding()
        self._start = monotonic()
        self._ticks = -1

    def write(self, data: bytes) -> int:
        """Called by the container."""
        self._bytes += data
        return len(data)

    def add(self, jpeg: bytes) -> bytes:
        """What to send for one more frame; the stream's header comes with the first one."""
        packet = av.Packet(jpeg)
        self._ticks = max(self._ticks + 1, int((monotonic() - self._start) * _PACE / _CLOCK))
        packet.pts = packet.dts = self._ticks
        packet.time_base = _CLOCK
        packet.is_keyframe = True
        packet.stream = self._stream
        self._container.mux_one(packet)
        ready = bytes(self._bytes)
        self._bytes.clear()
        return ready

    def close(self) -> None:
        """Release the container."""
        self._container.close()
