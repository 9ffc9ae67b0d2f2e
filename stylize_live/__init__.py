"""Paint images, videos and webcams in the style of great painters.

    >>> from stylize_live import Stylizer, convert
    >>> painted = Stylizer("starry-night")(rgb)  # (H, W, 3) uint8 -> (H, W, 3) uint8
    >>> report = convert("holiday.mp4", "painted.mp4", "the-scream")

More in docs/python.md. Importing this package is cheap; torch, OpenCV and PyAV load when first needed.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from stylize_live._version import __version__

if TYPE_CHECKING:
    from stylize_live.api import convert, list_styles, open_source, paint_live
    from stylize_live.config import ConvertSettings, LiveSettings
    from stylize_live.conversion.progress import ConvertProgress, ConvertReport
    from stylize_live.engine import Stylizer
    from stylize_live.errors import (
        ConfigError,
        CrashError,
        DeviceError,
        DisplayError,
        MachineError,
        NoCameraError,
        ObsError,
        ObsPasswordError,
        SinkError,
        SourceError,
        StyleError,
        StylizeError,
        TrainingError,
        UsageError,
    )
    from stylize_live.frame import Frame
    from stylize_live.live.report import LiveReport
    from stylize_live.media.decode.reader import VideoReader
    from stylize_live.media.encode.writer import VideoWriter
    from stylize_live.media.protocols import LiveSink, Sink, Source

_NAMES = {
    "api": ("convert", "list_styles", "open_source", "paint_live"),
    "config": ("ConvertSettings", "LiveSettings"),
    "engine": ("Stylizer",),
    "errors": (
        *("ConfigError", "CrashError", "DeviceError", "DisplayError", "MachineError", "NoCameraError"),
        *("ObsError", "ObsPasswordError"),
        *("SinkError", "SourceError", "StyleError", "StylizeError", "TrainingError", "UsageError"),
    ),
    "frame": ("Frame",),
    "media.protocols": ("LiveSink", "Sink", "Source"),
    "media.decode.reader": ("VideoReader",),
    "media.encode.writer": ("VideoWriter",),
    "live.report": ("LiveReport",),
    "conversion.progress": ("ConvertProgress", "ConvertReport"),
}
_HOMES = {name: home for home, names in _NAMES.items() for name in names}

__all__ = [
    "ConfigError",
    "ConvertProgress",
    "ConvertReport",
    "ConvertSettings",
    "CrashError",
    "DeviceError",
    "DisplayError",
    "Frame",
    "LiveReport",
    "LiveSettings",
    "LiveSink",
    "MachineError",
    "NoCameraError",
    "ObsError",
    "ObsPasswordError",
    "Sink",
    "SinkError",
    "Source",
    "SourceError",
    "StyleError",
    "StylizeError",
    "Stylizer",
    "TrainingError",
    "UsageError",
    "VideoReader",
    "VideoWriter",
    "__version__",
    "convert",
    "list_styles",
    "open_source",
    "paint_live",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
