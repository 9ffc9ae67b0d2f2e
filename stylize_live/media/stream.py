"""A video that comes over the network."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from fractions import Fraction
from urllib.parse import urlsplit, urlunsplit

from stylize_live.errors import SourceError
from stylize_live.frame import Frame
from stylize_live.media.colour import SITED_LEFT, ToRgb
from stylize_live.media.container import AS_STORED
from stylize_live.media.libraries import av
from stylize_live.media.live_source import LiveSource
from stylize_live.media.paced import PacedSource
from stylize_live.media.picture_times import PictureTimes

log = logging.getLogger(__name__)

_OPEN_SECONDS = 10.0
_READ_SECONDS = 5.0
_LEAST_GAP = Fraction(1, 1000)  # seconds
# No waiting for packets in order or for a better guess of the stream. "nobuffer" is not among these:
# it throws away what was read for the guess, the key frame with it, and saves nothing here, since a
# burst of old pictures at the start is dropped down to the newest.
_LOW_DELAY = {
    **AS_STORED,
    "rtsp_transport": "tcp",
    "max_delay": "500000",
    "analyzeduration": "1000000",
}


class StreamSource(LiveSource):
    """Frames of a network stream, passed on as they arrive.

    One without an end that breaks off is opened anew, for a minute; meanwhile `trouble` says so and no
    frame comes. Frames keep the size that the first ones had.

    Args:
        url: anything FFmpeg opens: rtsp, http, rtmp, srt, udp, tcp.

    Attributes:
        finite: whether it has an end, so that it comes faster than real time and wants pacing.

    Raises:
        SourceError: nothing answers within ten seconds, or what answers is no video.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._use(*_connect(url))
        self.finite = _finite(self._container)
        super().__init__((self._video.width, self._video.height), _rate(self._video))

    def __iter__(self) -> Iterator[Frame]:
        to_rgb = ToRgb(sited_left=self._video.codec_context.name in SITED_LEFT)
        start = time.monotonic()
        shift: Fraction | None = Fraction(0)  # of the stream's clock, which begins anew with each connection
        last = Fraction(0)
        index = 0
        while not self._ending.is_set():
            picture = self._next()
            if picture is None:
                if self.finite or self._ending.is_set():
                    return
                self._find_again(without_password(self._url), self._reopen)
                shift = None
                continue
            captured_at = time.monotonic()
            since_start = Fraction(round((captured_at - start) * 1e6), 10**6)
            ticks = self._times.best(picture)
            if ticks is None or picture.time_base is None:
                pts = since_start
            else:
                pts = ticks * picture.time_base
                shift = max(since_start, last + _LEAST_GAP) - pts if shift is None else shift
                pts += shift
            last = pts
            yield Frame(to_rgb(picture, self.size), pts, captured_at, index)
            index += 1

    def _next(self) -> av.VideoFrame | None:
        """The next picture; None at the end, when the stream breaks off or when asked to stop."""
        with self._device_lock:
            if self._ending.is_set():
                return None
            try:
                return next(self._pictures, None)
            except av.EOFError:
                return None
            except (av.FFmpegError, OSError) as error:
                if not self.finite:
                    log.info("%s: %s", without_password(self._url), _reason(error))
                    return None
                raise _source_error(self._url, error) from None

    def _reopen(self) -> bool:
        with self._device_lock:
            self._container.close()
        try:
            container, video = _connect(self._url)  # may take ten seconds: `close` need not wait for it
        except SourceError:
            return False
        with self._device_lock:
            if self._ending.is_set():
                container.close()
                return False
            self._use(container, video)
            return True

    def _use(self, container: av.container.InputContainer, video: av.VideoStream) -> None:
        self._container, self._video = container, video
        # One for all pictures: each call of `decode` leaves a few hundred bytes behind.
        self._pictures, self._times = container.decode(video), PictureTimes()

    def _release(self) -> None:
        self._container.close()


def _connect(url: str) -> tuple[av.container.InputContainer, av.VideoStream]:
    try:
        container = av.open(url, container_options=_LOW_DELAY, timeout=(_OPEN_SECONDS, _READ_SECONDS))
    except (av.FFmpegError, OSError, ValueError) as error:
        raise _source_error(url, error) from None
    if not container.streams.video:
        container.close()
        raise SourceError(f"{without_password(url)}: no video in this stream")
    video = container.streams.video[0]
    # Frame threads decode faster, but hold back one picture each.
    video.thread_type = "SLICE"
    video.codec_context.flags |= av.codec.context.Flags.low_delay
    return container, video


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


def _source_error(url: str, error: Exception) -> SourceError:
    return SourceError(f"{without_password(url)}: {_reason(error)}")


def _reason(error: Exception) -> str:
    if isinstance(error, av.ExitError):
        return f"no answer within {_READ_SECONDS:.0f} to {_OPEN_SECONDS:.0f} seconds"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error)
