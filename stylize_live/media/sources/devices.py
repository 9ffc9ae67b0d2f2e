"""Which cameras there are, and which of them the user means."""

from __future__ import annotations

import logging
import sys
from dataclasses import dataclass
from pathlib import Path

from stylize_live.errors import NoCameraError, SourceError
from stylize_live.media.libraries import cv2

log = logging.getLogger(__name__)

_NODES = Path("/dev")
_CLASS = Path("/sys/class/video4linux")
_VIRTUAL_NAMES = (
    "obs virtual",
    "obs-camera",
    "v4l2loopback",
    "dummy video device",
    "unity video capture",
    "virtual camera",
    "vcam",
)


@dataclass(frozen=True, slots=True)
class Camera:
    """A camera that this machine knows of.

    Attributes:
        index: the number by which OpenCV opens it.
        name: what the system calls it.
        path: device node or system path, "" where there is none.
        backend: OpenCV's interface to it, such as `cv2.CAP_V4L2`.
        virtual: whether a program feeds it, as OBS does.
        captures: whether frames can be read from it now; a virtual camera may have to be started.
        modes: such as ("MJPG 1920x1080", ...), largest first; empty where asking is not cheap.
    """

    index: int
    name: str
    path: str = ""
    backend: int = cv2.CAP_ANY
    virtual: bool = False
    captures: bool = True
    modes: tuple[str, ...] = ()


def list_cameras() -> list[Camera]:
    """All cameras, by number; none is opened for capturing. None, and a warning, where no list can be had."""
    try:
        return find_cameras()
    except SourceError as error:
        log.warning("%s", error)
        return []


def find_cameras() -> list[Camera]:
    """As `list_cameras`, but raises `SourceError` where no list can be had; numbers can still be opened."""
    if sys.platform.startswith("linux"):
        return _linux_cameras()
    return _enumerate_cameras(_backend())


def _backend() -> int:
    """OpenCV's interface to the cameras of Windows or macOS."""
    return int(cv2.CAP_DSHOW if sys.platform == "win32" else cv2.CAP_AVFOUNDATION)


def _linux_cameras() -> list[Camera]:
    from stylize_live.media.sources.v4l2 import query

    cameras = []
    for node in _NODES.glob("video*"):
        digits = node.name.removeprefix("video")
        if not digits.isdigit():
            continue
        device = query(node, _sysfs_name(node.name))
        if not device.captures and not device.takes:
            continue  # cameras have a second node for metadata
        virtual = "loopback" in device.driver.lower() or is_virtual_name(device.name)
        modes = tuple(f"{mode.fourcc} {mode.width}x{mode.height}" for mode in device.modes)
        cameras.append(
            Camera(int(digits), device.name, str(node), cv2.CAP_V4L2, virtual, device.captures, modes)
        )
    return sorted(cameras, key=lambda camera: camera.index)


def _sysfs_name(node: str) -> str:
    try:
        return (_CLASS / node / "name").read_text(encoding="utf-8", errors="replace").strip() or node
    except OSError:
        return node


def _enumerate_cameras(backend: int) -> list[Camera]:
    try:
        from cv2_enumerate_cameras import enumerate_cameras

        found = enumerate_cameras(backend)
    except Exception as error:  # whatever the system's part of it raises
        log.debug("the list of cameras failed", exc_info=True)
        why = str(error) or type(error).__name__
        raise SourceError(f"the list of cameras cannot be read: {why}") from None
    return [
        Camera(info.index, info.name, info.path or "", backend, is_virtual_name(info.name)) for info in found
    ]


def is_virtual_name(name: str) -> bool:
    """Whether a camera's name is that of a known virtual camera."""
    return any(part in name.lower() for part in _VIRTUAL_NAMES)


def find_camera(text: str) -> Camera:
    """The camera that a user means.

    Args:
        text: a number, a device path such as /dev/video0, or a name; of a name, the start or a
            part is enough where only one camera has it. Case does not matter.

    Raises:
        NoCameraError: none or several fit, or it is a virtual camera that nothing feeds; the
            message lists what there is. Where no list can be had, every number is taken and nothing else.
    """
    try:
        everything = find_cameras()
    except SourceError as error:
        return _take_number(text, error)
    cameras = [camera for camera in everything if camera.captures]
    fitting = match_cameras(cameras, text)
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise NoCameraError(f"{text!r} fits several cameras: {describe_cameras(fitting)}; use the number")
    if idle := match_cameras(everything, text):
        raise NoCameraError(
            f"nothing feeds the virtual camera {describe_cameras(idle)}; start the program that does"
        )
    if not cameras:
        raise NoCameraError(f"no camera {text!r}; none is connected. Try --source test, screen or a file")
    raise NoCameraError(f"no camera {text!r}; available: {describe_cameras(cameras)}")


def _take_number(text: str, error: SourceError) -> Camera:
    number = text.strip()
    if not number.isdigit():
        raise NoCameraError(f"no camera {text!r}: {error}; choose it by number, such as --source 0")
    log.warning("%s; number %s is tried", error, number)
    return Camera(int(number), f"camera {number}", backend=_backend())


def match_cameras(cameras: list[Camera], text: str) -> list[Camera]:
    """Those that a number, path, name or part of a name means; see `find_camera`."""
    wanted = text.strip().lower()
    if wanted.isdigit():
        return [camera for camera in cameras if camera.index == int(wanted)]
    return _match_name(cameras, wanted)


def _match_name(cameras: list[Camera], wanted: str) -> list[Camera]:
    """The cameras of that path or name, else those that start with it, else those that hold it."""
    if not wanted:
        return []
    for fits in (
        [camera for camera in cameras if wanted in (camera.path.lower(), camera.name.lower())],
        [camera for camera in cameras if camera.name.lower().startswith(wanted)],
        [camera for camera in cameras if wanted in camera.name.lower()],
    ):
        if fits:
            return fits
    return []


def describe_cameras(cameras: list[Camera]) -> str:
    """Numbers and names, for messages."""
    return ", ".join(
        f"{camera.index}: {camera.name}{' (virtual)' if camera.virtual else ''}" for camera in cameras
    )
