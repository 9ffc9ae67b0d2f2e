"""How far a file says that it reaches, and how far it was seen to reach."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from stylize_live.media.libraries import av


class Extent:
    """Compares the end that a file promises with what came out of it.

    Args:
        container: opened for reading.
        film: its film; what that promises counts before what the file does.
    """

    def __init__(self, container: av.container.InputContainer, film: av.VideoStream) -> None:
        self._film = film.index
        self._promised_of_film = _end(film.start_time, film.duration, film.time_base)
        self._promised = _end(container.start_time, container.duration, Fraction(1, av.time_base))
        self._seen = self._seen_of_film = Fraction(0)

    def see(self, packet: av.Packet[Any]) -> None:
        """Look at a packet that was read, of any stream."""
        ticks = packet.pts if packet.pts is not None else packet.dts
        if ticks is None:
            return
        end = (ticks + (packet.duration or 0)) * packet.time_base
        self._seen = max(self._seen, end)
        if packet.stream_index == self._film:
            self._seen_of_film = max(self._seen_of_film, end)

    @property
    def missing(self) -> Fraction:
        """Seconds that were promised and not seen; may be below 0, as headers round."""
        if self._promised_of_film is not None:
            return self._promised_of_film - self._seen_of_film
        return Fraction(0) if self._promised is None else self._promised - self._seen


def _end(start: int | None, duration: int | None, clock: Fraction | None) -> Fraction | None:
    """Where something ends, in seconds, or None when its length is unknown."""
    return None if duration is None or clock is None else ((start or 0) + duration) * clock
