"""How the packets of a stream beside the video reach the output: copied untouched, or encoded again.

Which stream takes which way is decided in `selection.py`; subtitles have a track in `subtitles.py`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from fractions import Fraction
from math import floor
from typing import Any, Protocol

import numpy as np

from stylize_live.media.decode.container import Disposition
from stylize_live.media.formats.tags import stream_tags
from stylize_live.media.libraries import av
from stylize_live.media.tracks.channel_layout import ChannelLayout, Mixer, Samples, encoder_layout
from stylize_live.media.tracks.muxer_trial import MuxerTrial

_AAC_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 64000, 88200, 96000)
_OPUS_RATES = (48000,)
_PAUSE = b"\0\0"  # MP4's subtitles are without holes: text of no length stands between two
_BITS_PER_CHANNEL = 96_000
_COARSE = 10  # samples that a tick of the source's clock may last before times are counted in samples
_SAMPLES = {"aac": "fltp", "libopus": "flt"}  # FFmpeg's names: floats by channel, floats in turn
_SMALL_GAP = Fraction(1, 50)  # clocks that round, as Matroska's, leave gaps of a millisecond
_LONG_GAP = 10  # seconds; silence is not invented for longer


class Track(Protocol):
    """How the packets of one stream beside the video reach the output.

    Attributes:
        notes: what became of them that nobody could know before, in words; complete after `flush`.
    """

    notes: list[str]

    @property
    def damaged(self) -> int:
        """Packets met so far that could not be used."""

    def take(self, packet: av.Packet[Any]) -> Iterable[av.Packet[Any]]:
        """Packets to write for one that was read."""

    def flush(self) -> Iterable[av.Packet[Any]]:
        """Packets to write at the end."""


class CopiedTrack:
    """Passes packets on untouched; those that the muxer would refuse are counted and left out."""

    def __init__(self, output: av.container.OutputContainer, stream: av.stream.Stream) -> None:
        self.damaged = 0
        self.notes: list[str] = []
        self._stream = output.add_stream_from_template(stream, opaque=True)
        copy_tags(stream, self._stream, output.format.name)
        self._clock = _SampleClock.of(stream) if output.format.name in ("mp4", "mov") else None
        self._order = _Order.of(stream, output.format.name)
        self._trial = MuxerTrial(output.format.name, stream)
        self._last: int | None = None  # in ticks of the source
        context = getattr(stream, "codec_context", None)
        self._has_pauses = context is not None and context.codec.canonical_name == "mov_text"

    def take(self, packet: av.Packet[Any]) -> Iterable[av.Packet[Any]]:
        """The same packet, on the new stream."""
        assert packet.dts is not None
        if self._has_pauses and bytes(packet) == _PAUSE:  # the muxer writes them anew
            return
        if packet.is_corrupt:
            self.damaged += 1
            return
        if packet.duration == 0 and self._last is not None:  # players would leave out the last packet
            packet.duration = max(0, packet.dts - self._last)
        self._last = packet.dts
        if self._clock is not None:
            self._clock.set(packet)
        if not (self._order.keep(packet, self._stream.time_base) and self._trial.takes(packet)):
            self.damaged += 1
            return
        packet.stream = self._stream
        yield packet

    def flush(self) -> Iterable[av.Packet[Any]]:
        """Nothing was held back."""
        self._trial.close()
        return ()


class _Order:
    """Brings packets into the order of time that a muxer demands, at the cost of less than a packet.

    Clocks that are too coarse give several packets one time, and jitter makes some go back a little. Those
    are moved up by as little as the target's own clock knows; the next packet is measured by its own time.

    Args:
        equal: whether several packets may have one time.
        words: whether these are subtitles, which are shown late rather than not at all.
    """

    def __init__(self, *, equal: bool, words: bool) -> None:
        self._equal, self._words = equal, words
        self._next: int | None = None  # the earliest time, in ticks of the target

    @staticmethod
    def of(stream: av.stream.Stream, format_name: str) -> _Order:
        """What a muxer demands of a stream's packets."""
        lax = (
            av.format.Flags(av.format.ContainerFormat(format_name, "w").flags) & av.format.Flags.ts_nonstrict
        )
        return _Order(equal=bool(lax) or stream.type in ("subtitle", "data"), words=stream.type == "subtitle")

    def keep(self, packet: av.Packet[Any], tick: Fraction | None) -> bool:
        """Set the packet's time; False for one that goes back by more than it lasts.

        Args:
            packet: with a decoding time.
            tick: seconds between two ticks of the target's clock.
        """
        assert packet.dts is not None
        clock = packet.time_base
        tick = tick or clock
        when = _round_ticks(packet.dts * clock / tick)
        if self._next is not None and when < self._next:
            late = (self._next - when) * tick
            length = (packet.duration or 0) * clock
            if late > max(length, clock, tick):
                return False
            shown = _round_ticks(packet.pts * clock / tick) if packet.pts is not None else when
            packet.time_base, packet.dts = tick, self._next
            packet.pts = max(shown, self._next)
            packet.duration = _round_ticks((length - late if self._words else length) / tick)
            when = self._next
        self._next = when if self._equal else when + 1
        return True


