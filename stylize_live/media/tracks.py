"""How the streams beside the film reach the output: copied untouched, or encoded again."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterable, Iterator
from typing import Any, Protocol

from stylize_live.media.container import Disposition
from stylize_live.media.libraries import av

_AAC_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 64000, 88200, 96000)
_OPUS_RATES = (8000, 12000, 16000, 24000, 48000)
# Tags that describe the old file and would be wrong about the new one.
_STALE_TAGS = {"major_brand", "minor_version", "compatible_brands", "encoder", "duration", "rotate"}
_STALE_TAGS |= {"number_of_frames", "number_of_bytes", "bps", "vendor_id"}


class Track(Protocol):
    """How the packets of one stream beside the film reach the output."""

    damaged: int

    def take(self, packet: av.Packet[Any]) -> Iterable[av.Packet[Any]]:
        """Packets to write for one that was read."""

    def flush(self) -> Iterable[av.Packet[Any]]:
        """Packets to write at the end."""


class CopiedTrack:
    """Passes packets on untouched."""

    def __init__(self, output: av.container.OutputContainer, stream: av.stream.Stream) -> None:
        self.damaged = 0
        self._stream = output.add_stream_from_template(stream, opaque=True)
        _copy_tags(stream, self._stream)
        self._last = -(2**63)

    def take(self, packet: av.Packet[Any]) -> Iterable[av.Packet[Any]]:
        """The same packet, on the new stream."""
        assert packet.dts is not None
        if packet.is_corrupt or packet.dts < self._last:  # a muxer would give up the whole file
            self.damaged += 1
            return
        if packet.dts == self._last:  # rounded by the source; muxers want times that grow
            packet.dts += 1
            packet.pts = max(packet.dts, packet.pts or packet.dts)
        self._last = packet.dts
        packet.stream = self._stream
        yield packet

    def flush(self) -> Iterable[av.Packet[Any]]:
        """Nothing was held back."""
        return ()


class RecodedTrack:
    """Decodes sound and encodes it again, as AAC or what else the format wants, at the same times."""

    def __init__(
        self, output: av.container.OutputContainer, stream: av.stream.Stream, codec: str = "aac"
    ) -> None:
        assert isinstance(stream, av.AudioStream)
        self.damaged = 0
        self._source = stream
        rates = _OPUS_RATES if codec == "libopus" else _AAC_RATES
        rate = min(rates, key=lambda known: abs(known - stream.codec_context.sample_rate))
        target = output.add_stream(codec, rate=rate)
        assert isinstance(target, av.AudioStream)
        target.codec_context.layout = stream.codec_context.layout
        target.codec_context.bit_rate = 96_000 * max(1, stream.codec_context.channels)
        _copy_tags(stream, target)
        self._target = target
        self._resampler: av.AudioResampler | None = None

    def take(self, packet: av.Packet[Any]) -> Iterable[av.Packet[Any]]:
        """What the encoder gives for it, which may be nothing yet."""
        try:
            frames = self._source.decode(packet)
        except av.FFmpegError:
            self.damaged += 1
            return
        for frame in frames:
            yield from self._encode(frame)

    def _encode(self, frame: av.AudioFrame | None) -> Iterator[av.Packet[Any]]:
        if self._resampler is None:
            context = self._target.codec_context
            self._resampler = av.AudioResampler(
                format=context.format, layout=context.layout, rate=context.rate, frame_size=context.frame_size
            )
        for part in self._resampler.resample(frame):
            yield from self._target.encode(part)

    def flush(self) -> Iterable[av.Packet[Any]]:
        """What decoder, resampler and encoder still hold."""
        with contextlib.suppress(av.FFmpegError, EOFError):
            for frame in self._source.decode(None):
                yield from self._encode(frame)
        if self._resampler is not None:
            yield from self._encode(None)
            yield from self._target.encode(None)


def accepts(format_name: str, stream: av.stream.Stream) -> bool:
    """Try a stream in a file in memory: some formats refuse only when their header is written."""
    if stream.type == "video" and format_name != "mp4":  # a cover; others make a second film of it
        return False
    try:
        with av.open(io.BytesIO(), "w", format=format_name) as trial:
            CopiedTrack(trial, stream)
            trial.start_encoding()
    except (av.FFmpegError, ValueError):
        return False
    return True


def _copy_tags(source: av.stream.Stream, target: av.stream.Stream) -> None:
    target.metadata.update(lasting(source.metadata))
    target.disposition = source.disposition


def lasting(tags: dict[str, str]) -> dict[str, str]:
    """Tags that are as true of the new file as of the old one."""
    return {key: value for key, value in tags.items() if key.lower() not in _STALE_TAGS}


def describe(stream: av.stream.Stream) -> str:
    """A stream in a person's words: kind, number, codec."""
    context = getattr(stream, "codec_context", None)
    codec = f" ({context.codec.canonical_name})" if context is not None else ""
    kinds = {"audio": "sound", "video": "film", "subtitle": "subtitles"}
    kind = "cover picture" if stream.disposition & Disposition.attached_pic else kinds.get(stream.type)
    return f"{kind or stream.type} in stream {stream.index}{codec}"
