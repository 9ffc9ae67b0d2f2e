"""Shows and conversions for the matrix of faults: all parts real but stylizer, devices and screen.

Fakes stand only where no device can be: the camera, the screen and its toolkit, the microphone, the virtual
camera. The stylizer inverts frames, since no fault here is in painting.
"""

from __future__ import annotations

import itertools
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from clips import CFR, Video
from faults import Injected
from live_fakes import FakeSource, FakeStylizer
from mattes import EllipseMatte

from stylize_live.concurrency.watchdog import Patience
from stylize_live.config import ConvertSettings
from stylize_live.conversion.convert import convert
from stylize_live.engine.background_style import Look
from stylize_live.engine.continuity import TemporalOptions
from stylize_live.engine.core.render_options import RenderOptions
from stylize_live.engine.layers import LayerPlan, Layers, MainNetwork
from stylize_live.engine.lazy_backend import LazyBackend
from stylize_live.engine.matting import matte
from stylize_live.frame import Frame
from stylize_live.live.pipeline import run_live
from stylize_live.live.report import LiveReport
from stylize_live.live.sound import LiveSound, SoundChoice
from stylize_live.media.decode.reader import VideoReader
from stylize_live.media.image.io import Still, write_image
from stylize_live.media.libraries import av, cv2
from stylize_live.media.protocols import LiveSink, Source
from stylize_live.media.sinks import ndi_sink, stream_server, virtual_camera, window
from stylize_live.media.sinks.ndi_sink import NdiSink
from stylize_live.media.sinks.null_display import NullDisplay
from stylize_live.media.sinks.recorder import Recorder
from stylize_live.media.sinks.stream_server import StreamServer
from stylize_live.media.sinks.virtual_camera import VirtualCamera
from stylize_live.media.sinks.window import Window
from stylize_live.media.sources import camera as camera_module
from stylize_live.media.sources import ndi_source, screen
from stylize_live.media.sources.camera import CameraSource
from stylize_live.media.sources.devices import Camera
from stylize_live.media.sources.microphone import Microphone
from stylize_live.media.sources.ndi_source import NdiSource
from stylize_live.media.sources.network import StreamSource
from stylize_live.media.sources.realtime_file import RealtimeFileSource
from stylize_live.media.sources.screen import ScreenSource
from stylize_live.media.sources.switching import SourceChoice, SwitchingSource
from stylize_live.media.sources.test_pattern import PatternSource
from stylize_live.media.sources.webrtc import BrowserSource
from stylize_live.options import LayerOptions
from stylize_live.system.clock import monotonic

SIZE = (64, 48)
QUICK = Patience(note=2, end=6)  # seconds of a clock that runs fast once something hangs
_MORE = 4  # frames shown after the fault
_LONGEST_SHOW = 10.0  # seconds; the fault comes within some hundredths
SETTINGS = ConvertSettings(preset="ultrafast")


@dataclass
class Stage:
    """Where a test plays.

    Attributes:
        folder: for what is written.
        patch: for the devices that are faked.
        video: a short one with sound.
        injected: the fault, once it is in its place.
        notes: what the show said.
    """

    folder: Path
    patch: pytest.MonkeyPatch
    video: Path
    injected: Injected | None = None
    notes: list[str] = field(default_factory=list)

    @property
    def struck(self) -> bool:
        return self.injected is not None and self.injected.happened.is_set()


