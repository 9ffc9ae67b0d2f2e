"""The virtual camera, through pyvirtualcam's own Camera and a backend that keeps what it is sent."""

from __future__ import annotations

import itertools
import sys
import threading
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from live_fakes import FakeDisplay, FakeSource, FakeStylizer, make_frame
from waiting import eventually

from stylize_live.cli.app import main
from stylize_live.errors import SinkError, UsageError
from stylize_live.frame import Frame
from stylize_live.install_hints import install_command
from stylize_live.live.pipeline import run_live
from stylize_live.media.sinks import virtual_camera
from stylize_live.media.sinks.virtual_camera import VirtualCamera
from stylize_live.media.sources.devices import Camera
from stylize_live.media.sources.live_source import Metronome

pyvirtualcam = pytest.importorskip("pyvirtualcam")
LOOPBACK = Camera(10, "OBS Virtual Camera", "/dev/video10", virtual=True)
SECOND = Camera(11, "OBS Virtual Camera 2", "/dev/video11", virtual=True)
WEBCAM = Camera(0, "HD Webcam", "/dev/video0")


class Kept:
    """A backend in memory, as pyvirtualcam wants one."""

    opened: ClassVar[list[Kept]] = []
    breaks_after = 10**9
    broke = threading.Event()

    def __init__(self, *, width: int, height: int, fps: float, fourcc: int, device: str | None) -> None:
        if device in ("missing", "/dev/video99"):
            raise RuntimeError("'missing' not found")
        self.asked = (width, height, fps, fourcc)
        self.path = device or "/dev/video10"
        self.sent: list[np.ndarray] = []
        self.times: list[float] = []
        self.closed = 0
        Kept.opened.append(self)

    def send(self, frame: np.ndarray) -> None:
        if len(self.sent) >= Kept.breaks_after:
            Kept.broke.set()
            raise OSError("unplugged")
        self.times.append(time.monotonic())
        self.sent.append(frame.copy())

    def device(self) -> str:
        return self.path

    def native_fourcc(self) -> None:
        return None

    def close(self) -> None:
        self.closed += 1


@pytest.fixture(autouse=True)
def backend(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Kept]]:
    """Our backend in place of the system's; two loopback devices and a webcam."""
    before = dict(pyvirtualcam.camera.BACKENDS)
    pyvirtualcam.camera.BACKENDS.clear()
    pyvirtualcam.register_backend("kept", Kept)
    monkeypatch.setattr(Kept, "opened", [])
    monkeypatch.setattr(Kept, "broke", threading.Event())
    monkeypatch.setattr(virtual_camera, "list_cameras", lambda: [WEBCAM, LOOPBACK, SECOND])
    monkeypatch.setattr(virtual_camera.sys, "platform", "linux")
    yield Kept
    pyvirtualcam.camera.BACKENDS.clear()
    pyvirtualcam.camera.BACKENDS.update(before)


def colored(size: tuple[int, int], color: tuple[int, int, int]) -> Frame:
    return Frame(np.full((size[1], size[0], 3), color, np.uint8), Fraction(0), 0.0, 0)


def wait_for(count: int, camera: Kept) -> None:
    eventually(lambda: len(camera.sent) >= count, f"{count} frames are sent")


@pytest.mark.linux
def test_red_stays_red_and_the_last_frame_is_repeated(
    backend: type[Kept], monkeypatch: pytest.MonkeyPatch
) -> None:
    ticks: list[int] = []

    class Counted(Metronome):
        def __iter__(self) -> Iterator[int]:
            for tick in super().__iter__():
                ticks.append(tick)
                yield tick

    monkeypatch.setattr(virtual_camera, "Metronome", Counted)
    with VirtualCamera("auto", (64, 36), 100) as sink:
        assert sink.device == "/dev/video10"
        (camera,) = backend.opened
        eventually(lambda: len(ticks) > 3)
        assert camera.sent == []  # nothing to show yet
        sink.write(colored((64, 36), (200, 30, 10)))
        wait_for(5, camera)
        sink.write(colored((64, 36), (1, 2, 3)))
        wait_for(len(camera.sent) + 3, camera)
    assert camera.asked[:3] == (64, 36, 100)
    assert camera.asked[3] == int.from_bytes(b"raw ", "little")  # libyuv's name of R, G, B in memory
    assert camera.sent[0].reshape(36, 64, 3)[0, 0].tolist() == [200, 30, 10]
    assert camera.sent[-1].reshape(36, 64, 3)[35, 63].tolist() == [1, 2, 3]
    assert camera.closed == 1


def test_the_rate_is_ours_and_not_the_source_s(backend: type[Kept]) -> None:
    with VirtualCamera("auto", (64, 36), 50) as sink:
        (camera,) = backend.opened
        written = itertools.count()

        def one_more() -> bool:
            sink.write(make_frame(next(written), (64, 36)))
            return len(camera.times) > 15

        eventually(one_more, "the camera gets frames")
        seconds = camera.times[-1] - camera.times[0]
    assert len(camera.times) <= seconds * 50 + 2
    assert len(camera.times) < next(written)


