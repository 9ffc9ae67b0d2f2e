"""Frames into encoded packets. Knows codecs and colours; containers and what stands beside the film do not
exist here."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from stylize_live.closing import Closing
from stylize_live.config import FilmSettings
from stylize_live.errors import SinkError
from stylize_live.frame import Frame
from stylize_live.media.colour import ToYuv, even, tag
from stylize_live.media.libraries import av
from stylize_live.media.x264 import repeatable

_MILLISECOND = Fraction(1, 1000)
_ROUNDED = "Matroska stores whole milliseconds: the times of pictures were rounded to them"
_NEVER = -(2**63)


class FilmEncoder(Closing):
    """One film, or one piece of it, as packets with exact times.

    Frames keep their times; the gap to the next one is how long a frame is shown, so every frame
    waits until the next is known. The packets carry `clock` as their time base.

    Attributes:
        stream: describes the packets (codec, size, colours, headers): what `Muxer` wants as its
            template. Lives as long as the encoder.
        clock: seconds between two ticks.
        last_ticks: time of the newest encoded frame in ticks.
        notes: what was changed, in words.

    Args:
        size: (width, height) of the frames in pixels; odd sides grow by one repeated pixel.
        settings: quality and speed.
        clock: seconds between two ticks; `film_clock` of `muxer.py` tells which one a target keeps.
        rate: nominal frames per second; for the encoder's planning only.
        sample_aspect: width of a pixel over its height, or None when unknown.
        after: ticks that the first frame must come after; of a later piece, `last_ticks` of the
            piece before.

    Raises:
        SinkError: the encoder refuses the size or a setting.
    """

    def __init__(
        self,
        size: tuple[int, int],
        settings: FilmSettings,
        *,
        clock: Fraction,
        rate: Fraction = Fraction(30),
        sample_aspect: Fraction | None = None,
        after: int = _NEVER,
    ) -> None:
        self.clock = clock
        self.last_ticks = after
        self.notes: list[str] = []
        self._size = size
        self._lock = threading.Lock()
        self._closed = False
        self._convert = ToYuv()
        self._waiting: Frame | None = None
        # A container that writes nowhere: only streams of containers can be templates of others.
        self._scratch = av.open("film", "w", format="null")
        try:
            with self._explained():
                self.stream = self._add_stream(settings, rate, sample_aspect)
                self._scratch.start_encoding()
        except BaseException:
            self._scratch.close()
            raise

    def _add_stream(
        self, settings: FilmSettings, rate: Fraction, sample_aspect: Fraction | None
    ) -> av.VideoStream:
        options = {"crf": str(settings.crf), "preset": settings.preset, **repeatable()}
        stream = self._scratch.add_stream("libx264", rate=rate, options=options, time_base=self.clock)
        assert isinstance(stream, av.VideoStream)
        width, height = self._size
        context = stream.codec_context
        context.width, context.height = width + width % 2, height + height % 2
        context.pix_fmt = "yuv420p"
        context.time_base = self.clock
        context.thread_type = "FRAME"  # slices, the default, compress worse and only save delay
        context.flags |= av.codec.context.Flags.frame_duration | av.codec.context.Flags.global_header
        tag(context)
        if sample_aspect:
            context.sample_aspect_ratio = sample_aspect
        if self._size != (context.width, context.height):
            self.notes.append(
                f"H.264 needs even sides: {width}x{height} grew to {context.width}x{context.height} "
                "by repeating the last pixels"
            )
        return stream

    def encode(self, frame: Frame) -> list[av.Packet[Any]]:
        """Take a frame, later than those before; what packets are ready, often none yet.

        Raises:
            SinkError: the encoder failed, or was closed.
        """
        with self._working():
            before, self._waiting = self._waiting, frame
            return [] if before is None else self._encode(before, frame.pts - before.pts)

    def finish(self, last_duration: Fraction = Fraction(0)) -> list[av.Packet[Any]]:
        """The packets still held; no frame may follow.

        Args:
            last_duration: how long the last frame is shown, in seconds.

        Raises:
            SinkError: the encoder failed, or was closed.
        """
        with self._working():
            last, self._waiting = self._waiting, None
            packets = [] if last is None else self._encode(last, last_duration)
            return packets + self._encoded(None)

    def _encode(self, frame: Frame, duration: Fraction) -> list[av.Packet[Any]]:
        picture = self._convert(even(frame.pixels))
        picture.pts = self._next_ticks(frame.pts)
        picture.time_base = self.clock
        picture.duration = max(1, round(duration / self.clock))
        return self._encoded(picture)

    def _encoded(self, picture: av.VideoFrame | None) -> list[av.Packet[Any]]:
        packets: list[av.Packet[Any]] = self.stream.encode(picture)
        return packets

    def _next_ticks(self, when: Fraction) -> int:
        """The time as ticks, but later than the frame before, which encoders insist on."""
        exact = when / self.clock
        self.last_ticks = max(round(exact), self.last_ticks + 1)
        if exact.denominator != 1 and self.clock == _MILLISECOND and _ROUNDED not in self.notes:
            self.notes.append(_ROUNDED)
        return self.last_ticks

    @contextlib.contextmanager
    def _working(self) -> Iterator[None]:
        with self._lock:
            if self._closed:
                raise SinkError("the encoder was closed while it worked")
            with self._explained():
                yield

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (av.FFmpegError, OSError, ValueError) as error:
            width, height = self._size
            reason = getattr(error, "strerror", None) or error
            raise SinkError(f"the encoder cannot write pictures of {width}x{height}: {reason}") from error

    def close(self) -> None:
        """Release the encoder. May be called twice; waits while another thread encodes a frame."""
        with self._lock:
            if not self._closed:
                self._closed = True
                self._scratch.close()
                del self.stream  # its threads and pictures go with it
