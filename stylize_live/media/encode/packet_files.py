"""Encoded packets in side files: segments of a video that wait until all of it is there.

A file is a row of records, one for each packet: times, flags, side data (the transparency of VP9), bytes.
No container format is used, because none keeps every codec's packets with exact times and durations.
"""

from __future__ import annotations

import hashlib
import os
import struct
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from stylize_live.errors import SinkError
from stylize_live.lifecycle import Closeable, Turn
from stylize_live.media.libraries import av

if TYPE_CHECKING:
    from typing_extensions import Buffer

_RECORD = struct.Struct("<qqqBBI")  # pts, dts, duration, key frame or not, items of side data, bytes
_SIDE = struct.Struct("<HI")  # FFmpeg's number of a kind of side data, bytes
_NEVER = -(2**63)
_DIGEST = 16  # bytes


def digest_of(content: bytes) -> str:
    """A digest that tells one content from another: 32 letters."""
    return hashlib.blake2b(content, digest_size=_DIGEST).hexdigest()


class PacketFile(Closeable):
    """Takes the packets of one segment.

    Attributes:
        size: bytes written so far.

    Args:
        path: file to write; what was there is replaced.

    Raises:
        OSError: it cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb")
        self._turn = Turn(str(path), self._file.close)
        self._hash = hashlib.blake2b(digest_size=_DIGEST)
        self.size = 0

    @property
    def digest(self) -> str:
        """Of all that was written so far, see `digest_of`."""
        return self._hash.hexdigest()

    def _put(self, data: Buffer) -> None:
        self._hash.update(data)
        self.size += self._file.write(data)

    def write(self, packets: Iterable[av.Packet[Any]]) -> None:
        """Append packets with pts and dts. Raises `OSError`."""
        with self._turn:
            self._write(packets)

    def _write(self, packets: Iterable[av.Packet[Any]]) -> None:
        for packet in packets:
            assert packet.pts is not None
            assert packet.dts is not None
            sides = list(packet.iter_sidedata())
            times = packet.pts, packet.dts, packet.duration or 0
            head = _RECORD.pack(*times, packet.is_keyframe, len(sides), packet.size)
            self._put(head)
            self._put(packet)
            for side in sides:
                number = _kind_number(side)
                self._put(_SIDE.pack(number, side.data_size))
                self._put(side)

    def close(self) -> None:
        """Hand over all that was written. May be called twice. Raises `OSError`."""
        with self._turn.to_close() as came:
            if came:
                self._file.close()


def is_intact(path: Path, size: int, digest: str) -> bool:
    """Whether a file still holds what was written; reads all of it."""
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_size != size:
                return False
            found = hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=_DIGEST))
            return found.hexdigest() == digest
    except OSError:
        return False


def read_packets(path: Path, clock: Fraction, digest: str | None = None) -> Iterator[av.Packet[Any]]:
    """The packets of a segment, as they were written.

    Args:
        path: a file that `PacketFile` wrote.
        clock: seconds between two ticks of their times.
        digest: what `PacketFile` had in the end; None believes the file.

    Raises:
        SinkError: the file is gone or damaged; maybe only after some packets.
    """
    found = hashlib.blake2b(digest_size=_DIGEST)
    try:
        with path.open("rb") as file:
            left = os.fstat(file.fileno()).st_size

            def read(size: int) -> bytes:
                nonlocal left
                data = file.read(min(size, left))
                left -= len(data)
                found.update(data)
                return data

            while head := read(_RECORD.size):
                yield _packet(head, read, clock)
        if digest not in (None, found.hexdigest()):
            raise OSError("it was changed")
    except (OSError, struct.error) as error:
        again = "run the same command again to paint it anew"
        raise SinkError(f"{path}: a finished segment cannot be read ({error}); {again}") from None


def _packet(head: bytes, read: Callable[[int], bytes], clock: Fraction) -> av.Packet[Any]:
    pts, dts, duration, is_keyframe, sides, size = _RECORD.unpack(head)
    packet: av.Packet[Any] = av.Packet(_whole(read(size), size))
    packet.pts, packet.dts, packet.duration, packet.time_base = pts, dts, duration, clock
    packet.is_keyframe = bool(is_keyframe)
    for _ in range(sides):
        number, side_size = _SIDE.unpack(read(_SIDE.size))
        # PyAV's type stubs leave the arguments out.
        side = av.packet.PacketSideData(number, side_size)  # type: ignore[call-arg]
        side.update(_whole(read(side_size), side_size))
        packet.set_sidedata(side)
    return packet


def _kind_number(side: av.packet.PacketSideData) -> int:
    return av.packet.packet_sidedata_type_from_literal(cast("av.packet.PktSideDataT", side.data_type))


def _whole(data: bytes, size: int) -> bytes:
    if len(data) < size:
        raise OSError("it ends too early")
    return data


def join_packets(packets: Iterable[av.Packet[Any]]) -> Iterator[av.Packet[Any]]:
    """Packets of one segment after the other with decoding times that grow, as muxers demand.

    Every segment comes from a fresh encoder, which guesses decoding times before its first frame from
    the distance of the next ones; where distances vary, they may reach back into the segment before.
    Such times are moved up to one tick after the one before, which is never later than the frame's
    own time: between the two lie as many frames as the encoder delays, each at least a tick.
    """
    last = _NEVER
    for packet in packets:
        assert packet.dts is not None
        packet.dts = last = max(packet.dts, last + 1)
        yield packet
