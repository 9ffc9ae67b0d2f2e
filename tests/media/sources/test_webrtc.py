"""A browser's camera as a source: a WebRTC peer that sends coloured frames, over real sockets."""

from __future__ import annotations

import asyncio
import io
import sys
import threading
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from studio_show import SETTINGS, Page, Show, page, running
from waiting import eventually

from stylize_live.config import LiveSettings
from stylize_live.frame import Frame
from stylize_live.install_hints import install_command
from stylize_live.media.libraries import av
from stylize_live.media.sources import webrtc
from stylize_live.media.sources.opening import open_live_source
from stylize_live.media.sources.webrtc import BrowserSource

aiortc = pytest.importorskip("aiortc", reason="the extra 'webrtc'")

SIZE = (64, 48)
RED, BLUE = (210, 40, 60), (30, 60, 200)


class Browser:
    """What a browser does with its camera, without one: a peer in a thread of its own."""

    def __init__(self, color: tuple[int, int, int]) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self._peer = self._do(self._open(color))

    def _do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _open(self, color: tuple[int, int, int]) -> Any:
        peer = aiortc.RTCPeerConnection(aiortc.RTCConfiguration(iceServers=[]))
        peer.addTransceiver(_camera(color), direction="sendonly")
        return peer

    def offer(self) -> str:
        async def make() -> str:
            await self._peer.setLocalDescription(await self._peer.createOffer())
            return str(self._peer.localDescription.sdp)

        return str(self._do(make()))

    def accept(self, answer: str) -> None:
        self._do(self._peer.setRemoteDescription(aiortc.RTCSessionDescription(answer, "answer")))

    def close(self) -> None:
        self._do(self._peer.close())
        self._do(self._loop.shutdown_default_executor())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()


def _camera(color: tuple[int, int, int]) -> Any:
    class Camera(aiortc.VideoStreamTrack):
        async def recv(self) -> av.VideoFrame:
            pts, time_base = await self.next_timestamp()
            pixels = np.full((SIZE[1], SIZE[0], 3), color, np.uint8)
            image = av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(format="yuv420p")
            image.pts, image.time_base = pts, time_base
            return image

    return Camera()


@pytest.fixture
def browsers(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[tuple[int, int, int]], Browser]]:
    # This machine may have no other network.
    monkeypatch.setattr("aioice.ice.get_host_addresses", lambda **_: ["127.0.0.1"])
    opened: list[Browser] = []

    def make(color: tuple[int, int, int]) -> Browser:
        opened.append(Browser(color))
        return opened[-1]

    yield make
    for browser in opened:
        browser.close()


@pytest.fixture
def show(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Show]:
    monkeypatch.chdir(tmp_path)
    with running() as found:
        yield found


def call(open_page: Page, browser: Browser) -> None:
    """Send the offer of a page, take the answer."""
    open_page.words.pop("camera", None)
    open_page.say(camera=browser.offer(), set={"source": "browser"})
    open_page.until(lambda: "camera" in open_page.words)
    browser.accept(open_page.words["camera"]["answer"])


def shows(open_page: Page, color: tuple[int, int, int]) -> bool:
    """Whether the newest frame is the camera's, inverted by the fake stylizer."""
    if not open_page.images:
        return False
    pixels = np.array(Image.open(io.BytesIO(open_page.images[-1][1])))
    found = 255 - pixels.reshape(-1, 3).mean(0)
    return pixels.shape[1::-1] == SIZE and bool(np.abs(found - color).max() < 8)


def test_the_cameras_frame_comes_back_painted(
    show: Show, browsers: Callable[[tuple[int, int, int]], Browser]
) -> None:
    with page(show.port) as open_page, page(show.port) as other:
        assert not shows(open_page, RED)
        call(open_page, browsers(RED))
        open_page.until(lambda: shows(open_page, RED))
        other.until(lambda: shows(other, RED))  # all pages see it
        open_page.until_state(
            source="browser", source_name="A browser's camera", no_camera=False, image=[*SIZE]
        )
        assert open_page.words["about"]["camera"] == {"width": 64, "height": 36, "fps": 50, "missing": ""}
        other.set(source="test")  # the camera's light goes out, whoever chose
        open_page.until(lambda: open_page.words["camera"] == {"off": ""})
        open_page.until_state(source="test", image=[64, 36], no_camera=False)


def test_the_newest_camera_is_shown_and_a_page_that_leaves_takes_its_own_along(
    show: Show, browsers: Callable[[tuple[int, int, int]], Browser], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webrtc, "_SILENCE_SECONDS", 0.3)
    with page(show.port) as one:
        call(one, browsers(RED))
        one.until(lambda: shows(one, RED))
        with page(show.port) as other:
            call(other, browsers(BLUE))
            one.until(lambda: one.words["camera"] == {"off": "another page's camera is shown now"})
            one.until(lambda: shows(one, BLUE))
        one.until_state(no_camera=True, note="waiting for a browser's camera")
        call(one, browsers(RED))
        one.until(lambda: shows(one, RED))
        one.say(camera="")
        one.until_state(no_camera=True)


