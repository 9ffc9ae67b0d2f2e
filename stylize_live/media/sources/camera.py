"""A camera, opened by OpenCV."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from fractions import Fraction

import numpy as np

from stylize_live.errors import NoCameraError, SourceError
from stylize_live.frame import Frame, Pixels
from stylize_live.media.libraries import cv2
from stylize_live.media.sources.devices import Camera, find_cameras
from stylize_live.media.sources.live_source import LiveSource
from stylize_live.media.sources.placeholder_detector import PlaceholderDetector
from stylize_live.system.capture_rights import ask_for_camera, how_to_allow
from stylize_live.system.clock import monotonic

log = logging.getLogger(__name__)

_FIRST_TRIES, _FIRST_SECONDS = 10, 8.0
# Tries in a row that fail, and seconds after which no other begins: DirectShow waits a second in each.
_BAD_FRAMES, _STALL_SECONDS = 15, 2.0
_SELECT_SECONDS = "2"
_MJPEG = cv2.VideoWriter.fourcc(*"MJPG")


class CameraSource(LiveSource):
    """Frames of a camera.

    Size and rate are what the camera gave, not what was asked. A camera that vanishes is looked
    for again, by name, for a minute; meanwhile `trouble` says so and no frame comes. It also says when
    a camera gives black frames, or a virtual one what may be its placeholder.

    Args:
        camera: one from `find_camera`.
        size: (width, height) in pixels to ask for; a camera takes the nearest it has.
        fps: frames per second to ask for.

    Attributes:
        camera: which one it is; another number after it was plugged in again.

    Raises:
        SourceError: the camera is busy, forbidden or gives no frame.
    """

    camera: Camera

    def __init__(self, camera: Camera, size: tuple[int, int], fps: int) -> None:
        self.camera = camera
        self._asked = (size, fps)
        self._device, image = _open(camera, size, fps)
        rate = self._device.get(cv2.CAP_PROP_FPS)
        super().__init__(
            (image.shape[1], image.shape[0]), Fraction(rate).limit_denominator(1001) if rate > 0 else None
        )

    def __iter__(self) -> Iterator[Frame]:
        index = 0
        start: float | None = None
        detector = PlaceholderDetector(self.camera)
        while not self._ending.is_set():
            taken = self._take()
            if taken is None:
                self._lose()
                continue
            captured_at, pixels = taken
            start = captured_at if start is None else start
            self.trouble = detector.check(pixels, captured_at)
            yield Frame(pixels, Fraction(round((captured_at - start) * 1e6), 10**6), captured_at, index)
            index += 1

    def _take(self) -> tuple[float, Pixels] | None:
        """The next frame and its moment, or None when the camera is gone."""
        give_up = monotonic() + _STALL_SECONDS
        for _ in range(_BAD_FRAMES):
            with self._device_lock:
                if self._ending.is_set() or not self._device.grab():
                    return None
                # Before decoding: a large JPEG takes several milliseconds, which count as latency.
                captured_at = monotonic()
                ok, bgr = self._device.retrieve()
                if self.camera.backend == cv2.CAP_DSHOW:  # waits for the frame there, not in `grab`
                    captured_at = monotonic()
            if ok:
                return captured_at, np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)
            if monotonic() > give_up:
                break
        return None

    def _lose(self) -> None:
        """Give up a device that is gone and wait for it."""
        with self._device_lock:
            if self._ending.is_set():
                return
            self._device.release()
        self._reconnect(self.camera.name, self._reopen)

    def _reopen(self) -> bool:
        with self._device_lock:
            if self._ending.is_set():
                return False
            try:
                camera = _same_camera(self.camera)
                self._device, _ = _open(camera, *self._asked)
            except SourceError:
                return False
        self.camera = camera
        return True

    def _release(self) -> None:
        self._device.release()


def _same_camera(lost: Camera) -> Camera:
    """A camera plugged in again often gets another number: the name decides, the path is preferred."""
    try:
        cameras = find_cameras()
    except SourceError:  # no list can be had
        return lost
    named = [camera for camera in cameras if camera.name == lost.name and camera.captures]
    for camera in named:
        if camera.path == lost.path:
            return camera
    if not named:
        raise NoCameraError(f"{lost.name} is not there")
    return named[0]


def _open(camera: Camera, size: tuple[int, int], fps: int) -> tuple[cv2.VideoCapture, Pixels]:
    """Open a camera and wait for its first frame (BGR), so that errors come early."""
    # OpenCV waits ten seconds for each frame of a stalled camera unless told otherwise.
    os.environ.setdefault("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", _SELECT_SECONDS)
    _check_allowed(camera)
    device = cv2.VideoCapture(camera.index, camera.backend)
    if not device.isOpened():
        raise SourceError(_explain_closed(camera))
    _ask(device, camera, size, fps)
    give_up = monotonic() + _FIRST_SECONDS
    for _ in range(_FIRST_TRIES):
        ok, image = device.read()
        if ok:
            return device, np.asarray(image, np.uint8)
        if monotonic() > give_up:
            break
    device.release()
    raise SourceError(f"camera {camera.index} ({camera.name}) gives no frame; is another program using it?")


def _ask(device: cv2.VideoCapture, camera: Camera, size: tuple[int, int], fps: int) -> None:
    """Ask for size, rate and JPEG: uncompressed frames of 1080 lines get 5 fps through USB 2."""
    size_and_rate = {
        cv2.CAP_PROP_FRAME_WIDTH: size[0],
        cv2.CAP_PROP_FRAME_HEIGHT: size[1],
        cv2.CAP_PROP_FPS: fps,
    }
    code = {cv2.CAP_PROP_FOURCC: _MJPEG}
    # DirectShow forgets the code at each change of size or rate; elsewhere the sizes depend on the code.
    asked = size_and_rate | code if camera.backend == cv2.CAP_DSHOW else code | size_and_rate
    for key, value in (asked | {cv2.CAP_PROP_BUFFERSIZE: 1}).items():
        device.set(key, value)
    given = [device.get(key) for key in size_and_rate]
    log.info(
        "camera %d (%s) says %gx%g at %g fps in %s; asked for %dx%d at %d in MJPG",
        *(camera.index, camera.name, *given, _code_name(device.get(cv2.CAP_PROP_FOURCC)), *size, fps),
    )


def _code_name(code: float) -> str:
    """Four letters, or the number where they are none: some systems count their codes."""
    letters = int(code).to_bytes(8, "little", signed=True)[:4]
    return letters.decode("ascii") if all(32 < letter < 127 for letter in letters) else f"code {code:g}"


def _check_allowed(camera: Camera) -> None:
    """Raise `SourceError` where macOS does not let us see cameras; ask the user first."""
    right = ask_for_camera()
    if right == "asking":
        raise SourceError(f"camera {camera.index}: macOS is asking whether it is allowed; try again then")
    if right == "refused":
        raise SourceError(f"camera {camera.index} is not allowed: {how_to_allow('Camera')}")


def _explain_closed(camera: Camera) -> str:
    who = f"camera {camera.index} ({camera.name})"
    if sys.platform.startswith("linux") and camera.path and not os.access(camera.path, os.R_OK | os.W_OK):
        return f"{who}: no permission for {camera.path}; add your user to the group 'video' and log in again"
    if sys.platform == "darwin":
        return f"{who} cannot be opened; close other programs that use it, or {how_to_allow('Camera')}"
    return f"{who} is busy or broken; close other programs that use it"
