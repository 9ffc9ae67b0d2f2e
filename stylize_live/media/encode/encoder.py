"""Frames into encoded packets. Knows codecs and colours; containers and what stands beside the video do not
exist here."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np

from stylize_live.config import VideoSettings
from stylize_live.errors import SinkError, UsageError
from stylize_live.frame import Frame, FrameKind, Pixels
from stylize_live.lifecycle import Closeable, Turn
from stylize_live.media.color.colorspace import ToStored, encoded_size, pad, tag
from stylize_live.media.color.palette import PALETTE_FORMAT, ToPalette
from stylize_live.media.formats.codecs import encoder_options, pixel_format
from stylize_live.media.formats.encoders import choose_encoder, encodes_on_chip, supports_format
from stylize_live.media.hw.surface import NV12, STORED_AS_PLANES, Nv12Surface, chip_to_encode
from stylize_live.media.libraries import av
from stylize_live.wording import option

_ROUNDED = {
    Fraction(1, 1000): "this kind of file stores whole milliseconds; the times of frames were rounded",
    Fraction(1, 100): "GIF stores hundredths of seconds; the times of frames were rounded",
}
NEVER = -(2**63)
# Of so few frames, in a video or a segment of one, x265 makes up when to decode them: it reads what it has
# not written yet. They have no other order than that in which they are shown.
_FEW = 2


def ticks_behind(last: int, when: Fraction, clock: Fraction) -> int:
    """A frame's time in seconds as ticks of a clock, but later than those of the frame before, which encoders
    insist on."""
    return max(round(when / clock), last + 1)


class VideoEncoder(Closeable):
    """One video, or one segment of it, as packets with exact times.

    Frames keep their times; the gap to the next one is how long a frame is shown, so every frame
    waits until the next is known. The packets carry `clock` as their time base.

    Attributes:
        stream: describes the packets (codec, size, colours, headers): what `Muxer` wants as its
            template. Lives as long as the encoder.
        clock: seconds between two ticks.
        last_ticks: time of the newest encoded frame in ticks.
        notes: what was changed, in words.

    Args:
        size: (width, height) of the frames in pixels; odd sides grow by one repeated pixel where the
            codec needs it.
        codec: a key of `CODECS`; `codec_for` of `codecs.py` tells which one a target wants.
        settings: quality, speed, who encodes.
        clock: seconds between two ticks; `video_clock` of `containers.py` tells which one a target keeps.
        rate: nominal frames per second; for the encoder's planning only.
        sample_aspect: width of a pixel over its height, or None when unknown.
        alpha: whether to keep the frames' transparency; `keeps_alpha` of `codecs.py` tells who can.
        reorder: whether frames may be coded in another order than they are shown, which is smaller;
            without, packets come sooner and files that are cut off anywhere keep their times.
        after: ticks that the first frame must come after; of a later segment, `last_ticks` of
            the segment before.
        frames: what they come as; an encoder that can stores surfaces as they are, and one on the same GPU
            takes them where they are.

    Raises:
        UsageError: there is no such encoder here, or it has no such quality or number of bits.
        SinkError: the encoder refuses the size.
    """

    def __init__(
        self,
        size: tuple[int, int],
        codec: str,
        settings: VideoSettings,
        *,
        clock: Fraction,
        rate: Fraction = Fraction(30),
        sample_aspect: Fraction | None = None,
        alpha: bool = False,
        reorder: bool = True,
        after: int = NEVER,
        frames: FrameKind = FrameKind.PIXELS,
    ) -> None:
        self.clock = clock
        self.last_ticks = after
        self.notes: list[str] = []
        self._size = size
        self._closed = False
        self._waiting: Frame | None = None
        self._durations: dict[int, int] = {}
        self._frames = 0
        self._usual_duration = 1 / rate
        self._name = choose_encoder(codec, settings.encoder, settings.bits)
        self._turn = Turn(self._name, self._release)
        self._alpha, self._reorder = alpha, reorder
        self._format = self._pixel_format(codec, settings.bits, frames)
        self._stored_size = encoded_size(size, self._format)
        self._on_chip = frames is FrameKind.ON_CHIP and encodes_on_chip(self._name, self._format)
        self._convert = ToPalette() if self._format == PALETTE_FORMAT else ToStored(self._format)
        # A container that writes nowhere: only streams of containers can be templates of others.
        self._scratch = av.open("video", "w", format="null")
        try:
            with self._translate_errors():
                options = encoder_options(self._name, codec, settings, self._alpha)
                self.stream = self._add_stream(options, rate, sample_aspect)
                self._scratch.start_encoding()
        except BaseException:
            self._scratch.close()
            raise
        if self._stored_size != size:
            self.notes.append(
                "{} needs even sides: {}x{} grew to {}x{} by repeating the last pixels".format(
                    codec, *size, *self._stored_size
                )
            )

    def _pixel_format(self, codec: str, bits: int, frames: FrameKind) -> str:
        name = pixel_format(self._name, codec, bits, self._alpha)
        if name is None or not supports_format(self._name, name):
            use = f"use {option('bits', 8)} or another {option('codec')}"
            raise UsageError(f"{self._name} here cannot store {bits} bits: {use}")
        # x264 works on two planes itself. Of RGB, though, the scaler makes three in two thirds of the time.
        planes = frames is not FrameKind.PIXELS and name in STORED_AS_PLANES
        return NV12 if planes and supports_format(self._name, NV12) else name

    def _add_stream(
        self, options: dict[str, str], rate: Fraction, sample_aspect: Fraction | None
    ) -> av.VideoStream:
        chip = chip_to_encode() if self._on_chip else None
        stream = self._scratch.add_stream(
            self._name, rate=rate, options=options, time_base=self.clock, hwaccel=chip
        )
        assert isinstance(stream, av.VideoStream)
        context = stream.codec_context
        context.width, context.height = self._stored_size
        context.pix_fmt = self._format
        context.time_base = self.clock
        if self._name == "libx264":
            context.thread_type = "FRAME"  # slices, the default, compress worse and only save delay
        if not self._reorder:
            context.max_b_frames = 0
        context.flags |= av.codec.context.Flags.frame_duration | av.codec.context.Flags.global_header
        if self._format != PALETTE_FORMAT:
            tag(context, av.VideoFormat(self._format))
        if sample_aspect:
            context.sample_aspect_ratio = sample_aspect
        return stream

    def encode(self, frame: Frame) -> list[av.Packet[Any]]:
        """Take a frame, later than those before; what packets are ready, often none yet.

        Raises:
            SinkError: the encoder failed, or was closed.
            ValueError: the frame has another size than was announced.
        """
        if frame.size != self._size:
            raise ValueError(f"a frame of {frame.size} came for a video of {self._size}")
        with self._guard():
            before, self._waiting = self._waiting, frame
            if before is None:
                return []
            self._usual_duration = frame.pts - before.pts
            return self._encode(before, self._usual_duration)

    def finish(self, last_duration: Fraction = Fraction(0)) -> list[av.Packet[Any]]:
        """The packets still held; no frame may follow.

        Args:
            last_duration: how long the last frame is shown, in seconds; 0 is as long as the one before.

        Raises:
            SinkError: the encoder failed, or was closed.
        """
        with self._guard():
            last, self._waiting = self._waiting, None
            packets = [] if last is None else self._encode(last, last_duration or self._usual_duration)
            return packets + self._send(None)

    def _encode(self, frame: Frame, duration: Fraction) -> list[av.Packet[Any]]:
        stored = self._to_stored(frame)
        self._frames += 1
        stored.pts = self._next_ticks(frame.pts)
        stored.time_base = self.clock
        stored.duration = self._durations[stored.pts] = max(1, round(duration / self.clock))
        return self._send(stored)

    def _to_stored(self, frame: Frame) -> av.VideoFrame:
        if isinstance(frame.image, Nv12Surface) and self._takes(frame.image):
            return self._store_planes(frame.image)
        return self._convert(pad(self._pixels_to_store(frame), self._stored_size))

    def _takes(self, surface: Nv12Surface) -> bool:
        """Whether its planes are stored as they are: without a change of size or colours, or transparency."""
        return self._format in STORED_AS_PLANES and surface.size == self._stored_size

    def _store_planes(self, surface: Nv12Surface) -> av.VideoFrame:
        on_chip = self._on_chip and surface.on_gpu
        return surface.video_frame() if on_chip else surface.stored_frame(self._format)

    def _pixels_to_store(self, frame: Frame) -> Pixels:
        """RGB, or RGBA where transparency is kept."""
        if not self._alpha:
            return frame.pixels
        height, width = frame.pixels.shape[:2]
        whole = np.iinfo(frame.pixels.dtype).max
        alpha = np.full((height, width), whole, frame.pixels.dtype) if frame.alpha is None else frame.alpha
        return np.dstack((frame.pixels, alpha))

    def _send(self, stored: av.VideoFrame | None) -> list[av.Packet[Any]]:
        packets: list[av.Packet[Any]] = self.stream.encode(stored)
        for packet in packets:  # some encoders pass the duration on, some make one up
            packet.duration = self._durations.pop(packet.pts or 0, packet.duration)
            if stored is None and self._frames <= _FEW:
                packet.dts = packet.pts
        return packets

    def _next_ticks(self, when: Fraction) -> int:
        """See `ticks_behind`."""
        exact = when / self.clock
        self.last_ticks = ticks_behind(self.last_ticks, when, self.clock)
        note = _ROUNDED.get(self.clock)
        if exact.denominator != 1 and note is not None and note not in self.notes:
            self.notes.append(note)
        return self.last_ticks

    @contextlib.contextmanager
    def _guard(self) -> Iterator[None]:
        with self._turn:
            if self._closed:
                raise SinkError("the encoder was closed while it worked")
            with self._translate_errors():
                yield

    @contextlib.contextmanager
    def _translate_errors(self) -> Iterator[None]:
        try:
            yield
        except (av.FFmpegError, OSError, ValueError) as error:
            width, height = self._size
            reason = getattr(error, "strerror", None) or error
            raise SinkError(f"{self._name} cannot write frames of {width}x{height}: {reason}") from error

    def close(self) -> None:
        """Release the encoder. May be called twice; waits a moment while another thread encodes a frame."""
        with self._turn.to_close() as came:
            was_open, self._closed = not self._closed, True
            if came and was_open:
                self._release()

    def _release(self) -> None:
        self._scratch.close()
        del self.stream  # its threads and frames go with it