@pytest.mark.parametrize("offer", ["v=0", "nonsense", "m=video 9 RTP/AVP 0\r\n"])
def test_an_offer_that_is_none_is_refused(show: Show, offer: str) -> None:
    with page(show.port) as open_page:
        open_page.say(camera=offer)
        open_page.until(lambda: "camera" in open_page.words)
        assert open_page.words["camera"] == {"off": "the browser's offer of its camera was not understood"}
        seen = len(open_page.images)
        open_page.until(lambda: len(open_page.images) > seen + 3)


@pytest.mark.parametrize("length", [12_001, 20_000])
def test_an_offer_that_is_too_long_ends_the_line(show: Show, length: int) -> None:
    with page(show.port) as open_page:
        open_page.say(camera="x" * length)
        assert open_page.end() in (1008, 1009)


def test_more_than_one_video_is_refused(
    show: Show, browsers: Callable[[tuple[int, int, int]], Browser]
) -> None:
    browser = browsers(RED)
    offer = browser.offer()
    with page(show.port) as open_page:
        open_page.say(camera=offer + offer[offer.index("m=video") :].replace("mid:0", "mid:1"))
        open_page.until(lambda: "camera" in open_page.words)
        assert "not understood" in open_page.words["camera"]["off"]


def test_without_aiortc_the_page_is_told_what_to_do(show: Show, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "aiortc", None)
    with page(show.port) as open_page:
        open_page.say(camera="v=0")
        open_page.until(lambda: "camera" in open_page.words)
        assert install_command("aiortc") in open_page.words["camera"]["off"]
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert install_command("aiortc") in webrtc.why_no_browser_camera()


def test_the_show_may_begin_with_a_browsers_camera(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, browsers: Callable[[tuple[int, int, int]], Browser]
) -> None:
    monkeypatch.chdir(tmp_path)
    with running(SETTINGS.model_copy(update={"source": "browser"})) as show, page(show.port) as open_page:
        open_page.until_state(
            source="browser", no_camera=True, note="waiting for a browser's camera", image=None
        )
        assert list(open_page.words["sources"]).count("browser") == 1
        call(open_page, browsers(BLUE))
        open_page.until(lambda: shows(open_page, BLUE))


# ------------------------------------------------------------------ the source alone


def image(size: tuple[int, int], color: tuple[int, int, int], colorspace: int = 2) -> av.VideoFrame:
    """A decoded frame, made with BT.601's matrix."""
    pixels = np.full((size[1], size[0], 3), color, np.uint8)
    made = av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(
        format="yuv420p", dst_colorspace="ITU601", dst_color_range="MPEG"
    )
    made.colorspace = colorspace
    return made


def taken(source: BrowserSource, *given: av.VideoFrame) -> list[Frame]:
    """Frames of a source that is given the next frame whenever it gave one."""
    frames: list[Frame] = []
    rest = list(given)
    source.give(rest.pop(0), 1.0)
    for frame in source:
        frames.append(frame)
        if not rest:
            source.interrupt()
        else:
            source.give(rest.pop(0), 1.0 + len(frames))
    return frames


@pytest.mark.parametrize("size", [(64, 48), (1280, 720)])
def test_colors_are_those_of_browsers_in_every_size(size: tuple[int, int]) -> None:
    with BrowserSource((32, 24)) as source:
        (frame,) = taken(source, image(size, RED))
        assert source.size == size
    assert np.abs(frame.pixels.reshape(-1, 3).mean(0) - RED).max() < 3


def test_frames_may_change_their_size_and_carry_their_moments() -> None:
    with BrowserSource((32, 24)) as source:
        frames = taken(source, image((64, 48), RED), image((48, 64), BLUE), image((64, 48), RED))
    assert [(frame.size, frame.index, float(frame.pts), frame.captured_at) for frame in frames] == [
        ((64, 48), 0, 0.0, 1.0),
        ((48, 64), 1, 1.0, 2.0),
        ((64, 48), 2, 2.0, 3.0),
    ]


def test_the_newest_frame_wins() -> None:
    with BrowserSource((32, 24)) as source:
        source.give(image((64, 48), RED), 1.0)
        source.give(image((64, 48), BLUE), 2.0)
        frame = next(iter(source))
    assert frame.captured_at == 2.0
    assert np.abs(frame.pixels.reshape(-1, 3).mean(0) - BLUE).max() < 3


def test_silence_is_named_and_stopping_does_not_wait_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webrtc, "_SILENCE_SECONDS", 0.02)
    source = BrowserSource((32, 24))
    assert source.trouble == "waiting for a browser's camera"
    frames = iter(source)
    source.give(image((64, 48), RED), 1.0)
    next(frames)
    assert source.trouble is None
    ended = threading.Thread(target=lambda: [None for _ in frames])
    ended.start()
    eventually(lambda: source.trouble)
    waits: list[float] = []
    wait_for = source._arrival.wait_for
    monkeypatch.setattr(
        source._arrival, "wait_for", lambda is_so, seconds: waits.append(seconds) or wait_for(is_so, seconds)
    )
    monkeypatch.setattr(webrtc, "_SILENCE_SECONDS", 60.0)
    eventually(lambda: 60.0 in waits, "it waits for long")
    source.close()
    ended.join(2)
    assert not ended.is_alive()


def test_source_browser_is_a_source() -> None:
    with open_live_source(LiveSettings(source="browser", width=320, height=180)) as source:
        assert isinstance(source, BrowserSource)
        assert source.size == (320, 180)
