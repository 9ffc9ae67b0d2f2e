"""The camera of a browser, received over WebRTC.

`CameraPeer` is the receiver, in the event loop of a web server; `BrowserSource` is what live runs from.
aiortc is imported when the first browser calls, see `load`.
"""

from __future__ import annotations

import asyncio
import importlib.util
import logging
import re
import threading
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import TYPE_CHECKING

from stylize_live.errors import SourceError, UsageError
from stylize_live.frame import Frame, Pixels
from stylize_live.install_hints import install_command
from stylize_live.media.color.colorspace import Colorspace, ToRgb
from stylize_live.media.libraries import av
from stylize_live.media.sources.live_source import LiveSource
from stylize_live.system.clock import monotonic

if TYPE_CHECKING:
    from aiortc import MediaStreamTrack

log = logging.getLogger(__name__)

_WAITING = "waiting for a browser's camera"
_SILENCE_SECONDS = 2.0
_MISSING = f"a browser's camera needs aiortc: {install_command('aiortc')}"
_UNSPECIFIED = 2  # AVCOL_SPC_UNSPECIFIED
# Chromium and Safari begin with 300 kbit/s, and take minutes to find that there is room for more.
_FIRST_KILOBITS = 2500
_VP8 = re.compile(r"a=rtpmap:(\d+) VP8/90000\r\n")

Give = Callable[[av.VideoFrame, float], None]


class BrowserSource(LiveSource):
    """Frames of whatever browser sends its camera; the newest wins. Waits for one as long as it takes.

    Args:
        size: (width, height) in pixels until the first frame comes, which has its own.
    """

    def __init__(self, size: tuple[int, int]) -> None:
        super().__init__(size, None)
        self.trouble = _WAITING
        self._newest: tuple[av.VideoFrame, float] | None = None
        self._arrival = threading.Condition()

    def give(self, frame: av.VideoFrame, captured_at: float) -> None:
        """Hand a frame over; replaces one that was not taken yet. Any thread may call this.

        Args:
            frame: as it was decoded; not changed by anybody afterwards.
            captured_at: monotonic seconds at which it had come.
        """
        with self._arrival:
            self._newest = frame, captured_at
            self._arrival.notify_all()

    def __iter__(self) -> Iterator[Frame]:
        to_rgb = ToRgb(sited_left=True)  # browsers send H.264 or VP8
        start: float | None = None
        index = 0
        while not self._ending.is_set():
            taken = self._take()
            if taken is None:
                self.trouble = _WAITING
                continue
            frame, captured_at = taken
            start = captured_at if start is None else start
            pixels = _convert(frame, to_rgb)
            self.size = (pixels.shape[1], pixels.shape[0])
            self.trouble = None
            yield Frame(pixels, Fraction(round((captured_at - start) * 1e6), 10**6), captured_at, index)
            index += 1

    def _take(self) -> tuple[av.VideoFrame, float] | None:
        """The newest frame; None when asked to stop, or when none came for two seconds."""
        with self._arrival:
            self._arrival.wait_for(lambda: self._newest or self._ending.is_set(), _SILENCE_SECONDS)
            taken, self._newest = self._newest, None
            return taken

    def interrupt(self) -> None:
        """Ask the iteration to end soon. Any thread may call this at any time."""
        super().interrupt()
        with self._arrival:
            self._arrival.notify_all()

    def _release(self) -> None:
        with self._arrival:
            self._newest = None
            self._arrival.notify_all()


def _convert(frame: av.VideoFrame, to_rgb: ToRgb) -> Pixels:
    # Browsers convert cameras to BT.601 in every size, and do not say so.
    if frame.colorspace == _UNSPECIFIED:
        frame.colorspace = Colorspace.ITU601
    return to_rgb(frame)


class CameraPeer:
    """One browser that sends its camera. Everything happens in the event loop that calls `answer`.

    Only addresses of this machine's own networks are offered, no server elsewhere is asked.

    Args:
        give: called with every frame and the monotonic second at which it had come.
    """

    def __init__(self, give: Give) -> None:
        from aiortc import RTCConfiguration, RTCPeerConnection

        self._give = give
        self._peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._peer.add_listener("track", self._receive)
        self._tasks: list[asyncio.Task[None]] = []

    async def answer(self, offer: str) -> str:
        """Get ready to receive; SDP of the answer, with all addresses.

        Args:
            offer: SDP, with all addresses; one video and nothing else.

        Raises:
            SourceError: it is no such offer.
        """
        from aiortc import RTCSessionDescription

        try:
            await self._peer.setRemoteDescription(RTCSessionDescription(offer, "offer"))
            kinds = [transceiver.kind for transceiver in self._peer.getTransceivers()]
            if kinds != ["video"] or self._peer.sctp is not None:
                raise ValueError("not one video")
            await self._peer.setLocalDescription(await self._peer.createAnswer())
        except Exception as error:  # aiortc reads offers by many hands, each with its own exceptions
            log.info("an offer that was not understood: %r", error)
            await self.close()
            raise SourceError("the browser's offer of its camera was not understood") from None
        return _VP8.sub(
            rf"\g<0>a=fmtp:\g<1> x-google-start-bitrate={_FIRST_KILOBITS}\r\n",
            self._peer.localDescription.sdp,
        )

    def _receive(self, track: MediaStreamTrack) -> None:
        self._tasks.append(asyncio.ensure_future(self._take(track)))

    async def _take(self, track: MediaStreamTrack) -> None:
        from aiortc.mediastreams import MediaStreamError

        while True:
            try:
                frame = await track.recv()
            except MediaStreamError:
                return
            if isinstance(frame, av.VideoFrame):
                self._give(frame, monotonic())

    async def close(self) -> None:
        """Hang up. May be called again."""
        await self._peer.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


def why_no_browser_camera() -> str:
    """What to do before a browser's camera can be received; "" where nothing is missing."""
    return "" if importlib.util.find_spec("aiortc") else _MISSING


def load_aiortc() -> None:
    """Import what `CameraPeer` needs; takes a second the first time.

    Raises:
        UsageError: aiortc is not installed.
    """
    try:
        import aiortc  # noqa: F401
    except ImportError:
        raise UsageError(_MISSING) from None
