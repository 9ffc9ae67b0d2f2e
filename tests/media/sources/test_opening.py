"""Live sources: what is opened for which words, and that frames come in time, in RGB, and end."""

from __future__ import annotations

import http.server
import itertools
import socket
import threading
from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from live_fakes import FakeSource, make_frame
from servers import Server
from waiting import StandingClock, eventually, promptly

from stylize_live.config import LiveSettings
from stylize_live.errors import NoCameraError, SourceError
from stylize_live.frame import Frame
from stylize_live.media.libraries import av, cv2
from stylize_live.media.sources import camera as camera_module
from stylize_live.media.sources import devices, live_source, screen
from stylize_live.media.sources import realtime_file as paced_source
from stylize_live.media.sources.camera import CameraSource
from stylize_live.media.sources.devices import Camera
from stylize_live.media.sources.live_source import LiveSource, Metronome
from stylize_live.media.sources.network import StreamSource, open_network_stream, without_password
from stylize_live.media.sources.opening import names_file, open_live_source
from stylize_live.media.sources.realtime_file import RealtimeFileSource
from stylize_live.media.sources.screen import ScreenSource
from stylize_live.media.sources.test_pattern import PatternSource
from stylize_live.system.clock import monotonic

FRAMES = 10
RED = (200, 30, 30)


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten frames of red at 50 fps in MPEG-TS, which can be read from a pipe."""
    path = tmp_path_factory.mktemp("clips") / "red.ts"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg2video", rate=50)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        image = np.full((48, 64, 3), RED, np.uint8)
        for index in range(FRAMES):
            frame = av.VideoFrame.from_ndarray(image, "rgb24")
            frame.pts = index
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def settings(source: str, **others: Any) -> LiveSettings:
    return LiveSettings(source=source, **others)


def assert_red(frame: Frame) -> None:
    assert np.abs(frame.pixels.astype(int) - RED).max() < 25, frame.pixels[0, 0]
    assert frame.pixels.flags.c_contiguous


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> StandingClock:
    """What live sources wait by."""
    clock = StandingClock()
    for module in (live_source, paced_source):
        monkeypatch.setattr(module, "monotonic", clock.monotonic)
    return clock


def paced(inner: FakeSource, clock: StandingClock) -> RealtimeFileSource:
    """A source whose waits end at once, and take their time on the clock."""
    source = RealtimeFileSource(inner)
    source._ending = clock
    return source


_INTERFACE = "{65e8773d-8f56-11d0-a3b9-00a0c9223196}"  # of cameras, to Windows


class TestChoice:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("clip.mp4", True),
            ("./clip", True),
            ("C:\\clips\\one", True),
            ("0", False),
            ("12", False),
            ("/dev/video0", False),
            ("HD Webcam C920", False),
            ("USB 2.0", False),
            ("USB2.0 Camera", False),
            ("rtsp://camera/video.mp4", False),
            # As `devices` shows cameras of Windows.
            (rf"\\?\usb#vid_046d&pid_0825&mi_00#7&1a2b&0&0000#{_INTERFACE}\global", False),
            (rf"\\?\ROOT#CAMERA#0000#{_INTERFACE.upper()}\GLOBAL", False),
            (rf"@device:sw:{_INTERFACE}\OBS", False),
            (r"\\?\C:\clips\a very long path\one.mp4", True),
            (r"\\server\clips\one", True),
        ],
    )
    def test_paths_and_names(self, text: str, expected: bool) -> None:
        assert names_file(text) is expected

    def test_files_and_folders_by_the_name_of_a_source(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        for name in ("test", "7", "holidays"):
            Path(name).mkdir()
        Path("screen").write_bytes(b"")
        assert [names_file(name) for name in ("test", "screen", "7", "holidays")] == [False] * 3 + [True]

    def test_pattern(self) -> None:
        with open_live_source(settings("test", width=64, height=36, fps=5)) as source:
            assert isinstance(source, PatternSource)
            assert (source.size, source.rate, source.is_live) == ((64, 36), 5, True)

    def test_missing_file(self) -> None:
        for name in ("gone.mp4", "~gone.mp4"):
            with pytest.raises(SourceError, match=rf"^{name}: no such file"):
                open_live_source(settings(name))

    @pytest.mark.parametrize("name", [".", "Phone Videos", "./Phone Videos"])
    def test_folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
        monkeypatch.chdir(tmp_path)
        Path("Phone Videos").mkdir()
        with pytest.raises(SourceError, match="is a folder, expected a video"):
            open_live_source(settings(name))

    def test_a_name_that_is_too_long_is_a_camera(self) -> None:
        with pytest.raises(SourceError, match="no camera"):
            open_live_source(settings("a" * 300))

    def test_no_video(self, tmp_path: Path) -> None:
        path = tmp_path / "words.mp4"
        path.write_text("no video")
        with pytest.raises(SourceError, match=r"words\.mp4"):
            open_live_source(settings(str(path)))

    def test_no_camera(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(devices, "find_cameras", list)
        with pytest.raises(NoCameraError, match="no camera '0'"):
            open_live_source(settings("0"))

    def test_file_plays_in_real_time_and_ends(self, clip: Path) -> None:
        start = monotonic()
        with open_live_source(settings(str(clip))) as source:
            frames = list(source)
        assert len(frames) == FRAMES
        assert monotonic() - start >= (FRAMES - 1) / 50
        assert_red(frames[0])


class TestPattern:
    def test_images(self) -> None:
        source = PatternSource((64, 36), 30)
        first = source.image(0)
        assert first.shape == (36, 64, 3)
        assert first.dtype == np.uint8
        assert first.flags.c_contiguous
        assert np.array_equal(first, source.image(0))
        assert not np.array_equal(first, source.image(10))

    @pytest.mark.parametrize("size", [(16, 16), (17, 33)])
    def test_any_size(self, size: tuple[int, int]) -> None:
        source = PatternSource(size, 30)
        assert {source.image(tick).shape for tick in range(0, 300, 7)} == {(size[1], size[0], 3)}

    def test_pace_and_interrupt(self, clock: StandingClock) -> None:
        source = PatternSource((16, 16), 100)
        source._ending = clock
        start = clock.now
        frames = list(itertools.islice(source, 6))
        assert clock.now - start == pytest.approx(0.05)
        assert frames[-1].pts == Fraction(frames[-1].index, 100)
        source.interrupt()
        assert list(source) == []
        source.close()
        source.close()


def test_metronome_keeps_its_phase_and_leaves_out_what_was_missed(clock: StandingClock) -> None:
    start = clock.now
    late = {}
    for tick in itertools.islice(Metronome(50, clock), 4):
        late[tick] = clock.now - start - tick / 50
        if tick == 0:
            clock.wait(0.05)  # misses tick 1, and 2 partly
    assert late == {0: 0, 2: pytest.approx(0.01), 3: pytest.approx(0), 4: pytest.approx(0)}


class TestPaced:
    def test_frames_are_held_back_until_due(self, clock: StandingClock) -> None:
        class Inner(FakeSource):
            def __iter__(self) -> Iterator[Frame]:
                return (make_frame(index * 2) for index in range(4))

        start = clock.now
        for frame in paced(Inner(), clock):
            assert frame.captured_at == clock.now == pytest.approx(start + float(frame.pts))

    def test_late_frames_are_not_delayed_further(self, clock: StandingClock) -> None:
        def stall(index: int) -> None:
            if index == 1:
                clock.wait(0.2)

        start = clock.now
        frames = list(paced(FakeSource(7, stall, gap=0), clock))
        assert len(frames) == 7
        # 0.2 s cover all seven frames of 1/30 s: after the stall they come at once.
        assert clock.now - start == pytest.approx(0.2)

    def test_interrupt_ends_a_long_wait(self) -> None:
        class Slow(FakeSource):
            def __iter__(self) -> Iterator[Frame]:
                yield make_frame(0)
                yield make_frame(3000)

        inner = Slow()
        source = RealtimeFileSource(inner)
        timer = threading.Timer(0.05, source.interrupt)
        timer.start()
        with promptly():
            assert len(list(source)) == 1
        timer.join()
        source.close()
        source.close()
        assert inner.closed == 1


def test_close_does_not_wait_for_a_device_that_hangs(caplog: pytest.LogCaptureFixture) -> None:
    inside, release = threading.Event(), threading.Event()

    def hang(index: int) -> None:
        inside.set()
        release.wait(10)

    inner = FakeSource(1, hang)
    source = RealtimeFileSource(inner)
    thread = threading.Thread(target=lambda: list(source), name="stylize-test")
    thread.start()
    inside.wait(5)
    with promptly():
        source.close()
    assert inner.closed == 0
    assert "does not answer" in caplog.text
    release.set()
    thread.join()
    source.close()
    assert inner.closed == 1


class TestStreams:
    def test_live_stream_is_passed_on(self, clip: Path) -> None:
        server = Server(clip.read_bytes())
        with open_network_stream(f"tcp://127.0.0.1:{server.port}") as source:
            assert isinstance(source, StreamSource)
            assert source.size == (64, 48)
            frames = list(itertools.islice(source, FRAMES - 1))
        server.close()
        assert_red(frames[-1])
        assert all(a.pts < b.pts for a, b in itertools.pairwise(frames))

    def test_a_stream_that_breaks_off_is_opened_anew(
        self, clip: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(live_source, "_BACK_OFF", (0.01, 0.02))
        monkeypatch.setattr(live_source, "_PATIENCE_SECONDS", 0.05)
        server = Server(clip.read_bytes(), clip.read_bytes())
        frames: list[Frame] = []
        with open_network_stream(f"tcp://127.0.0.1:{server.port}") as source:
            with pytest.raises(SourceError, match=r"tcp://127\.0\.0\.1:\d+ vanished and did not come back"):
                frames.extend(source)
            assert source.trouble is not None
            assert source.trouble.endswith("is gone, waiting for it")
        server.close()
        assert len(frames) >= 2 * (FRAMES - 1)
        assert [frame.index for frame in frames] == list(range(len(frames)))
        assert all(a.pts < b.pts for a, b in itertools.pairwise(frames))

    def test_a_video_with_an_end_is_paced(self, clip: Path) -> None:
        handler = partial(QuietHandler, directory=str(clip.parent))
        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
            thread = threading.Thread(target=server.serve_forever, args=(0.01,), name="stylize-test-server")
            thread.start()
            with open_network_stream(f"http://127.0.0.1:{server.server_port}/{clip.name}") as source:
                assert isinstance(source, RealtimeFileSource)
                start = monotonic()
                count = len(list(source))
            server.shutdown()
            thread.join()
        assert count == FRAMES
        assert monotonic() - start >= (FRAMES - 1) / 50

    def test_interrupted_stream_ends(self, clip: Path) -> None:
        with open_network_stream(clip.as_uri()) as source:
            source.interrupt()
            assert list(source) == []

    def test_nobody_answers(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as closed:
            port = closed.getsockname()[1]
        with pytest.raises(SourceError, match=rf"tcp://\*\*\*@127\.0\.0\.1:{port}: .*refused"):
            open_network_stream(f"tcp://me:secret@127.0.0.1:{port}")

    def test_unknown_kind_of_url(self) -> None:
        with pytest.raises(SourceError, match="nonsense://here"):
            open_live_source(settings("nonsense://here"))

    def test_passwords_are_not_shown(self) -> None:
        assert without_password("rtsp://me:s3@cret@host:554/x?y") == "rtsp://***@host:554/x?y"
        assert without_password("http://host/a@b") == "http://host/a@b"


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


class FakeShot:
    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self.raw = bytes((*RED[::-1], 0)) * (width * height)  # BGRA


class FakeCapturer:
    monitors: list[dict[str, int]] = [  # noqa: RUF012
        {"left": 0, "top": 0, "width": 999, "height": 999},
        {"left": 0, "top": 0, "width": 320, "height": 200},
    ]

    def grab(self, area: dict[str, int]) -> FakeShot:
        return FakeShot(area["width"], area["height"])

    def __enter__(self) -> FakeCapturer:
        return self

    def __exit__(self, *_: object) -> None:
        pass


class TestScreen:
    @pytest.mark.parametrize(
        ("limit", "size"), [((640, 360), (320, 200)), ((160, 200), (160, 100)), ((320, 50), (80, 50))]
    )
    def test_size_and_color(
        self, limit: tuple[int, int], size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(screen, "_capturer", FakeCapturer)
        with ScreenSource(limit, 200) as source:
            frames = list(itertools.islice(source, 2))
        assert source.size == frames[0].size == size
        assert_red(frames[1])

    @pytest.mark.parametrize(
        ("marks", "size"),
        [
            ((False, True), (300, 200)),
            ((True, False), (200, 100)),
            ((False, False), (200, 100)),
            ((None, None), (200, 100)),
        ],
    )
    def test_the_primary_screen_need_not_be_the_first(
        self, marks: tuple[bool | None, ...], size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        desktop = {"left": -200, "top": 0, "width": 500, "height": 200}
        left = {"left": -200, "top": 0, "width": 200, "height": 100}
        right = {"left": 0, "top": 0, "width": 300, "height": 200}
        for monitor, mark in zip((left, right), marks, strict=True):
            if mark is not None:  # systems that do not tell have no such entry
                monitor["is_primary"] = mark
        monkeypatch.setattr(FakeCapturer, "monitors", [desktop, left, right])
        monkeypatch.setattr(screen, "_capturer", FakeCapturer)
        assert screen.screen_size() == size
        with ScreenSource((640, 360), 200) as source:
            assert source.size == size

    @pytest.mark.parametrize(("right", "told"), [("refused", True), ("granted", False), ("unknown", False)])
    def test_macos_without_permission_shows_the_wallpaper_and_says_so(
        self, right: str, told: bool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        monkeypatch.setattr(screen, "_capturer", FakeCapturer)
        monkeypatch.setattr(screen, "ask_for_screen", lambda: right)
        with ScreenSource((640, 360), 200) as source:
            frames = list(itertools.islice(source, 2))
            assert ("only the wallpaper" in (source.trouble or "")) is told
        assert len(frames) == 2
        assert (
            "only the wallpaper is seen; recording the screen is not allowed: allow the terminal in"
            in caplog.text
        ) is told

    def test_no_display(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("DISPLAY", raising=False)
        monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)

        def refuse(*_: object, **__: object) -> None:
            raise OSError("no display")

        monkeypatch.setattr(screen.mss, "MSS", refuse, raising=False)
        monkeypatch.setattr(screen.mss, "mss", refuse)
        with pytest.raises(SourceError, match="no screen to capture"):
            open_live_source(settings("screen"))


CAMERA = Camera(3, "Test Camera", "/dev/video3")


class FakeCapture:
    """A camera that gives blue, green and red frames for as long as its script says.

    `script` holds, for each device that is opened, the answers to `grab`; then it is gone.
    """

    script: list[list[bool]] = []  # noqa: RUF012
    opened: list[FakeCapture] = []  # noqa: RUF012

    def __init__(self, index: int, backend: int) -> None:
        self.index = index
        self.answers = list(self.script.pop(0)) if self.script else []
        self.isopen = bool(self.answers)
        self.settings: dict[int, float] = {}
        self.releases = 0
        self.opened.append(self)

    def isOpened(self) -> bool:  # noqa: N802
        return self.isopen

    def set(self, key: int, value: float) -> bool:
        self.settings[key] = value
        return True

    def get(self, key: int) -> float:
        if key == cv2.CAP_PROP_FOURCC:
            return float(cv2.VideoWriter.fourcc(*"YUYV"))
        return 29.97 if key == cv2.CAP_PROP_FPS else 0.0

    def grab(self) -> bool:
        return self.answers.pop(0) if self.answers else False

    def retrieve(self) -> tuple[bool, np.ndarray]:
        return True, np.full((48, 64, 3), RED[::-1], np.uint8)

    def read(self) -> tuple[bool, np.ndarray | None]:
        return self.retrieve() if self.grab() else (False, None)

    def release(self) -> None:
        self.releases += 1


@pytest.fixture
def plug(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[FakeCapture]]:
    """Set what the camera does each time it is opened."""

    def plug(*script: list[bool]) -> list[FakeCapture]:
        monkeypatch.setattr(FakeCapture, "script", list(script))
        monkeypatch.setattr(FakeCapture, "opened", [])
        monkeypatch.setattr(cv2, "VideoCapture", FakeCapture)
        monkeypatch.setattr(camera_module, "find_cameras", lambda: [Camera(5, "Test Camera", "/dev/video5")])
        monkeypatch.setattr(live_source, "_BACK_OFF", (0.01, 0.02))
        monkeypatch.setattr(camera_module.os, "access", lambda *_: True)
        return FakeCapture.opened

    return plug


class TestCamera:
    def test_frames_and_settings(self, plug: Callable[..., list[FakeCapture]]) -> None:
        opened = plug([True] * 9)
        with CameraSource(CAMERA, (1280, 720), 60) as source:
            frames = list(itertools.islice(source, 3))
        assert source.size == (64, 48)
        assert source.rate == Fraction(2997, 100)
        assert opened[0].settings[cv2.CAP_PROP_FRAME_WIDTH] == 1280
        assert opened[0].settings[cv2.CAP_PROP_FPS] == 60
        assert next(iter(opened[0].settings)) == cv2.CAP_PROP_FOURCC
        assert_red(frames[0])
        assert [frame.index for frame in frames] == [0, 1, 2]
        assert frames[0].pts == 0 < frames[1].pts < frames[2].pts
        assert opened[0].releases == 1

    def test_what_the_camera_says_is_logged(
        self, plug: Callable[..., list[FakeCapture]], caplog: pytest.LogCaptureFixture
    ) -> None:
        plug([True])
        with caplog.at_level("INFO"):
            CameraSource(CAMERA, (1280, 720), 30).close()
        assert "says 0x0 at 29.97 fps in YUYV; asked for 1280x720 at 30 in MJPG" in caplog.text

    def test_it_is_opened_by_number_again_where_there_is_no_list(
        self, plug: Callable[..., list[FakeCapture]], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail() -> list[Camera]:
            raise SourceError("the list of cameras cannot be read")

        opened = plug([True, True], [True] * 9)
        monkeypatch.setattr(camera_module, "find_cameras", fail)
        with CameraSource(CAMERA, (64, 48), 30) as source:
            assert [frame.index for frame in itertools.islice(source, 3)] == [0, 1, 2]
        assert [capture.index for capture in opened] == [3, 3]

    def test_slow_starters_get_a_second_chance(self, plug: Callable[..., list[FakeCapture]]) -> None:
        plug([False, False, True])
        CameraSource(CAMERA, (64, 48), 30).close()

    def test_busy(self, plug: Callable[..., list[FakeCapture]]) -> None:
        plug([])
        with pytest.raises(SourceError, match=r"camera 3 \(Test Camera\) .*busy"):
            CameraSource(CAMERA, (64, 48), 30)

    def test_no_frame(self, plug: Callable[..., list[FakeCapture]]) -> None:
        opened = plug([False] * 99)
        with pytest.raises(SourceError, match="gives no frame"):
            CameraSource(CAMERA, (64, 48), 30)
        assert opened[0].releases == 1

    @pytest.mark.linux
    def test_not_allowed(
        self, plug: Callable[..., list[FakeCapture]], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        plug([])
        monkeypatch.setattr(camera_module.os, "access", lambda *_: False)
        monkeypatch.setattr(camera_module.sys, "platform", "linux")
        with pytest.raises(SourceError, match="no permission for /dev/video3"):
            CameraSource(CAMERA, (64, 48), 30)

    def test_it_vanishes_and_comes_back_under_another_number(
        self, plug: Callable[..., list[FakeCapture]]
    ) -> None:
        opened = plug([True, True, True], [], [True] * 9)
        with CameraSource(CAMERA, (64, 48), 30) as source:
            frames = list(itertools.islice(source, 5))
            assert source.trouble is None
        assert [frame.index for frame in frames] == [0, 1, 2, 3, 4]
        assert [capture.index for capture in opened] == [3, 5, 5]
        assert opened[0].releases == opened[2].releases == 1

    def test_it_never_comes_back(
        self, plug: Callable[..., list[FakeCapture]], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        plug([True])
        monkeypatch.setattr(live_source, "_PATIENCE_SECONDS", 0.05)
        with CameraSource(CAMERA, (64, 48), 30) as source, pytest.raises(SourceError, match="did not come"):
            list(source)

    def test_waiting_for_it_can_be_interrupted(
        self, plug: Callable[..., list[FakeCapture]], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        plug([True])
        monkeypatch.setattr(live_source, "_BACK_OFF", (30.0,))
        source: LiveSource = CameraSource(CAMERA, (64, 48), 30)
        thread = threading.Thread(target=lambda: list(source), name="stylize-test")
        thread.start()
        eventually(lambda: source.trouble)
        assert source.trouble == "Test Camera is gone, waiting for it"
        with promptly():
            source.close()
            thread.join()
