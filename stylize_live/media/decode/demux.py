"""Packets of a file: reading goes on after errors, and clocks that jump are put right."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from typing import Any

from stylize_live.media.decode.container import Disposition, has_loose_clock, usual_step
from stylize_live.media.libraries import av

_READ_ATTEMPTS = 20  # errors in a row
_BACK = Fraction(1, 2)  # seconds; decoding times go back by a rounding at most
_FAR, _VERY_FAR = Fraction(10), Fraction(3600)
_MOST_REORDERED = 32  # frames; codecs hold back 16 at most
_MOST_WAITING = 1000  # packets without a key frame; then decoding begins anyway


class Demuxer:
    """The packets of a file in its order, their times put right.

    Where two recordings were joined, or a clock was set, times jump. Streams meet the jump at different
    packets, so the correction that one needed is tried first for the others: they stay in step. Two
    demuxers over one file make the same corrections, whichever streams are used.

    Attributes:
        late_streams: whether streams appeared that were not there at the beginning; they are not read.

    Args:
        container: opened for reading.
        complain: told in words when reading failed at some place.
    """

    def __init__(self, container: av.container.InputContainer, complain: Callable[[str], None]) -> None:
        self._container, self._complain = container, complain
        self.late_streams = False
        # A pause of a minute is a pause, but where clocks may jump it is a jump.
        self._far = _FAR if has_loose_clock(container) else _VERY_FAR
        self._offsets = [Fraction(0)]
        self._offset_of: dict[int, Fraction] = {}
        self._last: dict[int, Fraction] = {}
        self._length: dict[int, Fraction] = {}  # of the newest packet
        self._usual_length = {
            stream.index: usual_step(stream) if isinstance(stream, av.VideoStream) else None
            for stream in (*container.streams.video, *container.streams.audio)
            if not stream.disposition & Disposition.attached_pic
        }

    @property
    def jumps(self) -> int:
        """Corrections of clocks so far."""
        return len(self._offsets) - 1

    def forget(self) -> None:
        """Call after seeking: the packets that follow do not continue those before."""
        self._offsets = [Fraction(0)]
        self._offset_of.clear()
        self._last.clear()
        self._length.clear()

    def __iter__(self) -> Iterator[av.Packet[Any]]:
        """All packets that hold something; goes on after errors, but not for ever."""
        attempts = 0
        while attempts < _READ_ATTEMPTS:
            try:
                for packet in self._container.demux():
                    attempts = 0
                    if packet.size:  # an empty packet would drain the decoder before its time
                        self._correct_times(packet)
                        yield packet
                return
            except IndexError:  # PyAV, at the end of a file in which streams appeared after the opening
                self.late_streams = True
                return
            except av.FFmpegError as error:
                attempts += 1
                self._complain(f"cannot read on: {error.strerror}")

    def _correct_times(self, packet: av.Packet[Any]) -> None:
        clock, index = packet.time_base, packet.stream_index
        if packet.dts is None or index not in self._usual_length or not clock:
            offset = self._offset_of.get(index, self._offsets[-1])
        else:
            offset = self._offset_of[index] = self._offset(index, packet.dts * clock)
            self._measure(index, packet.dts * clock + offset, (packet.duration or 0) * clock)
            if packet.pts is not None and abs(packet.pts - packet.dts) * clock > self._least_jump(index):
                packet.pts = packet.dts
        if offset:
            ticks = round(offset / clock)
            packet.dts = None if packet.dts is None else packet.dts + ticks
            packet.pts = None if packet.pts is None else packet.pts + ticks

    def _measure(self, index: int, when: Fraction, duration: Fraction) -> None:
        """Remember when a stream's newest packet is decoded, in seconds put right, and how long it lasts."""
        before = self._last.get(index)
        if duration or before is not None:
            self._length[index] = max(duration or when - (before or 0), Fraction(0))
        self._last[index] = when

    def _least_jump(self, index: int) -> Fraction:
        """Seconds by which no times of a stream differ unless its clock jumps: more for longer frames."""
        length = self._length.get(index, self._usual_length[index])
        return _VERY_FAR if length is None else max(self._far, _MOST_REORDERED * length)

    def _offset(self, index: int, when: Fraction) -> Fraction:
        """Seconds to add to this stream's times from here on."""
        usual = self._offset_of.get(index, self._offsets[-1])
        last = self._last.get(index)
        if last is None:
            return usual
        expected = last + self._length.get(index, 0)
        # What says that it lasts long may be followed sooner; only what comes before it goes back.
        if last - _BACK <= when + usual <= expected + self._least_jump(index):
            return usual
        for known in reversed(self._offsets[-8:]):
            if -_BACK <= when + known - expected <= 2 * _BACK:
                return known
        self._offsets.append(expected - when)
        return self._offsets[-1]


def from_key_frame(
    packets: Iterable[av.Packet[Any] | None], start: Fraction
) -> Iterator[av.Packet[Any] | None]:
    """Leave out packets that are not needed to decode a video from a time on, without seeking.

    Args:
        packets: of one video, in the file's order; None drains the decoder.
        start: in seconds of their clock; the last key frame at or before it comes first.
    """
    waiting: list[av.Packet[Any]] = []
    packets = iter(packets)
    for packet in packets:
        if packet is None or _is_behind(packet.dts, packet, start) or len(waiting) == _MOST_WAITING:
            yield from waiting
            yield packet
            yield from packets
            return
        if packet.is_keyframe and not _is_behind(packet.pts, packet, start):
            waiting.clear()
        waiting.append(packet)


def _is_behind(ticks: int | None, packet: av.Packet[Any], start: Fraction) -> bool:
    return ticks is None or ticks * packet.time_base > start