class Inverter:
    """Inverts videos."""

    fingerprint = "inverter"

    def warm_up(self, size: tuple[int, int]) -> None:
        pass

    def stream(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        for frame in frames:
            yield frame.with_image(255 - frame.pixels)


def tell_nobody(progress: object) -> None:
    """Takes a conversion's progress."""


def _convert(stage: Stage, name: str, stylizer: Inverter | LayeredStylizer | None = None) -> Path:
    target, stylizer = stage.folder / name, stylizer or Inverter()
    convert(stage.video, target, stylizer, SETTINGS, on_progress=lambda p: tell_nobody(p), patience=QUICK)
    return target


def to_mp4(stage: Stage) -> Path:
    """In segments, sound beside it."""
    return _convert(stage, "out.mp4")


def to_gif(stage: Stage) -> Path:
    """In one go."""
    return _convert(stage, "out.gif")


def to_images(stage: Stage) -> Path:
    """Numbered ones."""
    return _convert(stage, "%03d.png")


class Stylizer(FakeStylizer):
    """Its boldness is set through a method, which can be spoilt; lines can be set, too."""

    lines = 0
    followed_style = ""

    def __setattr__(self, name: str, value: object) -> None:
        if name == "boldness" and hasattr(self, "boldness"):
            self.embolden()
        super().__setattr__(name, value)

    def embolden(self) -> None:
        """Takes as long as painting some frames."""

    def follow(self, follower: object, styles: Sequence[str] = ()) -> None:
        """Follows nothing."""

    def make_movement_ready(self) -> bool:
        """Has nothing to make ready."""
        return False


class LayeredStylizer(FakeStylizer):
    """Inverts frames after real layers put people, an ellipse, in front of a file. For conversions, too."""

    fingerprint = "inverted layers"

    def __init__(self, stage: Stage, behind: Path) -> None:
        super().__init__()
        stage.patch.setattr(EllipseMatte, "made", [], raising=False)
        stage.patch.setattr(matte, "PersonMatte", EllipseMatte)
        self._plan = LayerPlan(LayerOptions(background=str(behind)))
        self._layers = Layers(LazyBackend("cpu", "float32", "auto"))

    def __call__(self, frame: Frame, /) -> Frame:
        self._layers.keeps_background = self.keeps_background
        look = cast("Look", (None, None))  # of stills, which are no part of this
        network = MainNetwork(lambda one: 255 - one.pixels, lambda pixels: 255 - pixels, look)
        painted = self._layers.paint(frame, self._plan, network, RenderOptions(), TemporalOptions(0.0))
        self.background_trouble = self._layers.trouble
        return painted

    def stream(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        return map(self, frames)

    def close(self) -> None:
        self._layers.close()


def _image(stage: Stage) -> Path:
    """Outside of the folder whose content is counted."""
    path = stage.video.with_name("a.png")
    write_image(path, Still(np.full((SIZE[1], SIZE[0], 3), 90, np.uint8)))
    return path


def before_an_image(stage: Stage) -> Path:
    return _convert_before(stage, _image(stage))


def before_a_video(stage: Stage) -> Path:
    return _convert_before(stage, stage.video)


def _convert_before(stage: Stage, behind: Path) -> Path:
    with closing(LayeredStylizer(stage, behind)) as stylizer:
        return _convert(stage, "out.mp4", stylizer)


def in_front_of_an_image(stage: Stage, wanted: str | None) -> LiveReport:
    with _steps() as source, closing(LayeredStylizer(stage, _image(stage))) as stylizer:
        return _show(stage, source, wanted=wanted, stylizer=stylizer)


def in_front_of_a_video(stage: Stage, wanted: str | None) -> LiveReport:
    with _steps() as source, closing(LayeredStylizer(stage, stage.video)) as stylizer:
        return _show(stage, source, wanted=wanted, stylizer=stylizer)


class Spectator:
    """Ends a show some frames after the fault; presses a key first, if there is one."""

    def __init__(self, stage: Stage, key: str | None, wanted: str | None) -> None:
        self._stage, self._key, self._wanted = stage, key, wanted
        self._shown = self._left = 0

    def look(self) -> None:
        self._shown += 1
        self._left += self._stage.struck

    def hear(self, *notes: str) -> None:
        self._stage.notes += [note for note in notes if note and note not in self._stage.notes]

    def key(self) -> str | None:
        if self._shown and self._key:
            key, self._key = self._key, None
            return key
        wanted = self._wanted
        heard = wanted is not None and any(wanted in note for note in ["", *self._stage.notes])
        return "q" if self._left >= _MORE and heard else None


class Toolkit(SimpleNamespace):
    """OpenCV's windows where there is no screen."""

    spectator: Spectator

    def imshow(self, title: str, pixels: np.ndarray) -> None:
        assert pixels.dtype == np.uint8

    def waitKeyEx(self, milliseconds: int) -> int:  # noqa: N802
        key = self.spectator.key()
        return -1 if key is None else ord(key)


class Audience:
    """The remote of a show: tells the spectator what is said; switches a sink on first, if it is to."""

    watched = shows = True

    def __init__(self, spectator: Spectator, switched: bool) -> None:
        self._spectator, self._switched = spectator, switched

    def attend(self, session: Any) -> None:
        self._spectator.hear(session.view.note, session.trouble)  # a source may go before anything is painted
        if session.original is not None:  # keys do nothing to a card
            self._spectator.look()
            if self._switched:
                self._switched = False
                session.switches.turn("stream", True)


def _show(
    stage: Stage,
    source: Source,
    *,
    sinks: Sequence[LiveSink] = (),
    key: str | None = None,
    wanted: str | None = "",
    microphone: str | None = None,
    adaptive_resolution: Any = None,
    switched: bool = False,
    sound: LiveSound | None = None,
    stylizer: FakeStylizer | None = None,
) -> LiveReport:
    spectator = Spectator(stage, key, wanted)
    toolkit = Toolkit(spectator=spectator, error=cv2.error)
    for name in ("cvtColor", "COLOR_RGB2BGR", "WINDOW_NORMAL", "WINDOW_FREERATIO", "WINDOW_GUI_NORMAL"):
        setattr(toolkit, name, getattr(cv2, name))
    toolkit.WND_PROP_VISIBLE = 0
    toolkit.namedWindow = toolkit.resizeWindow = toolkit.destroyWindow = lambda *_: None
    toolkit.getWindowProperty = lambda *_: 1.0
    toolkit.getWindowImageRect = lambda *_: (0, 0, 0, 0)
    stage.patch.setattr(window, "cv2", toolkit)
    stage.patch.setattr(window, "display_problem", lambda: "")
    stage.patch.setattr("stylize_live.live.recordings.open_recorder", _mute_recorder)
    with Window("show", SIZE) as display:
        return run_live(
            source,
            stylizer or Stylizer(),
            display,
            sinks=sinks,
            duration=_LONGEST_SHOW,
            snapshots=stage.folder,
            microphone=microphone,
            remote=Audience(spectator, switched),
            openers={"stream": lambda: opened()},
            sound=sound,
            adaptive_resolution=adaptive_resolution,
            patience=QUICK,
        )


def _mute_recorder(path: Path, size: tuple[int, int], rate: Fraction, microphone: str | None) -> Recorder:
    return Recorder(path, size, rate)


def _steps() -> FakeSource:
    """Frames without end, as quick as the machine."""
    source = FakeSource(10**6, gap=0.002)
    source.size = SIZE
    return source


def plain(stage: Stage, wanted: str | None) -> LiveReport:
    """A window and nothing else."""
    with _steps() as source:
        return _show(stage, source, wanted=wanted)


def bolder(stage: Stage, wanted: str | None) -> LiveReport:
    """Somebody makes the style less bold."""
    with _steps() as source:
        return _show(stage, source, key="-", wanted=wanted)


class Quiet:
    """A sink that takes everything."""

    name = "stream"
    watched = True

    def write(self, frame: Frame) -> None:
        pass

    def close(self) -> None:
        pass


def opened() -> Quiet:
    """Opens a sink that was switched on."""
    return Quiet()


def switched_on(stage: Stage, wanted: str | None) -> LiveReport:
    """Somebody switches a sink on, on a page."""
    with _steps() as source:
        return _show(stage, source, switched=True, wanted=wanted)


def snapshot(stage: Stage, wanted: str | None) -> LiveReport:
    """Somebody takes a snapshot."""
    with _steps() as source:
        return _show(stage, source, key="p", wanted=wanted)


def record_key(stage: Stage, wanted: str | None) -> LiveReport:
    """Somebody begins a recording."""
    with _steps() as source:
        return _show(stage, source, key="r", wanted=wanted)


def pattern(stage: Stage, wanted: str | None) -> LiveReport:
    with PatternSource(SIZE, 240) as source:
        return _show(stage, source, wanted=wanted)


def switching(stage: Stage, wanted: str | None) -> LiveReport:
    """As the studio has it."""
    first = PatternSource(SIZE, 240)
    with SwitchingSource(first, SourceChoice("test", lambda: PatternSource(SIZE, 240))) as source:
        return _show(stage, source, wanted=wanted)


class Capturer:
    """The screen."""

    monitors = ({}, {"left": 0, "top": 0, "width": SIZE[0], "height": SIZE[1]})

    def grab(self, area: dict[str, int]) -> SimpleNamespace:
        return SimpleNamespace(width=SIZE[0], height=SIZE[1], raw=bytes(4 * SIZE[0] * SIZE[1]))

    def __enter__(self) -> Capturer:
        return self

    def __exit__(self, *_: object) -> None:
        pass


def of_screen(stage: Stage, wanted: str | None) -> LiveReport:
    stage.patch.setattr(screen, "_capturer", Capturer)
    with ScreenSource(SIZE, 240) as source:
        return _show(stage, source, wanted=wanted)


class Capture:
    """A camera's driver, as OpenCV shows it."""

    def __init__(self, index: int, backend: int) -> None:
        pass

    def isOpened(self) -> bool:  # noqa: N802
        return True

    def set(self, key: int, value: float) -> bool:
        return True

    def get(self, key: int) -> float:
        return 30.0

    def grab(self) -> bool:
        time.sleep(0.003)
        return True

    def retrieve(self) -> tuple[bool, np.ndarray]:
        return True, self.image()

    def image(self) -> np.ndarray:
        return np.full((SIZE[1], SIZE[0], 3), 90, np.uint8)

    def read(self) -> tuple[bool, np.ndarray]:
        return self.retrieve()

    def release(self) -> None:
        pass


def of_camera(stage: Stage, wanted: str | None) -> LiveReport:
    stage.patch.setattr(camera_module.cv2, "VideoCapture", Capture)
    with CameraSource(Camera(5, "Test Camera", "/dev/video5"), SIZE, 30) as source:
        return _show(stage, source, wanted=wanted)


def of_file(stage: Stage, wanted: str | None) -> LiveReport:
    with RealtimeFileSource(VideoReader(stage.video)) as source:
        return _show(stage, source, wanted=wanted)


class _Feeder(ExitStack):
    """A stream that somebody serves, and its source."""

    def __init__(self) -> None:
        super().__init__()
        server = self.enter_context(StreamServer("0", SIZE, Fraction(60)))
        ending = threading.Event()

        def feed() -> None:
            for index in itertools.count():
                if ending.wait(0.004):
                    return
                server.write(Frame(np.full((SIZE[1], SIZE[0], 3), index % 256, np.uint8), Fraction(0), 0, 0))

        thread = threading.Thread(target=feed, name="stylize-feeder", daemon=True)
        thread.start()
        self.callback(thread.join)
        self.callback(ending.set)
        self.source = self.enter_context(StreamSource(server.url))


def of_stream(stage: Stage, wanted: str | None) -> LiveReport:
    with _Feeder() as feeder:
        reopen = StreamSource._reopen

        def reopen_once_it_was_said(source: StreamSource) -> bool:
            """On loopback a stream is back before a busy machine has drawn what is wrong."""
            return any((wanted or "") in note for note in ["", *stage.notes]) and reopen(source)

        # Not the source's own: a patch would hold one that hangs.
        stage.patch.setattr(StreamSource, "_reopen", reopen_once_it_was_said)
        return _show(stage, feeder.source, wanted=wanted)


def of_browser(stage: Stage, wanted: str | None) -> LiveReport:
    """Its frames come from another thread, as from the web server's."""
    ending = threading.Event()
    with BrowserSource(SIZE) as source:

        def give() -> None:
            while not ending.wait(0.004):
                pixels = np.full((SIZE[1], SIZE[0], 3), 120, np.uint8)
                image = av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(format="yuv420p")
                source.give(image, monotonic())

        thread = threading.Thread(target=give, name="stylize-browser", daemon=True)
        thread.start()
        try:
            return _show(stage, source, wanted=wanted)
        finally:
            ending.set()
            thread.join()


def recording(stage: Stage, wanted: str | None) -> LiveReport:
    with Recorder(stage.folder / "show.mkv", SIZE) as recorder, _steps() as source:
        return _show(stage, source, sinks=[recorder], wanted=wanted)


class InputStream:
    """A microphone that hears a little whenever it is asked."""

    def __init__(self, *, callback: Callable[..., None], **_: object) -> None:
        self.active, self.hear = True, callback

    def start(self) -> None:
        pass

    def close(self) -> None:
        self.active = False


def recording_sound(stage: Stage, wanted: str | None) -> LiveReport:
    _fake_microphone(stage)
    heard = Microphone("auto")
    with Recorder(stage.folder / "show.mkv", SIZE, microphone=heard) as recorder, _steps() as source:
        return _show(stage, source, sinks=[recorder], wanted=wanted)


def following_sound(stage: Stage, wanted: str | None) -> LiveReport:
    _fake_microphone(stage)
    with _steps() as source:
        return _show(stage, source, wanted=wanted, sound=LiveSound(SoundChoice("level:strength")))


def _fake_microphone(stage: Stage) -> None:
    module = ModuleType("sounddevice")
    device = {
        "index": 0,
        "name": "Fake",
        "max_input_channels": 1,
        "default_samplerate": 48000.0,
        "hostapi": 0,
    }
    vars(module).update(
        InputStream=InputStream,
        query_devices=lambda *_, **__: device,
        query_hostapis=lambda: ({"name": "ALSA", "default_input_device": 0},),
        PortAudioError=RuntimeError,
    )
    stage.patch.setitem(sys.modules, "sounddevice", module)


def streaming(stage: Stage, wanted: str | None) -> LiveReport:
    """Somebody reads the stream."""
    stage.patch.setattr(stream_server, "_CLOSE_SECONDS", 0.2)
    with StreamServer("0", SIZE) as server, _steps() as source:
        with socket.create_connection(("127.0.0.1", int(server.url.rpartition(":")[2]))) as reader:
            thread = threading.Thread(target=_read_all, args=(reader,), name="stylize-reader", daemon=True)
            thread.start()
            report = _show(stage, source, sinks=[server], wanted=wanted)
            server.close()
            thread.join()
        return report


def _read_all(reader: socket.socket) -> None:
    with suppress(OSError):
        while reader.recv(1 << 16):
            pass


class Loopback:
    """A virtual camera's driver, as pyvirtualcam wants one."""

    def __init__(self, **_: object) -> None:
        pass

    def send(self, frame: np.ndarray) -> None:
        pass

    def device(self) -> str:
        return "/dev/video10"

    def native_fourcc(self) -> None:
        return None

    def close(self) -> None:
        pass


def to_virtual_camera(stage: Stage, wanted: str | None) -> LiveReport:
    pyvirtualcam = pytest.importorskip("pyvirtualcam")
    stage.patch.setattr(pyvirtualcam.camera, "BACKENDS", {"loopback": Loopback})
    stage.patch.setattr(virtual_camera, "list_cameras", list)
    stage.patch.setattr(virtual_camera, "_HANGING_SECONDS", 0.05)
    stage.patch.setattr(virtual_camera, "_CLOSE_SECONDS", 0.2)
    with VirtualCamera("auto", SIZE, 240) as sink, _steps() as source:
        return _show(stage, source, sinks=[sink], wanted=wanted)


class NdiNetwork:
    """What NDI's library sends to and receives from; somebody looks."""

    name, rate, receivers = "HOUSE (stage)", Fraction(30), 1

    def __init__(self, *_: object) -> None:
        pass

    def send(self, pixels: np.ndarray) -> None:
        pass

    def connect(self) -> bool:
        return True

    def take(self) -> np.ndarray:
        return self.image()

    def image(self) -> np.ndarray:
        return np.full((SIZE[1], SIZE[0], 3), 90, np.uint8)

    def close(self) -> None:
        pass


def to_ndi(stage: Stage, wanted: str | None) -> LiveReport:
    stage.patch.setattr(ndi_sink, "NdiSender", NdiNetwork)
    stage.patch.setattr(ndi_sink, "_CLOSE_SECONDS", 0.2)
    with NdiSink("auto", SIZE) as sink, _steps() as source:
        return _show(stage, source, sinks=[sink], wanted=wanted)


def of_ndi(stage: Stage, wanted: str | None) -> LiveReport:
    stage.patch.setattr(ndi_source, "list_sources", lambda seconds: [NdiNetwork.name])
    stage.patch.setattr(ndi_source, "NdiReceiver", NdiNetwork)
    with NdiSource("") as source:
        return _show(stage, source, wanted=wanted)


class Nobody(NullDisplay):
    """No window; ends the show some looks after the fault."""

    def __init__(self, stage: Stage, wanted: str | None) -> None:
        super().__init__(watched=False)
        self._spectator = Spectator(stage, None, wanted)

    def poll(self) -> str | None:
        self._spectator.look()
        return self._spectator.key()


def alone(stage: Stage, wanted: str | None) -> LiveReport:
    """Without a window: a recording is all there is."""
    with Recorder(stage.folder / "show.mkv", SIZE) as recorder, _steps() as source:
        return run_live(
            source,
            Stylizer(),
            Nobody(stage, wanted),
            sinks=[recorder],
            duration=_LONGEST_SHOW,
            patience=QUICK,
        )


def short_video(folder: Path) -> Path:
    """Twelve frames and half a second of sound."""
    return Video(CFR, SIZE, sound="aac").write(folder / "video.mp4")