@pytest.mark.parametrize("size", [(63, 35), (128, 72), (36, 64)])
def test_any_size_of_frame_fits(size: tuple[int, int], backend: type[Kept]) -> None:
    with VirtualCamera("auto", (63, 35), 100) as sink:
        sink.write(colored(size, (9, 8, 7)))
        (camera,) = backend.opened
        wait_for(1, camera)
    assert camera.asked[:2] == (64, 36)
    assert camera.sent[0].reshape(36, 64, 3)[18, 32].tolist() == [9, 8, 7]


@pytest.mark.linux
@pytest.mark.parametrize(
    ("wanted", "device"),
    [
        ("OBS Virtual Camera", "/dev/video10"),
        ("camera 2", "/dev/video11"),
        ("11", "/dev/video11"),
        ("/dev/video10", "/dev/video10"),
        ("7", "/dev/video7"),
    ],
)
def test_by_name_number_or_path(wanted: str, device: str) -> None:
    with VirtualCamera(wanted, (64, 36), 30) as sink:
        assert sink.device == device


def test_other_systems_know_cameras_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(virtual_camera.sys, "platform", "win32")
    with VirtualCamera("camera 2", (64, 36), 30) as sink:
        assert sink.device == "OBS Virtual Camera 2"


def test_a_part_that_fits_several() -> None:
    with pytest.raises(UsageError, match=r"fits several virtual cameras: 10: .*, 11: "):
        VirtualCamera("obs", (64, 36), 30)


@pytest.mark.parametrize("wanted", ["10", "auto"])
def test_our_own_source_is_refused(wanted: str, backend: type[Kept]) -> None:
    with pytest.raises(UsageError, match="OBS Virtual Camera is our source and cannot be"):
        VirtualCamera(wanted, (64, 36), 30, LOOPBACK)
    assert [camera.closed for camera in backend.opened] == ([1] if wanted == "auto" else [])
    VirtualCamera("11", (64, 36), 30, LOOPBACK).close()
    VirtualCamera("auto", (64, 36), 30, WEBCAM).close()


@pytest.mark.parametrize(
    ("platform", "command"),
    [("linux", "sudo modprobe v4l2loopback"), ("win32", "winget install"), ("darwin", "brew install")],
)
def test_advice_where_there_is_none(platform: str, command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(virtual_camera.sys, "platform", platform)
    monkeypatch.setattr(virtual_camera, "list_cameras", lambda: [WEBCAM])
    with pytest.raises(SinkError, match=f"'missing' cannot be opened: .*{command}.*not found"):
        VirtualCamera("missing", (64, 36), 30)


def test_advice_is_given_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def camera(**_: object) -> None:
        asked = "Did you run 'modprobe v4l2loopback'? See also pyvirtualcam's documentation."
        raise RuntimeError(
            f"'v4l2loopback' backend: No v4l2 loopback device found at /dev/video[0-99]. {asked}\n"
        )

    monkeypatch.setattr("pyvirtualcam.Camera", camera)
    monkeypatch.setattr(virtual_camera.sys, "platform", "linux")
    monkeypatch.setattr(virtual_camera, "list_cameras", list)
    with pytest.raises(
        SinkError, match=r"^no virtual camera: make one .*found at /dev/video\[0-99\].\)$"
    ) as told:
        VirtualCamera("auto", (64, 36), 30)
    assert str(told.value).count("modprobe") == 1


def test_advice_where_there_is_another() -> None:
    with pytest.raises(SinkError, match="available: 10: OBS Virtual Camera"):
        VirtualCamera("missing", (64, 36), 30)


def test_without_pyvirtualcam(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setitem(sys.modules, "pyvirtualcam", None)
    words = "live --source test --width 48 --height 32 --no-window"
    assert main([*words.split(), "--virtual-camera"]) == UsageError.exit_code
    assert install_command("pyvirtualcam") in capsys.readouterr().err


def test_a_camera_that_breaks_is_said_and_the_show_goes_on(
    backend: type[Kept], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Kept, "breaks_after", 3)

    def wait(index: int) -> None:
        if index == 2:
            Kept.broke.wait(5)

    display = FakeDisplay()
    with VirtualCamera("auto", (32, 24), 100) as sink:
        report = run_live(FakeSource(9, wait, gap=0.03), FakeStylizer(), display, sinks=[sink])
    error = report.outputs["virtual camera"].error
    assert error == "virtual camera: /dev/video10 takes no more frames: unplugged"
    assert display.indices[-1] == 8
    assert backend.opened[0].closed == 1


def test_the_command_feeds_it(
    tiny_style: Path, backend: type[Kept], capsys: pytest.CaptureFixture[str]
) -> None:
    words = f"live --source test --width 48 --height 32 --no-window --duration 0.5 --style {tiny_style}"
    assert main([*words.split(), "--virtual-camera", "OBS Virtual Camera"]) == 0
    said: Any = capsys.readouterr()
    assert "virtual camera: /dev/video10" in said.err
    assert "virtual camera: " in said.out
    (camera,) = backend.opened
    assert camera.asked[:3] == (48, 32, 30)
    assert camera.closed == 1
    assert len(camera.sent) >= 1
