"""A camera that other programs see, fed by us through pyvirtualcam."""

from __future__ import annotations

import logging
import math
import sys
import threading
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from stylize_live.errors import SinkError, UsageError
from stylize_live.frame import Frame, to_eight_bits
from stylize_live.install_hints import install_command
from stylize_live.lifecycle import Closeable
from stylize_live.media.color.letterbox import letterbox
from stylize_live.media.color.opaque import on_black
from stylize_live.media.sources.devices import Camera, describe_cameras, list_cameras, match_cameras
from stylize_live.media.sources.live_source import Metronome
from stylize_live.system.clock import monotonic

if TYPE_CHECKING:
    import pyvirtualcam

log = logging.getLogger(__name__)

_MISSING = f"--virtual-camera needs pyvirtualcam: {install_command('pyvirtualcam')}"
_MAKE_ONE = {
    "linux": "make one with  sudo modprobe v4l2loopback video_nr=10 card_label=stylize-live exclusive_caps=1"
    "  (Debian and Ubuntu: sudo apt install v4l2loopback-dkms)",
    "win32": "install OBS, which brings one:  winget install OBSProject.OBSStudio",
    "darwin": "install OBS, which brings one:  brew install --cask obs ; in OBS press Start Virtual Camera, "
    "allow the extension, then Stop Virtual Camera",
}
# Of pyvirtualcam's message, what the advice says better.
_AGAIN = " Did you run 'modprobe v4l2loopback'? See also pyvirtualcam's documentation."
_CLOSE_SECONDS = 1.0
_HANGING_SECONDS = 10.0


class VirtualCamera(Closeable):
    """A `LiveSink` that sends frames at a constant rate, repeating the last one: programs that wait for
    a frame too long show a grey one, or give up.

    Args:
        wanted: "auto", or number, path, name or part of the name of one.
        size: (width, height) of our frames in pixels; an odd side grows by one.
        fps: frames a second.
        source: the camera that we capture from, if it is one.

    Raises:
        UsageError: pyvirtualcam is not installed, several fit, or it is the camera that we capture from.
        SinkError: there is none, or another program feeds it.
    """

    name = "virtual camera"
    watched = True  # no system tells whether anybody looks

    def __init__(self, wanted: str, size: tuple[int, int], fps: int, source: Camera | None = None) -> None:
        self._size = size[0] + size[0] % 2, size[1] + size[1] % 2
        device = _find_device(wanted)
        _refuse_loop(device, source)
        self._camera = _open(device, self._size, fps)
        try:
            _refuse_loop(self._camera.device, source)
        except UsageError:
            self._camera.close()
            raise
        self._fps = fps
        self._newest: npt.NDArray[np.uint8] | None = None
        self._failure: str | None = None
        self._sending_since = math.inf  # monotonic seconds
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._send, name="stylize-virtual-camera-rate", daemon=True)
        self._thread.start()

    @property
    def device(self) -> str:
        """What the system calls it: a path on Linux, else a name."""
        return str(self._camera.device)

    def write(self, frame: Frame) -> None:
        """Send this frame from now on. Raises `SinkError` when the camera takes no more, or hangs."""
        if monotonic() - self._sending_since > _HANGING_SECONDS:
            self._failure = f"{self.device} has not answered for {_HANGING_SECONDS:g} seconds"
        if self._failure is not None:
            raise SinkError(self._failure)
        self._newest = to_eight_bits(letterbox(on_black(frame), self._size))

    def _send(self) -> None:
        for _ in Metronome(self._fps, self._ending):
            image = self._newest
            if image is None:
                continue
            self._sending_since = monotonic()
            try:
                self._camera.send(image)
            except Exception as error:  # whatever the system's part of it raises
                self._failure = f"{self.device} takes no more frames: {_one_line(error)}"
                return
            finally:
                self._sending_since = math.inf

    def close(self) -> None:
        """Stop sending and give the camera back. May be called twice."""
        self._ending.set()
        self._thread.join(_CLOSE_SECONDS)
        if self._thread.is_alive():
            log.warning("the virtual camera does not answer and was not released")
            return
        self._camera.close()


def _find_device(wanted: str) -> str | None:
    """What pyvirtualcam calls the camera that is meant; None for any. A name we do not know is left to it."""
    if wanted == "auto":
        return None
    fitting = match_cameras([camera for camera in list_cameras() if camera.virtual], wanted)
    if len(fitting) > 1:
        raise UsageError(
            f"{wanted!r} fits several virtual cameras: {describe_cameras(fitting)}; use the number"
        )
    if not fitting:
        return f"/dev/video{wanted}" if sys.platform == "linux" and wanted.isdigit() else wanted
    return fitting[0].path if sys.platform == "linux" else fitting[0].name


def _refuse_loop(device: str | None, source: Camera | None) -> None:
    if source is not None and device is not None and device in (source.path, source.name):
        raise UsageError(
            f"{source.name} is our source and cannot be our virtual camera too, or it would show itself; "
            "choose another --source or another --virtual-camera"
        )


def _open(device: str | None, size: tuple[int, int], fps: int) -> pyvirtualcam.Camera:
    try:
        import pyvirtualcam
    except ImportError:
        raise UsageError(_MISSING) from None
    try:
        return pyvirtualcam.Camera(
            width=size[0], height=size[1], fps=fps, fmt=pyvirtualcam.PixelFormat.RGB, device=device
        )
    except RuntimeError as error:
        what = "no virtual camera" if device is None else f"virtual camera {device!r} cannot be opened"
        raise SinkError(f"{what}: {_advise()} (pyvirtualcam: {_one_line(error)})") from None


def _advise() -> str:
    there = [camera for camera in list_cameras() if camera.virtual]
    if there:
        return f"available: {describe_cameras(there)}; close the program that feeds it, or name another one"
    return _MAKE_ONE.get(sys.platform, "none is known for this system")


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()).removesuffix(_AGAIN) or type(error).__name__
