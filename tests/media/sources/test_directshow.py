"""A camera of Windows: settings in the order that works, true moments, no long stall; what macOS allows."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
import pytest

from stylize_live.errors import SourceError
from stylize_live.media.libraries import cv2
from stylize_live.media.sources import camera as camera_module
from stylize_live.media.sources.camera import CameraSource
from stylize_live.media.sources.devices import Camera
from stylize_live.system import capture_rights

WEBCAM = Camera(1, "Integrated Webcam", "usb", cv2.CAP_DSHOW)
MJPEG, YUY2 = (float(cv2.VideoWriter.fourcc(*code)) for code in ("MJPG", "YUY2"))
HD = (1280, 720)
FRAME_SECONDS, WAITING_SECONDS = 1 / 30, 1.0


class DirectShow:
    """OpenCV's `VideoCapture` there: a change of size or rate forgets the code; `retrieve` waits, not `grab`.

    Args:
        images: how many come before the camera stalls.
    """

    def __init__(self, images: int) -> None:
        self.now = 100.0
        self.size, self.rate, self.code = [640, 480], 30.0, YUY2
        self.tries = 0
        self._images = images

    def __call__(self, index: int, backend: int) -> DirectShow:
        assert (index, backend) == (1, cv2.CAP_DSHOW)
        return self

    def isOpened(self) -> bool:  # noqa: N802
        return True

    def set(self, key: int, value: float) -> bool:
        if key == cv2.CAP_PROP_FOURCC:
            self.code = value
            return True
        if key == cv2.CAP_PROP_FPS:
            self.rate = value
        elif key in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT):
            self.size[key == cv2.CAP_PROP_FRAME_HEIGHT] = int(value)
        else:
            return False
        self.code = YUY2
        return True

    def get(self, key: int) -> float:
        width, height = self.size
        return {
            cv2.CAP_PROP_FRAME_WIDTH: float(width),
            cv2.CAP_PROP_FRAME_HEIGHT: float(height),
            cv2.CAP_PROP_FPS: self.rate,
            cv2.CAP_PROP_FOURCC: self.code,
        }[key]

    def grab(self) -> bool:
        return True

    def retrieve(self) -> tuple[bool, np.ndarray | None]:
        self.tries += 1
        if self._images == 0:
            self.now += WAITING_SECONDS
            return False, None
        self._images -= 1
        self.now += FRAME_SECONDS
        return True, np.zeros((self.size[1], self.size[0], 3), np.uint8)

    read = retrieve

    def release(self) -> None:
        pass


@pytest.fixture
def plug(monkeypatch: pytest.MonkeyPatch) -> Iterator[object]:
    def plug(images: int) -> DirectShow:
        device = DirectShow(images)
        monkeypatch.setattr(cv2, "VideoCapture", device)
        monkeypatch.setattr(camera_module, "monotonic", lambda: device.now)
        return device

    return plug


def test_the_code_is_set_last_and_stays(plug, caplog: pytest.LogCaptureFixture) -> None:
    device = plug(3)
    with caplog.at_level("INFO"), CameraSource(WEBCAM, HD, 60) as source:
        assert source.size == HD
        assert source.rate == 60
    assert (device.code, device.rate) == (MJPEG, 60)
    assert "says 1280x720 at 60 fps in MJPG" in caplog.text


def test_the_moment_is_that_of_the_frame(plug) -> None:
    """Not that before the wait for it, which is a frame early."""
    device = plug(4)
    with CameraSource(WEBCAM, HD, 30) as source:
        opened = device.now
        frames = list(itertools.islice(source, 3))
    assert [frame.captured_at - opened for frame in frames] == pytest.approx(
        [FRAME_SECONDS, 2 * FRAME_SECONDS, 3 * FRAME_SECONDS]
    )


def test_a_stalled_camera_is_given_up_soon(plug, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each try waits a second with the lock held that closing needs."""
    device = plug(2)
    with CameraSource(WEBCAM, HD, 30) as source:
        monkeypatch.setattr(source, "_lose", source.interrupt)
        began, tried = device.now, device.tries
        assert len(list(source)) == 1
    assert device.tries - tried == 1 + 3
    assert device.now - began < 3.5


def test_one_that_gives_nothing_is_an_error_soon(plug) -> None:
    device = plug(0)
    with pytest.raises(SourceError, match="gives no frame"):
        CameraSource(WEBCAM, HD, 30)
    assert device.now - 100 < 10


@pytest.mark.parametrize(
    ("right", "message"),
    [("refused", "is not allowed: allow the terminal in .*, Camera, and"), ("asking", "macOS is asking")],
)
def test_macos_without_permission_opens_nothing(
    right: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(camera_module, "ask_for_camera", lambda: right)
    monkeypatch.setattr(cv2, "VideoCapture", lambda *_: pytest.fail("opened"))
    with pytest.raises(SourceError, match=message):
        CameraSource(WEBCAM, HD, 30)


def test_macos_waits_for_the_user_on_the_main_thread(plug, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capture_rights.sys, "platform", "darwin")
    monkeypatch.setattr(capture_rights, "_ask", lambda medium, what, *, wait: "granted" if wait else "asking")
    plug(2)
    with CameraSource(WEBCAM, HD, 30) as source:
        assert source.size == HD
