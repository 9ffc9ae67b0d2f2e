"""Whether macOS lets this program see cameras and the screen, and hear microphones.

Other systems have no such question, or answer it when a device is opened. Nothing here raises: where macOS
does not answer, devices are opened as they are elsewhere. Tried against fakes only.
"""

from __future__ import annotations

import ctypes
import logging
import sys
import threading
from collections.abc import Callable
from importlib import import_module
from typing import Any, Literal

from stylize_live.system.clock import monotonic
from stylize_live.system.native import load_library

log = logging.getLogger(__name__)

Right = Literal["granted", "refused", "asking", "unknown"]
"""What the user allowed; "asking" while macOS waits for an answer, "unknown" where nobody tells."""

_QUARTZ = "/System/Library/Frameworks/CoreGraphics.framework/CoreGraphics"
_STATUS: dict[int, Right] = {0: "asking", 1: "refused", 2: "refused", 3: "granted"}  # 1 is a company's rule
_ANSWER_SECONDS = 30.0
_LOOK_SECONDS = 0.1
_WHERE = "System Settings, Privacy & Security"


def ask_for_camera() -> Right:
    """Have the user asked, once, whether cameras may be seen; what was answered.

    The main thread waits half a minute for the answer, others do not wait.
    """
    return _ask("AVMediaTypeVideo", "the camera", wait=threading.current_thread() is threading.main_thread())


def ask_for_microphone() -> Right:
    """The same for microphones, without waiting: until it is allowed, they are silent."""
    return _ask("AVMediaTypeAudio", "the microphone", wait=False)


def ask_for_screen() -> Right:
    """The same for the screen, without waiting: what is not allowed shows the wallpaper alone."""
    if sys.platform != "darwin":
        return "unknown"
    quartz = load_library(_QUARTZ)
    try:
        # A C bool is one byte of what comes back; the rest may be anything.
        quartz.CGPreflightScreenCaptureAccess.restype = ctypes.c_bool
        if quartz.CGPreflightScreenCaptureAccess():
            return "granted"
        quartz.CGRequestScreenCaptureAccess()
    except AttributeError:
        return "unknown"
    return "refused"


def how_to_allow(what: str) -> str:
    """Where the user allows it, as part of a sentence; `what` as macOS heads its list, such as "Camera"."""
    return f"allow the terminal in {_WHERE}, {what}, and start it again"


def _ask(medium: str, what: str, *, wait: bool) -> Right:
    if sys.platform != "darwin":
        return "unknown"
    try:
        foundation: Any = import_module("AVFoundation")  # comes with cv2-enumerate-cameras
        kind, devices = getattr(foundation, medium), foundation.AVCaptureDevice

        def right() -> Right:
            return _STATUS.get(int(devices.authorizationStatusForMediaType_(kind)), "unknown")

        if right() == "asking":
            log.warning("macOS asks whether the terminal may use %s: please answer there", what)
            devices.requestAccessForMediaType_completionHandler_(kind, lambda granted: None)
            if wait:
                _wait_for_answer(right, lambda: _run_loop(foundation))
        return right()
    except Exception as error:  # whatever the bridge to macOS raises
        log.info("whether %s is allowed cannot be found out: %s", what, error)
        return "unknown"


def _wait_for_answer(right: Callable[[], Right], look: Callable[[], None]) -> None:
    end = monotonic() + _ANSWER_SECONDS
    while right() == "asking" and monotonic() < end:
        look()


def _run_loop(foundation: Any) -> None:
    """Let macOS work for a moment; its question may not be shown else."""
    until = foundation.NSDate.dateWithTimeIntervalSinceNow_(_LOOK_SECONDS)
    foundation.NSRunLoop.currentRunLoop().runUntilDate_(until)