def _round_ticks(value: Fraction) -> int:
    """As FFmpeg does it: halves go up."""
    return floor(value + Fraction(1, 2))


class _SampleClock:
    """Sound packets' times to the sample, where the source rounded them to milliseconds.

    MP4 stores the length of each packet; lengths that alternate between 20 and 21 ms are played with
    clicks by some. A packet that is not where the count expects it starts a new count.
    """

    def __init__(self, rate: int, samples: int, tick: Fraction) -> None:
        self._step, self._tick = Fraction(samples, rate), tick
        self._unit = Fraction(1, rate)
        self._next: Fraction | None = None

    @staticmethod
    def of(stream: av.stream.Stream) -> _SampleClock | None:
        """A clock for a stream of sound that needs one."""
        context = getattr(stream, "codec_context", None)
        if not isinstance(stream, av.AudioStream) or context is None or not stream.time_base:
            return None
        rate, samples = context.sample_rate, context.frame_size
        if not rate or samples <= 1 or stream.time_base * rate < _COARSE:
            return None
        return _SampleClock(rate, samples, stream.time_base)

    def set(self, packet: av.Packet[Any]) -> None:
        """Give a packet its exact time."""
        ticks = packet.pts if packet.pts is not None else packet.dts
        assert ticks is not None
        when = ticks * packet.time_base
        if self._next is None or abs(when - self._next) > self._tick * 3 / 2:
            self._next = round(when / self._unit) * self._unit
        packet.time_base = self._unit
        packet.pts = packet.dts = round(self._next / self._unit)
        packet.duration = round(self._step / self._unit)
        self._next += self._step


