"""AAC as transport streams have it (ADTS): every packet says how it was made, and broadcasts change that.

MP4 and Matroska say it once for the whole track. What is made as the first packet was is copied, the rest is
encoded again as that.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from stylize_live.media.libraries import av
from stylize_live.media.tracks.channel_layout import ChannelLayout
from stylize_live.media.tracks.track import CopiedTrack, RecodedTrack, describe_stream

_HEAD = 7  # bytes
_RATES = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000)
_LAYOUTS = {1: "mono", 2: "stereo", 3: "3.0", 4: "4.0", 5: "5.0", 6: "5.1", 7: "7.1"}
_LOW_COMPLEXITY = 1  # the kind that FFmpeg's encoder makes


def is_adts(stream: av.stream.Stream) -> bool:
    """Whether a stream is AAC whose packets alone say how they were made."""
    context = getattr(stream, "codec_context", None)
    return context is not None and context.codec.canonical_name == "aac" and not context.extradata


class AdtsHeader:
    """The header of an ADTS packet: ISO/IEC 14496-3, 1.A.2.2."""

    def __init__(self, packet: av.Packet[Any]) -> None:
        self._bytes = bytearray(bytes(packet)[:_HEAD])

    @property
    def is_valid(self) -> bool:
        """Whether the packet begins with such a header at all."""
        return len(self._bytes) == _HEAD and self._bytes[0] == 0xFF and self._bytes[1] & 0xF6 == 0xF0

    @property
    def kind(self) -> tuple[int, int, int]:
        """Number of the kind of AAC, of the rate, and of the layout."""
        a, b = self._bytes[2:4]
        return a >> 6, a >> 2 & 0xF, (a & 1) << 2 | b >> 6

    def wrap(self, data: bytes) -> bytes:
        """Encoded sound of the same kind, with a header that says so in front."""
        head, length = bytearray(self._bytes), _HEAD + len(data)
        head[1] |= 1  # without a checksum
        head[3] = head[3] & 0xFC | length >> 11
        head[4] = length >> 3 & 0xFF
        head[5] = (length & 7) << 5 | 0x1F
        head[6] = 0xFC
        return bytes(head) + data


class AdtsTrack:
    """Copies AAC; packets that were made otherwise than the first are encoded again to be like it."""

    def __init__(self, output: av.container.OutputContainer, stream: av.stream.Stream) -> None:
        self._source, self._copied = stream, CopiedTrack(output, stream)
        self._first: AdtsHeader | None = None
        self._others: RecodedTrack | None = None
        self._lost = 0
        self._scratch: av.container.OutputContainer | None = None
        self.notes: list[str] = []

    @property
    def damaged(self) -> int:
        """See `Track.damaged`."""
        others = self._others.damaged if self._others else 0
        return self._copied.damaged + self._lost + others

    def take(self, packet: av.Packet[Any]) -> Iterable[av.Packet[Any]]:
        """The same packet, or those that it was encoded again into."""
        head = AdtsHeader(packet)
        if self._first is None and head.is_valid:
            self._first = head
        if self._first is None or not head.is_valid or head.kind == self._first.kind:
            yield from self._finish_others()
            yield from self._copied.take(packet)
        elif (others := self._encoder(self._first)) is not None:
            yield from self._wrap_as_first(others.take(packet))
        else:
            self._lost += 1

    def _encoder(self, first: AdtsHeader) -> RecodedTrack | None:
        """What encodes as the first packet was made; None where nothing here can."""
        kind, rate, layout = first.kind
        if kind != _LOW_COMPLEXITY or rate >= len(_RATES) or layout not in _LAYOUTS:
            return None
        if self._others is None:
            self.notes = [
                f"encoded again in part: {describe_stream(self._source)}, which changes in the middle"
            ]
            self._scratch = av.open("sound", "w", format="null")
            speakers = ChannelLayout(_LAYOUTS[layout], av.AudioLayout(_LAYOUTS[layout]).nb_channels)
            self._others = RecodedTrack(self._scratch, self._source, speakers, rate=_RATES[rate])
        return self._others

    def _wrap_as_first(self, packets: Iterable[av.Packet[Any]]) -> Iterator[av.Packet[Any]]:
        assert self._first is not None
        for packet in packets:
            made: av.Packet[Any] = av.Packet(self._first.wrap(bytes(packet)))
            made.pts, made.dts, made.time_base = packet.pts, packet.dts, packet.time_base
            made.duration = packet.duration
            yield from self._copied.take(made)

    def _finish_others(self) -> Iterator[av.Packet[Any]]:
        if self._others is None or self._scratch is None:
            return
        yield from self._wrap_as_first(self._others.flush())
        self._lost += self._others.damaged
        self._scratch.close()
        self._others = self._scratch = None
        self._source.codec_context.flush_buffers()  # it was told that nothing more comes

    def flush(self) -> Iterable[av.Packet[Any]]:
        """What is still being encoded."""
        yield from self._finish_others()
        yield from self._copied.flush()
