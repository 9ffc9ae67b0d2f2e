"""Programmes of a transport stream: which streams belong to another one than the video.

FFmpeg reads these tables, too, but PyAV does not show them. Standard: ISO/IEC 13818-1, 2.4.4.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_LOOKED_THROUGH = 4 << 20  # bytes; the tables come again every tenth of a second
_SIZES = ((188, 0), (192, 4), (204, 0))  # of packets, and of what stands before them
_SYNC = 0x47
_SYNCS = 5  # that must agree
_ASSOCIATIONS, _MAP = 0, 2  # table numbers
_CHECKSUM = 4


def other_program_pids(path: Path, video: int) -> set[int]:
    """PIDs of streams that belong to other programmes only.

    Args:
        path: any file; one that is no transport stream has no programmes.
        video: PID of the video.
    """
    programmes: dict[int, set[int]] = {}
    with suppress(OSError):
        for pid, payload in _sections(path):
            if payload[0] == _MAP:
                programmes.setdefault(pid, set()).update(_streams(payload))
    own = {pid for streams in programmes.values() if video in streams for pid in streams}
    return {pid for streams in programmes.values() for pid in streams} - own if own else set()


def _sections(path: Path) -> Iterator[tuple[int, bytes]]:
    """PID and bytes of each table of associations, and of the maps that it names."""
    maps: set[int] = set()
    begun: dict[int, bytearray] = {}
    for packet in _packets(path):
        pid = int.from_bytes(packet[1:3], "big") & 0x1FFF
        if pid and pid not in maps:
            continue
        payload = _payload(packet)
        if packet[1] & 0x40 and payload:  # a table begins behind what is left of the one before
            begun[pid] = bytearray(payload[1 + payload[0] :])
        elif pid in begun:
            begun[pid] += payload
        table = begun.get(pid, bytearray())
        length = 3 + (int.from_bytes(table[1:3], "big") & 0xFFF) if len(table) >= 3 else 0
        if length > _CHECKSUM and len(table) >= length:
            whole = bytes(begun.pop(pid)[: length - _CHECKSUM])
            if pid == 0 and whole[0] == _ASSOCIATIONS:
                maps |= set(_map_pids(whole))
            yield pid, whole


def _packets(path: Path) -> Iterator[bytes]:
    """Packets of 188 bytes from the beginning of a file."""
    with path.open("rb") as file:
        data = file.read(_LOOKED_THROUGH)
    for size, before in _SIZES:
        for first in range(before, min(size * 2, len(data))):
            places = range(first, first + size * _SYNCS, size)
            if places[-1] < len(data) and all(data[at] == _SYNC for at in places):
                for at in range(first, len(data) - 187, size):
                    if data[at] == _SYNC:
                        yield data[at : at + 188]
                return


def _payload(packet: bytes) -> bytes:
    """What a packet carries, behind its head and its adaptation field."""
    if not packet[3] & 0x10:
        return b""
    return packet[5 + packet[4] :] if packet[3] & 0x20 else packet[4:]


def _map_pids(table: bytes) -> Iterator[int]:
    """PIDs of the maps of all programmes."""
    for at in range(8, len(table) - 3, 4):
        if table[at : at + 2] != b"\0\0":  # network information
            yield int.from_bytes(table[at + 2 : at + 4], "big") & 0x1FFF


def _streams(table: bytes) -> Iterator[int]:
    """PIDs of a programme's streams."""
    at = 12 + (int.from_bytes(table[10:12], "big") & 0xFFF)
    while at + 5 <= len(table):
        yield int.from_bytes(table[at + 1 : at + 3], "big") & 0x1FFF
        at += 5 + (int.from_bytes(table[at + 3 : at + 5], "big") & 0xFFF)