class RecodedTrack:
    """Decodes sound and encodes it again at the same times; gaps become silence.

    Args:
        output: file that gets the new stream.
        stream: sound to decode.
        speakers: its loudspeakers.
        codec: "aac" or "libopus".
        rate: samples a second; the source's if None, or the nearest that the codec knows.

    Attributes:
        lost_channels: how many channels fewer than the source's the encoder takes.
    """

    def __init__(
        self,
        output: av.container.OutputContainer,
        stream: av.stream.Stream,
        speakers: ChannelLayout,
        codec: str = "aac",
        rate: int | None = None,
    ) -> None:
        assert isinstance(stream, av.AudioStream)
        self.damaged = 0
        self.notes: list[str] = []
        self._source = stream
        rates = _OPUS_RATES if codec == "libopus" else _AAC_RATES
        wanted = rate or stream.codec_context.sample_rate
        self._rate = min(rates, key=lambda known: abs(known - wanted))
        target = output.add_stream(codec, rate=self._rate)
        assert isinstance(target, av.AudioStream)
        context = target.codec_context
        self._layout = encoder_layout(codec, speakers.plain)
        context.layout = av.AudioLayout(self._layout)
        context.format = av.AudioFormat(_SAMPLES[codec])
        context.bit_rate = _BITS_PER_CHANNEL * context.layout.nb_channels
        context.time_base = target.time_base = Fraction(1, self._rate)
        copy_tags(stream, target, output.format.name)
        self._target = target
        self.lost_channels = max(0, len(speakers.channels) - context.layout.nb_channels)
        self._mixer = Mixer(speakers, self._layout, self._rate)
        self._queue = np.zeros((0, context.layout.nb_channels), np.float32)
        self._start: int | None = None  # time of the queue's first sample, in samples

    def take(self, packet: av.Packet[Any]) -> Iterable[av.Packet[Any]]:
        """What the encoder gives for it, which may be nothing yet."""
        try:
            frames = self._source.decode(packet)
        except av.FFmpegError:
            self.damaged += 1
            return
        for frame in frames:
            yield from self._mix_and_queue(frame)

    def _mix_and_queue(self, frame: av.AudioFrame) -> Iterator[av.Packet[Any]]:
        try:
            mixed = list(self._mixer.mix(frame))
        except av.FFmpegError:
            self.damaged += 1
            return
        yield from self._queue_samples(mixed)

    def _queue_samples(self, mixed: Iterable[tuple[Fraction | None, Samples]]) -> Iterator[av.Packet[Any]]:
        for when, samples in mixed:
            if when is not None:
                samples, packets = self._align(samples, round(when * self._rate))
                yield from packets
            self._queue = np.concatenate([self._queue, samples])
            yield from self._encode_whole_frames()

    def _align(self, samples: Samples, at: int) -> tuple[Samples, list[av.Packet[Any]]]:
        """Lay samples behind the queue: a gap is filled with silence, an overlap is cut."""
        if self._start is None:
            self._start = at
        gap = at - (self._start + len(self._queue))
        if abs(gap) <= _SMALL_GAP * self._rate:
            return samples, []
        if gap < 0:
            return samples[-gap:], []
        if gap <= _LONG_GAP * self._rate:
            return np.pad(samples, ((gap, 0), (0, 0))), []
        packets = list(self._encode_rest())
        self._start = at
        return samples, packets

    def _encode_whole_frames(self) -> Iterator[av.Packet[Any]]:
        context = self._target.codec_context
        if not context.is_open:
            context.open()
        size = context.frame_size or 1024
        while len(self._queue) >= size:
            yield from self._encode(self._queue[:size])
            self._queue = self._queue[size:]

    def _encode_rest(self, pad: bool = True) -> Iterator[av.Packet[Any]]:
        """Encode what the queue holds; an encoder takes a short frame only as its last."""
        rest = len(self._queue)
        if rest:
            size = self._target.codec_context.frame_size or rest
            self._queue = np.pad(self._queue, ((0, size - rest if pad else 0), (0, 0)))
            yield from self._encode(self._queue)
            self._queue = self._queue[:0]

    def _encode(self, samples: Samples) -> Iterator[av.Packet[Any]]:
        assert self._start is not None
        in_turn = np.ascontiguousarray(samples).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(in_turn, "flt", self._layout)
        frame.sample_rate, frame.time_base, frame.pts = self._rate, Fraction(1, self._rate), self._start
        self._start += frame.samples
        yield from self._target.encode(frame)

    def flush(self) -> Iterable[av.Packet[Any]]:
        """What decoder, resampler and encoder still hold."""
        with contextlib.suppress(av.FFmpegError, EOFError):
            for frame in self._source.decode(None):
                yield from self._mix_and_queue(frame)
        yield from self._queue_samples(self._mixer.flush())
        yield from self._encode_rest(pad=False)
        if self._start is not None:
            yield from self._target.encode(None)


def copy_tags(source: av.stream.Stream, target: av.stream.Stream, format_name: str) -> None:
    """Give a stream the tags and the disposition of another."""
    target.metadata.update(stream_tags(source.metadata, format_name))
    target.disposition = source.disposition


def describe_stream(stream: av.stream.Stream) -> str:
    """A stream in a person's words: kind, number, codec, language."""
    context = getattr(stream, "codec_context", None)
    codec = context.codec.canonical_name if context is not None else ""
    kinds = {"audio": "sound", "video": "video", "subtitle": "subtitles"}
    kind = "cover image" if stream.disposition & Disposition.attached_pic else kinds.get(stream.type)
    name = stream.metadata.get("filename") if stream.type == "attachment" else codec
    return f"{kind or stream.type} in stream {stream.index}" + (f" ({name})" if name else "")
