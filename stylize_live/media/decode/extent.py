"""How long a file says that it is, and how long it was found to be."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from stylize_live.media.libraries import av


class Extent:
    """Compares the end that a file promises with the last packet that was read.

    Args:
        container: opened for reading.
        video: its video; what that promises counts before what the file does.
    """

    def __init__(self, container: av.container.InputContainer, video: av.VideoStream) -> None:
        self._video = video.index
        self._promised_of_video = _end(video.start_time, video.duration, video.time_base)
        self._promised = _end(container.start_time, container.duration, Fraction(1, av.time_base))
        self._seen = self._seen_of_video = Fraction(0)

    def see(self, packet: av.Packet[Any]) -> None:
        """Look at a packet that was read, of any stream."""
        ticks = packet.pts if packet.pts is not None else packet.dts
        if ticks is None:
            return
        end = (ticks + (packet.duration or 0)) * packet.time_base
        self._seen = max(self._seen, end)
        if packet.stream_index == self._video:
            self._seen_of_video = max(self._seen_of_video, end)

    @property
    def missing(self) -> Fraction:
        """Seconds that were promised and not seen; may be below 0, as headers round."""
        if self._promised_of_video is not None:
            return self._promised_of_video - self._seen_of_video
        return Fraction(0) if self._promised is None else self._promised - self._seen


def _end(start: int | None, duration: int | None, clock: Fraction | None) -> Fraction | None:
    """Where something ends, in seconds, or None when its length is unknown."""
    return None if duration is None or clock is None else ((start or 0) + duration) * clock
