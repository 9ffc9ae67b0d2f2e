"""A video that comes over the network."""

from __future__ import annotations

import time
from collections.abc import Iterator
from fractions import Fraction
from urllib.parse import urlsplit, urlunsplit

from stylize_live.errors import SourceError
from stylize_live.frame import Frame
from stylize_live.media.colour import ToRgb
from stylize_live.media.libraries import av
from stylize_live.media.live_source import LiveSource
from stylize_live.media.paced import PacedSource

_OPEN_SECONDS = 10.0
_READ_SECONDS = 5.0
# No waiting for packets in order or for a better guess of the stream. "nobuffer" is not among these:
# it throws away what was read for the guess, the key frame with it, and saves nothing here, since a
# burst of old pictures at the start is dropped down to the newest.
_LOW_DELAY = {
    "rtsp_transport": "tcp",
    "max_delay": "500000",
    "analyzeduration": "1000000",
}


class StreamSource(LiveSource):
    """Frames of a network stream, passed on as they arrive.

    Args:
        url: anything FFmpeg opens: rtsp, http, rtmp, srt, udp, tcp.

    Attributes:
        finite: whether it has an end, so that it comes faster than real time and wants pacing.

    Raises:
        SourceError: nothing answers within ten seconds, or what answers is no video.
    """

    def __init__(self, url: str) -> None:
        self._shown_url = without_password(url)
        try:
            self._container = av.open(
                url, container_options=_LOW_DELAY, timeout=(_OPEN_SECONDS, _READ_SECONDS)
            )
        except (av.FFmpegError, OSError, ValueError) as error:
            raise SourceError(f"{self._shown_url}: {_reason(error)}") from None
        if not self._container.streams.video:
            self._container.close()
            raise SourceError(f"{self._shown_url}: no video in this stream")
        self._video = self._container.streams.video[0]
        # Frame threads decode faster, but hold back one picture each.
        self._video.thread_type = "SLICE"
        self._video.codec_context.flags |= av.codec.context.Flags.low_delay
        self.finite = _finite(self._container)
        super().__init__((self._video.width, self._video.height), _rate(self._video))

    def __iter__(self) -> Iterator[Frame]:
        to_rgb = ToRgb()
        start = time.monotonic()
        index = 0
        while (picture := self._next()) is not None:
            captured_at = time.monotonic()
            if picture.pts is None or picture.time_base is None:
                pts = Fraction(round((captured_at - start) * 1e6), 10**6)
            else:
                pts = picture.pts * picture.time_base
            yield Frame(to_rgb(picture, self.size), pts, captured_at, index)
            index += 1

    def _next(self) -> av.VideoFrame | None:
        """The next picture; None at the end or when asked to stop."""
        with self._device_lock:
            if self._ending.is_set():
                return None
            try:
                return next(self._container.decode(self._video), None)
            except av.EOFError:
                return None
            except (av.FFmpegError, OSError) as error:
                raise SourceError(f"{self._shown_url}: {_reason(error)}") from None

    def _release(self) -> None:
        self._container.close()


def open_stream(url: str) -> LiveSource:
    """Open a URL; a video with an end is played in real time. Raises `SourceError`."""
    stream = StreamSource(url)
    return PacedSource(stream) if stream.finite else stream


def without_password(url: str) -> str:
    """The URL as it may be shown: user and password of a camera do not belong on a terminal."""
    parts = urlsplit(url)
    if "@" not in parts.netloc:
        return url
    return urlunsplit(parts._replace(netloc="***@" + parts.netloc.rpartition("@")[2]))


def _finite(container: av.container.InputContainer) -> bool:
    """Whether this is a file on a server, or comes in bursts of seconds as HLS does."""
    has_end = (container.duration or 0) > 0 or container.size > 0
    return has_end or container.format.name in ("hls", "dash")


def _rate(video: av.VideoStream) -> Fraction | None:
    rate = video.average_rate or video.guessed_rate
    return Fraction(rate) if rate else None


def _reason(error: Exception) -> str:
    if isinstance(error, av.ExitError):
        return f"no answer within {_READ_SECONDS:.0f} to {_OPEN_SECONDS:.0f} seconds"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error)
