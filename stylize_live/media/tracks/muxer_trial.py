"""What a muxer takes, tried in a file that goes nowhere: in the video's own, a refusal costs the video."""

from __future__ import annotations

import contextlib
from typing import Any

from stylize_live.lifecycle import Closeable
from stylize_live.media.formats.containers import QUICKTIME
from stylize_live.media.formats.tags import TAG_ERRORS
from stylize_live.media.libraries import av

# In parts, so that the index of what is thrown away does not grow.
_IN_PARTS = {"frag_duration": "1000000"}
_ORDINARY = {"avoid_negative_ts": "disabled"}


class _Nowhere:
    """A file that forgets what it is given, but for its length."""

    def __init__(self) -> None:
        self.closed = False  # PyAV looks at it before it writes an end
        self._place = self._end = 0

    def write(self, data: bytes) -> int:
        self._place += len(data)
        self._end = max(self._end, self._place)
        return len(data)

    def seek(self, offset: int, whence: int = 0) -> int:
        self._place = (0, self._place, self._end)[whence] + offset
        return self._place

    def tell(self) -> int:
        return self._place


class MuxerTrial(Closeable):
    """A muxer with one stream, which tells whether it takes its packets.

    Args:
        format_name: FFmpeg's name of the format.
        stream: of the source.

    Raises:
        FFmpegError, ValueError: the format has no place for such a stream.
    """

    def __init__(self, format_name: str, stream: av.stream.Stream) -> None:
        options = _IN_PARTS if format_name in QUICKTIME else _ORDINARY
        nowhere = _Nowhere()
        self._output = av.open(
            nowhere, "w", format=format_name, container_options=options, metadata_errors=TAG_ERRORS
        )
        try:
            self._stream = self._output.add_stream_from_template(stream, opaque=True)
            self._stream.metadata.update(stream.metadata)  # Matroska wants an attachment's name and kind
            self._output.start_encoding()
        except BaseException:
            self.close()
            raise
        nowhere.closed = True  # no end, whoever closes: FFmpeg crashes where a part holds no packet

    def takes(self, packet: av.Packet[Any]) -> bool:
        """Whether such a packet can be written next. Its times are counted in the muxer's ticks then."""
        packet.stream = self._stream
        try:
            self._output.mux_one(packet)
        except (av.FFmpegError, ValueError):
            return False
        return True

    def close(self) -> None:
        """Release the muxer. May be called twice."""
        with contextlib.suppress(av.FFmpegError):
            self._output.close()
