"""A video that comes over the network."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from stylize_live.errors import SourceError
from stylize_live.frame import Frame
from stylize_live.media.decode.container import AS_STORED
from stylize_live.media.decode.frame_converter import FrameConverter
from stylize_live.media.decode.video_decoder import open_decoder
from stylize_live.media.formats.limits import DECODER_OPTIONS, check_video_size, stream_options
from stylize_live.media.formats.tags import TAG_ERRORS
from stylize_live.media.libraries import av
from stylize_live.media.sources.live_source import LiveSource
from stylize_live.media.sources.realtime_file import RealtimeFileSource
from stylize_live.system.clock import monotonic

log = logging.getLogger(__name__)

_OPEN_SECONDS = 10.0
_READ_SECONDS = 5.0
_FIRST_FRAME_SECONDS = 30.0  # surveillance cameras send a key frame every 20 seconds, some of them
_LEAST_GAP = Fraction(1, 1000)  # seconds
# No waiting for packets in order or for a better guess of the stream. "nobuffer" is not among these:
# it throws away what was read for the guess, the key frame with it, and saves nothing here, since a
# burst of old frames at the start is dropped down to the newest.
_LOW_DELAY = {
    **AS_STORED,
    "rtsp_transport": "tcp",
    "max_delay": "500000",
    "analyzeduration": "1000000",
}


class StreamSource(LiveSource):
    """Frames of a network stream, upright, passed on as they arrive; damaged frames are left out.

    One without an end that breaks off is opened anew, for a minute; meanwhile `trouble` says so and no
    frame comes. Frames keep the size that the first ones had.

    Args:
        url: anything FFmpeg opens: rtsp, http, rtmp, srt, udp, tcp.

    Attributes:
        finite: whether it has an end, so that it comes faster than real time and wants pacing.

    Raises:
        SourceError: nothing answers within ten seconds, or what answers is no video or shows no frame.
    """

    def __init__(self, url: str) -> None:
        super().__init__((0, 0), None)
        self._url = url
        self._connection = _Connection(url, self._ending.is_set)
        self.finite = _has_end(self._connection.container)
        video = self._connection.video
        self._converter = FrameConverter(
            self._connection.first,
            video.sample_aspect_ratio,
            codec=video.codec_context.name,
            note=lambda what: log.info("%s: %s", without_password(url), what),
        )
        self.size, self.rate = self._converter.size, _rate(video)

    def __iter__(self) -> Iterator[Frame]:
        start = monotonic()
        shift: Fraction | None = Fraction(0)  # of the stream's clock, which begins anew with each connection
        last = Fraction(0)
        index = 0
        while not self._ending.is_set():
            decoded = self._next()
            if decoded is None:
                if self.finite or self._ending.is_set():
                    return
                self._reconnect(without_password(self._url), self._reopen)
                shift = None
                continue
            captured_at = monotonic()
            since_start = Fraction(round((captured_at - start) * 1e6), 10**6)
            if decoded.pts is None or decoded.time_base is None:
                pts = since_start
            else:
                pts = decoded.pts * decoded.time_base
                shift = max(since_start, last + _LEAST_GAP) - pts if shift is None else shift
                pts += shift
            last = pts
            pixels, _ = self._converter(decoded)
            yield Frame(pixels, pts, captured_at, index)
            index += 1

    def _next(self) -> av.VideoFrame | None:
        """The next frame; None at the end, when the stream breaks off or when asked to stop."""
        with self._device_lock:
            if self._ending.is_set():
                return None
            try:
                return next(self._connection.frames, None)
            except av.EOFError:
                return None
            except (av.FFmpegError, OSError) as error:
                if not self.finite:
                    log.info("%s: %s", without_password(self._url), _reason(error))
                    return None
                raise _source_error(self._url, error) from None

    def _reopen(self) -> bool:
        with self._device_lock:
            self._connection.close()
        try:  # may take half a minute: `close` need not wait for it
            connection = _Connection(self._url, self._ending.is_set)
        except SourceError:
            return False
        with self._device_lock:
            if self._ending.is_set():
                connection.close()
                return False
            self._connection = connection
            return True

    def _release(self) -> None:
        self._connection.close()


class _Connection:
    """A stream that was opened and has shown a frame.

    Attributes:
        container: opened.
        video: its video.
        first: its first frame that is whole.
        frames: all of them.

    Args:
        url: of the stream.
        stopping: whether to stop waiting for frames.

    Raises:
        SourceError: as `StreamSource` does.
    """

    def __init__(self, url: str, stopping: Callable[[], bool]) -> None:
        self._name, self._stopping = without_password(url), stopping
        try:
            self.container = av.open(
                url,
                options=DECODER_OPTIONS,
                container_options=_LOW_DELAY | stream_options(url),
                timeout=(_OPEN_SECONDS, _READ_SECONDS),
                metadata_errors=TAG_ERRORS,
            )
        except (av.FFmpegError, OSError, ValueError) as error:
            raise _source_error(url, error) from None
        try:
            if not self.container.streams.video:
                raise SourceError(f"{self._name}: no video in this stream")
            self.video = self.container.streams.video[0]
            check_video_size(self.video, self._name)
            self.first, self.frames = self._decode()
        except (av.FFmpegError, OSError) as error:
            self.close()
            raise _source_error(url, error) from None
        except BaseException:
            self.close()
            raise

    def _decode(self) -> tuple[av.VideoFrame, Iterator[av.VideoFrame]]:
        # Frame threads decode faster, but hold back one frame each.
        self.video.thread_type = "SLICE"
        self.video.codec_context.flags |= av.codec.context.Flags.low_delay
        self._give_up = monotonic() + _FIRST_FRAME_SECONDS
        decoder = open_decoder(self.video, lambda what: log.debug("%s: %s", self._name, what))
        frames = decoder.frames(self._packets())
        first = next(frames, None)
        if first is None:
            raise SourceError(f"{self._name}: shows no frame that can be decoded")
        self._give_up = float("inf")
        return first, itertools.chain([first], frames)

    def _packets(self) -> Iterator[av.Packet[Any]]:
        # One for all: each call of `demux` leaves a few hundred bytes behind.
        for packet in self.container.demux(self.video):
            if self._stopping() or monotonic() > self._give_up:
                return
            yield packet

    def close(self) -> None:
        """Hang up."""
        self.container.close()


def open_network_stream(url: str) -> LiveSource:
    """Open a URL; a video with an end is played in real time. Raises `SourceError`."""
    stream = StreamSource(url)
    return RealtimeFileSource(stream) if stream.finite else stream


def without_password(url: str) -> str:
    """The URL as it may be shown: user and password of a camera do not belong on a terminal."""
    parts = urlsplit(url)
    if "@" not in parts.netloc:
        return url
    return urlunsplit(parts._replace(netloc="***@" + parts.netloc.rpartition("@")[2]))


def _has_end(container: av.container.InputContainer) -> bool:
    """Whether this is a file on a server, or comes in bursts of seconds as HLS does."""
    has_end = (container.duration or 0) > 0 or container.size > 0
    return has_end or container.format.name in ("hls", "dash")


def _rate(video: av.VideoStream) -> Fraction | None:
    rate = video.average_rate or video.guessed_rate
    return Fraction(rate) if rate else None


def _source_error(url: str, error: Exception) -> SourceError:
    return SourceError(f"{without_password(url)}: {_reason(error)}")


def _reason(error: Exception) -> str:
    if isinstance(error, av.ExitError):
        return f"no answer within {_READ_SECONDS:.0f} to {_OPEN_SECONDS:.0f} seconds"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error)
