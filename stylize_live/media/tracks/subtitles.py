"""Subtitles rewritten from one text codec into another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from stylize_live.media.libraries import av
from stylize_live.media.tracks.track import copy_tags

_NO_DECODER_OF_TIMES = {"eia_608"}  # captions that scroll: their ends are known only when the next come
_MILLISECOND = Fraction(1, 1000)
DEFAULT_SECONDS = 5  # shown where the source says no end


def is_text_subtitle(stream: av.stream.Stream) -> bool:
    """Whether a stream holds subtitles as text, and not as images, that can be read here."""
    context = getattr(stream, "codec_context", None)
    if stream.type != "subtitle" or context is None:
        return False
    return bool(context.codec.text_sub) and context.codec.canonical_name not in _NO_DECODER_OF_TIMES


@dataclass(frozen=True, slots=True)
class _Cue:
    """Words on the screen from `start` to `end`, in ticks of the source's clock; text as ASS."""

    start: int
    end: int
    text: bytes


class SubtitleTrack:
    """Reads subtitles as text with simple styles and writes them in another codec at the same times.

    Italics, bold, underline and colours survive; places on the screen and fonts only where both
    codecs know them. MP4 cannot show two texts at once, so there they become one for as long as
    they overlap.

    Args:
        output: file that gets the new stream.
        stream: text subtitles to read.
        codec: "mov_text", "subrip" or "webvtt".

    Raises:
        FFmpegError: the subtitles cannot be opened.
    """

    def __init__(self, output: av.container.OutputContainer, stream: av.stream.Stream, codec: str) -> None:
        assert isinstance(stream, av.subtitles.stream.SubtitleStream)
        self.damaged = 0
        self.notes: list[str] = []
        self._source = stream.codec_context
        self._source.open(strict=False)  # gives the header that the encoder wants
        target = output.add_stream(codec)
        assert isinstance(target, av.subtitles.stream.SubtitleStream)
        self._encoder = target.codec_context
        self._encoder.subtitle_header = self._source.subtitle_header
        self._clock = stream.time_base or _MILLISECOND
        self._encoder.time_base = target.time_base = self._clock
        copy_tags(stream, target, output.format.name)
        self._target = target
        self._one_at_a_time = codec == "mov_text"
        self._shown: list[_Cue] = []  # not written yet, because another may come on top

    def take(self, packet: av.Packet[Any]) -> Iterable[av.Packet[Any]]:
        """Packets of the cues that are complete; nothing for the pauses that some formats store."""
        cue = self._read(packet)
        if cue is None:
            return
        if self._one_at_a_time:
            yield from self._write_until(cue.start)
            self._shown.append(cue)
        else:
            yield from self._write([cue], cue.start, cue.end)

    def _read(self, packet: av.Packet[Any]) -> _Cue | None:
        start = packet.pts if packet.pts is not None else packet.dts
        length = packet.duration or round(DEFAULT_SECONDS / packet.time_base)
        try:
            words = self._source.decode2(packet)
        except (av.FFmpegError, EOFError):
            self.damaged += 1
            return None
        parts = [part for part in words or () if isinstance(part, av.subtitles.subtitle.AssSubtitle)]
        # A line of ASS in a packet: eight fields of style and margins, then the text.
        texts = [part.ass.split(b",", 8)[-1] for part in parts]
        if start is None or not any(texts):
            return None
        scale = packet.time_base / self._clock
        return _Cue(round(start * scale), round((start + length) * scale), b"\\N".join(texts))

    def _write_until(self, until: int | None) -> Iterator[av.Packet[Any]]:
        """What is on the screen before a time, cut wherever a text ends; None for all there is."""
        while self._shown:
            start = max(cue.start for cue in self._shown)
            end = min(cue.end for cue in self._shown)
            if until is not None:
                end = min(end, until)
            yield from self._write(self._shown, start, end)
            self._shown = [replace(cue, start=end) for cue in self._shown if cue.end > end]
            if end == until:
                return

    def _write(self, cues: list[_Cue], start: int, end: int) -> Iterator[av.Packet[Any]]:
        if end <= start:
            return
        line = b"0,0,Default,,0,0,0,," + b"\\N".join(cue.text for cue in cues)
        words = av.subtitles.subtitle.SubtitleSet.create(line, 0, round((end - start) * self._clock * 1000))
        try:
            packet = self._encoder.encode_subtitle(words)
        except av.FFmpegError:
            self.damaged += 1
            return
        packet.time_base, packet.stream = self._clock, self._target
        packet.pts = packet.dts = start
        packet.duration = end - start
        if packet.size:
            yield packet

    def flush(self) -> Iterable[av.Packet[Any]]:
        """Words that waited for others to come on top."""
        return self._write_until(None)
