"""The streams beside the video, as packets to be carried over.

They are read through a container of their own over the same file: FFmpeg's are not thread-safe, and
this way the video and its sound are read at their own paces and nothing piles up between them.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from stylize_live.media.decode.container import Disposition, has_loose_clock, open_container
from stylize_live.media.decode.demux import Demuxer
from stylize_live.media.decode.programs import other_program_pids
from stylize_live.media.decode.reader import VideoReader
from stylize_live.media.decode.trim import Trim
from stylize_live.media.libraries import av

log = logging.getLogger(__name__)

# Seconds read before the chosen part for words that are still on screen when it starts, and behind it for
# what a file stores late.
_AROUND_THE_PART = 10


class PassthroughStreams:
    """The streams beside the video, as packets to be carried over.

    Attributes:
        streams: sound, subtitle, data and attachment streams, covers, and further videos, as PyAV
            streams. Tracks that only store chapters or the video's timecode are not among them: both
            are written anew, from the chapters and from the video's tags.
        foreign: streams of other programmes than the video's, in a transport stream.
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
        self._trim = reader.trim
        self._origin = reader.origin + reader.trim.start
        self._video_index = reader.video_index
        self._held: av.Packet[Any] | None = None
        self._coming: Iterator[av.Packet[Any]] = iter(())
        self.streams = [s for s in self._container.streams if s.index != reader.video_index]
        self.streams = [s for s in self.streams if not _is_written_anew(s, reader.video_metadata)]
        self.foreign = self._find_foreign()
        self.streams = [s for s in self.streams if s not in self.foreign]
        self.metadata = reader.metadata
        self.chapters = _chapters_in(self._trim, self._container.chapters())
        if self._trim.start > _AROUND_THE_PART and not has_loose_clock(self._container):
            with contextlib.suppress(av.FFmpegError):  # then they are read from the beginning
                self._container.seek(round((self._origin - _AROUND_THE_PART) * av.time_base))

    def _find_foreign(self) -> list[av.stream.Stream]:
        if self._container.format.name != "mpegts":
            return []
        pids = other_program_pids(self._path, self._container.streams[self._video_index].id)
        return [stream for stream in self.streams if stream.id in pids]

    def choose(self, wanted: list[av.stream.Stream]) -> None:
        """Read only these streams; to be called once, before `packets`."""
        if wanted:
            self._coming = self._demux({stream.index for stream in wanted})

    def _demux(self, wanted: set[int]) -> Iterator[av.Packet[Any]]:
        sounds = {stream.index for stream in self.streams if stream.type == "audio"}
        to_come = sounds & wanted or {self._video_index}
        # The video's packets pass by too: the demuxer puts times right by all streams, as the reader's does.
        for packet in Demuxer(self._container, self._complain):
            if self._is_far_behind_the_end(packet):
                to_come.discard(packet.stream_index)
                if not to_come:
                    return
            elif packet.stream_index in wanted and self._shift(packet) and self._in_range(packet):
                yield packet

    def _is_far_behind_the_end(self, packet: av.Packet[Any]) -> bool:
        if self._trim.end is None or packet.dts is None:
            return False
        length = self._trim.end - self._trim.start
        return packet.dts * packet.time_base - self._origin > length + _AROUND_THE_PART

    def _complain(self, what: str) -> None:
        self.damaged += 1
        log.info("%s: sound %s", self._path, what)

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

    def _in_range(self, packet: av.Packet[Any]) -> bool:
        """Whether a packet's time is in the chosen part; words on screen at its start stay there."""
        start = (packet.pts if packet.pts is not None else packet.dts or 0) * packet.time_base
        length = self._trim.length(None)
        if length is not None and start >= length:
            return False
        if start >= 0 or not self._trim.start:
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
        self.streams = self.foreign = []
        self._coming, self._held = iter(()), None
        self._container.close()


def _chapters_in(trim: Trim, chapters: list[av.container.core.Chapter]) -> list[av.container.core.Chapter]:
    """The chapters of the chosen part, timed from its start."""
    if trim == Trim():
        return chapters
    kept = []
    fine = Fraction(1, av.time_base)
    for chapter in chapters:
        clock = chapter["time_base"] or fine
        start, end = chapter["start"] * clock, chapter["end"] * clock
        last = end if trim.end is None else min(end, trim.end)
        if start < last and end > trim.start:
            moved = max(start - trim.start, Fraction(0)), last - trim.start
            chapter["start"], chapter["end"] = round(moved[0] / fine), round(moved[1] / fine)
            chapter["time_base"] = fine  # some count in whole seconds, and no part begins on one
            kept.append(chapter)
    return kept


def _is_written_anew(stream: av.stream.Stream, video_tags: dict[str, str]) -> bool:
    is_chapters = stream.discard == av.stream.Discard.all  # FFmpeg sets this aside itself
    is_timecode = stream.type == "data" and "timecode" in video_tags
    return is_chapters or is_timecode
