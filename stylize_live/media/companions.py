"""The streams beside the film, as packets that are copied untouched.

They are read through a container of their own over the same file: FFmpeg's are not thread-safe, and
this way the film and its sound are read at their own paces and nothing piles up between them.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from stylize_live.media.container import Disposition, open_container
from stylize_live.media.cut import Cut
from stylize_live.media.libraries import av
from stylize_live.media.reader import VideoReader

log = logging.getLogger(__name__)

# Seconds read before a cut for words that are still on screen when it starts.
_BEFORE_THE_CUT = 10


class Companions:
    """The streams beside the film, as packets to be copied.

    Attributes:
        streams: sound, subtitle, data and attachment streams, and further films, as PyAV streams.
        metadata: tags of the whole file.
        chapters: as PyAV gives and takes them.
        damaged: packets met so far that could not be used.

    Raises:
        SourceError: the file cannot be opened.
    """

    def __init__(self, reader: VideoReader) -> None:
        self.damaged = 0
        self._path = reader.path
        self._container = open_container(reader.path)
        self._container.streams[reader.video_index].discard = av.stream.Discard.all
        self._cut = reader.cut
        self._origin = reader.origin + reader.cut.start
        self._held: av.Packet[Any] | None = None
        self._coming: Iterator[av.Packet[Any]] = iter(())
        self.streams = [s for s in self._container.streams if s.index != reader.video_index]
        self.metadata = dict(self._container.metadata)
        self.chapters = _chapters_in(self._cut, self._container.chapters())
        if self._cut.start > _BEFORE_THE_CUT:
            with contextlib.suppress(av.FFmpegError):  # then they are read from the beginning
                self._container.seek(round((self._origin - _BEFORE_THE_CUT) * av.time_base))

    def choose(self, wanted: list[av.stream.Stream]) -> None:
        """Read only these streams; to be called once, before `packets`."""
        for stream in self.streams:
            if stream not in wanted:
                stream.discard = av.stream.Discard.all
        if wanted:
            self._coming = self._demux(wanted)

    def _demux(self, wanted: list[av.stream.Stream]) -> Iterator[av.Packet[Any]]:
        try:
            for packet in self._container.demux(*wanted):
                if packet.size and self._shift(packet) and self._in_cut(packet):
                    yield packet
        except av.FFmpegError as error:
            self.damaged += 1
            log.info("%s: sound cannot be read further: %s", self._path, error.strerror)

    def _shift(self, packet: av.Packet[Any]) -> bool:
        """Count the packet's time from the origin; False for one without any time."""
        offset = round(self._origin / packet.time_base)
        if packet.dts is None:
            is_cover = packet.stream.disposition & Disposition.attached_pic
            packet.dts = offset if is_cover else packet.pts
        if packet.dts is None:
            self.damaged += 1
            return False
        packet.dts -= offset
        if packet.pts is not None:
            packet.pts -= offset
        return True

    def _in_cut(self, packet: av.Packet[Any]) -> bool:
        """Whether a packet's time is in the chosen part; words on screen at its start stay there."""
        start = (packet.pts if packet.pts is not None else packet.dts or 0) * packet.time_base
        length = self._cut.length(None)
        if length is not None and start >= length:
            return False
        if start >= 0 or not self._cut.start:
            return True
        end = start + (packet.duration or 0) * packet.time_base
        if packet.stream.type != "subtitle" or end <= 0:
            return False
        packet.pts, packet.dts, packet.duration = 0, 0, round(end / packet.time_base)
        return True

    def packets(self, until: Fraction | None) -> Iterator[av.Packet[Any]]:
        """Packets not given yet, up to a time in seconds; None gives all that are left."""
        while True:
            packet, self._held = self._held or next(self._coming, None), None
            if packet is None:
                return
            if until is not None and packet.dts is not None and packet.dts * packet.time_base > until:
                self._held = packet
                return
            yield packet

    def close(self) -> None:
        """Release the file, whose streams must not be used any more. May be called twice."""
        self.streams = []
        self._coming, self._held = iter(()), None
        self._container.close()


def _chapters_in(cut: Cut, chapters: list[av.container.core.Chapter]) -> list[av.container.core.Chapter]:
    """The chapters of the chosen part, timed from its start."""
    if cut == Cut():
        return chapters
    kept = []
    for chapter in chapters:
        clock = chapter["time_base"] or Fraction(1, av.time_base)
        start, end = chapter["start"] * clock, chapter["end"] * clock
        last = end if cut.end is None else min(end, cut.end)
        if start < last and end > cut.start:
            moved = max(start - cut.start, Fraction(0)), last - cut.start
            chapter["start"], chapter["end"] = round(moved[0] / clock), round(moved[1] / clock)
            kept.append(chapter)
    return kept
