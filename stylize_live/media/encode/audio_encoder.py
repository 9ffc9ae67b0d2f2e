"""Chunks of sound with their times, into encoded packets."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from stylize_live.lifecycle import Closeable
from stylize_live.media.libraries import av

RATES = (48000, 44100, 32000, 24000, 22050, 16000, 11025, 8000)  # samples a second that AAC knows
_BITS_PER_CHANNEL = 96_000
_OPUS_RATE, _OPUS_FRAME = 48000, 960  # samples a second, and in a packet of 20 ms
_PRIMING = (
    1024  # samples that the encoder puts before the first one; without them no packet would be before 0
)
_LARGEST_SLIP = Fraction(1, 20)  # seconds; the sound card's clock and ours are never quite the same
_LONGEST_SILENCE = 60  # seconds


class SoundEncoder(Closeable):
    """Makes AAC or Opus packets without holes: gaps become silence, overlaps are cut.

    Attributes:
        stream: describes the packets, for `Muxer`.

    Args:
        rate: samples a second, one of `RATES`.
        channels: 1 or 2.
        codec: "aac", or "libopus", for which sound is brought to 48,000 samples a second.
    """

    def __init__(self, rate: int, channels: int, codec: Literal["aac", "libopus"] = "aac") -> None:
        self._rate, self._layout = rate, "mono" if channels == 1 else "stereo"
        self._next = _PRIMING  # time of the queue's first sample, in samples
        self._queue = np.zeros((channels, 0), np.float32)
        self._scratch = av.open("sound", "w", format="null")
        form, coded_rate = ("fltp", rate) if codec == "aac" else ("flt", _OPUS_RATE)
        self._resampler: av.AudioResampler | None = None
        if codec == "libopus":
            self._resampler = av.AudioResampler(form, self._layout, _OPUS_RATE, _OPUS_FRAME)
        self.stream = self._scratch.add_stream(codec, rate=coded_rate)
        context = self.stream.codec_context
        context.layout = av.AudioLayout(self._layout)
        context.format = av.AudioFormat(form)
        context.bit_rate = _BITS_PER_CHANNEL * channels
        context.time_base = self.stream.time_base = Fraction(1, coded_rate)
        context.flags |= av.codec.context.Flags.global_header
        self._scratch.start_encoding()

    def encode(self, samples: npt.NDArray[np.float32], at: Fraction) -> list[av.Packet[Any]]:
        """What packets are ready after this chunk.

        Args:
            samples: (N, channels); what is not within [-1, 1], as some drivers send it, is brought there.
            at: seconds of its first sample; what is before 0 is cut.
        """
        sane = np.clip(np.nan_to_num(samples.T), -1, 1)
        self._queue = np.concatenate([self._queue, self._align(sane, round(at * self._rate))], axis=1)
        return list(self._encode_whole_frames())

    def finish(self) -> list[av.Packet[Any]]:
        """The packets still held; no chunk may follow."""
        packets = list(self._encode_whole_frames())
        if self._queue.shape[1]:
            packets += self._encode_frame(self._queue)
        rest = [] if self._resampler is None else self._resampler.resample(None)
        return packets + [packet for frame in (*rest, None) for packet in self.stream.encode(frame)]

    def _align(self, samples: npt.NDArray[np.float32], at: int) -> npt.NDArray[np.float32]:
        gap = at - (self._next + self._queue.shape[1])
        begun = self._next > _PRIMING or self._queue.shape[1] > 0
        if begun and abs(gap) <= _LARGEST_SLIP * self._rate:
            return samples
        if gap < 0:
            return samples[:, -gap:]
        return np.pad(samples, ((0, 0), (min(gap, _LONGEST_SILENCE * self._rate), 0)))

    def _encode_whole_frames(self) -> Iterator[av.Packet[Any]]:
        size = self.stream.codec_context.frame_size
        while self._queue.shape[1] >= size:
            yield from self._encode_frame(self._queue[:, :size])
            self._queue = self._queue[:, size:]

    def _encode_frame(self, samples: npt.NDArray[np.float32]) -> list[av.Packet[Any]]:
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples), "fltp", self._layout)
        frame.sample_rate, frame.time_base, frame.pts = self._rate, Fraction(1, self._rate), self._next
        self._next += frame.samples
        frames = [frame] if self._resampler is None else self._resampler.resample(frame)
        return [packet for ready in frames for packet in self.stream.encode(ready)]

    def close(self) -> None:
        """Release the encoder. May be called twice."""
        self._scratch.close()
