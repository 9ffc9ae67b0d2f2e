"""Opens the live source that the user named."""

from __future__ import annotations

import re
from pathlib import Path

from stylize_live.config import LiveSettings
from stylize_live.errors import SourceError, UsageError
from stylize_live.files import is_file, is_folder, path_of
from stylize_live.media.sources.live_source import LiveSource

_OWN = ("test", "screen", "browser")
# What `devices` shows as a camera's path: a node on Linux, on Windows the name of its interface.
_DEVICE_NODE = re.compile(
    r"/dev/video\d+|\\\\[?.]\\[^\\]+#\{[0-9a-f-]{36}\}(\\[^\\]*)?|@device:.+", re.IGNORECASE
)
_FILE_SUFFIX = re.compile(r"\.[a-z][a-z0-9]{1,4}", re.IGNORECASE)


def open_live_source(settings: LiveSettings) -> LiveSource:
    """Open what `settings.source` names.

    "test", "screen" and "browser" are themselves; "ndi:" begins the name of an NDI source; text with "://" is
    a URL; a file that exists, or text that looks like a path, is a file; anything else is the number or name
    of a camera.

    Raises:
        NoCameraError: no such camera; the message lists those that are there.
        SourceError: it cannot be opened, or is no video.
    """
    text = settings.source.strip()
    size = (settings.width, settings.height)
    if text == "test":
        from stylize_live.media.sources.test_pattern import PatternSource

        return PatternSource(size, settings.fps)
    if text == "screen":
        from stylize_live.media.sources.screen import ScreenSource

        return ScreenSource(size, settings.fps)
    if text == "browser":
        from stylize_live.media.sources.webrtc import BrowserSource

        return BrowserSource(size)
    if names_ndi(text):
        from stylize_live.media.sources.ndi_source import PREFIX, NdiSource

        return NdiSource(text[len(PREFIX) :])
    if "://" in text:
        from stylize_live.media.sources.network import open_network_stream

        return open_network_stream(text)
    if names_file(text):
        return _open_file(path_of(text), loop=settings.loop)
    from stylize_live.media.sources.camera import CameraSource
    from stylize_live.media.sources.devices import find_camera

    return CameraSource(find_camera(text), size, settings.fps)


def names_camera(text: str) -> bool:
    """Whether text means a camera, there or not."""
    text = text.strip()
    return not (text in _OWN or "://" in text or names_ndi(text) or names_file(text))


def names_ndi(text: str) -> bool:
    """Whether text means an NDI source."""
    return text.lower().startswith("ndi:")


def names_file(text: str) -> bool:
    """Whether text means a file, there or not, or a folder, rather than one of the other sources."""
    if text in _OWN or "://" in text or names_ndi(text) or text.isdigit() or _DEVICE_NODE.fullmatch(text):
        return False
    if "/" in text or "\\" in text or _FILE_SUFFIX.fullmatch(Path(text).suffix):
        return True
    return is_file(Path(text)) or is_folder(Path(text))


def check_loop(settings: LiveSettings) -> None:
    """Raise `UsageError` if something is to be played again that does not end."""
    text = settings.source.strip()
    if settings.loop and not names_file(text):
        raise UsageError(f"--loop is for video files, and --source {text} is not one")


def _open_file(path: Path, *, loop: bool) -> LiveSource:
    from stylize_live.media.sources.realtime_file import open_file

    if path.is_dir():
        raise SourceError(f"{path}: is a folder, expected a video")
    if not path.exists():
        raise SourceError(f"{path}: no such file")
    return open_file(path, loop=loop)
