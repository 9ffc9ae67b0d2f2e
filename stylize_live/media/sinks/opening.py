"""Opens the sinks beside the window that the settings ask for."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from fractions import Fraction
from typing import Protocol

from stylize_live.backgrounds import TRANSPARENT
from stylize_live.config import LiveSettings
from stylize_live.media.protocols import LiveSink
from stylize_live.media.sources.devices import Camera

STREAM, VIRTUAL_CAMERA, NDI = "stream", "virtual camera", "NDI"  # their names


class SinkFormat(Protocol):
    """What sinks need to know of the source that feeds them.

    Attributes:
        camera: the one it captures from, or None.
    """

    @property
    def size(self) -> tuple[int, int]: ...

    @property
    def rate(self) -> Fraction | None: ...

    @property
    def camera(self) -> Camera | None: ...


def open_sinks(settings: LiveSettings, source: SinkFormat, opened: ExitStack) -> list[LiveSink]:
    """Open what the settings name; `opened` closes them.

    Args:
        settings: `virtual_camera`, `stream`, `ndi`, `record` and `microphone` count.
        source: gives size and rate, and must not be the virtual camera.
        opened: takes each sink as soon as it is open.

    Raises:
        UsageError: a setting makes no sense, or pyvirtualcam, cyndilib or sounddevice is missing.
        SinkError: a sink cannot be opened.
    """
    sinks: list[LiveSink] = []
    openers = sink_openers(settings, source)
    asked = ((VIRTUAL_CAMERA, settings.virtual_camera), (STREAM, settings.stream), (NDI, settings.ndi))
    for name, wanted in asked:
        if wanted is not None:
            sink = openers[name]()
            opened.callback(sink.close)
            sinks.append(sink)
    if settings.record is not None:
        from stylize_live.media.sinks.recorder import open_recorder

        alpha = settings.background == TRANSPARENT
        rate, microphone = _rate(settings, source), settings.microphone
        recorder = open_recorder(settings.record, source.size, rate, microphone, alpha=alpha)
        sinks.append(opened.enter_context(recorder))
    elif settings.microphone is not None:
        from stylize_live.media.sources.microphone import check_microphone

        check_microphone(settings.microphone)  # it is heard when a recording begins: too late to be told
    return sinks


def sink_openers(settings: LiveSettings, source: SinkFormat) -> dict[str, Callable[[], LiveSink]]:
    """What opens the virtual camera, the stream and NDI, by name: those that settings name, else the usual.

    Each raises as `open_sinks` does; the source counts as it is in that moment.
    """

    def virtual_camera() -> LiveSink:
        from stylize_live.media.sinks.virtual_camera import VirtualCamera

        wanted = settings.virtual_camera or "auto"
        return VirtualCamera(wanted, source.size, settings.fps, source.camera)

    def stream() -> LiveSink:
        from stylize_live.media.sinks.stream_server import StreamServer

        return StreamServer(settings.stream or "auto", source.size, _rate(settings, source))

    def ndi() -> LiveSink:
        from stylize_live.media.sinks.ndi_sink import NdiSink

        return NdiSink(settings.ndi or "auto", source.size, _rate(settings, source))

    return {STREAM: stream, VIRTUAL_CAMERA: virtual_camera, NDI: ndi}


def _rate(settings: LiveSettings, source: SinkFormat) -> Fraction:
    return source.rate or Fraction(settings.fps)


def sink_address(sink: LiveSink) -> str:
    """Where others find a sink: a URL, or the name of a virtual camera or in NDI; "" of any other."""
    return str(getattr(sink, "url", "") or getattr(sink, "device", ""))
