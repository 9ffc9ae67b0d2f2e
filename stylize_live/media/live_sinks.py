"""From what the user wished for to the sinks beside the window."""

from __future__ import annotations

from contextlib import ExitStack
from fractions import Fraction

from stylize_live.config import LiveSettings
from stylize_live.media.contracts import LiveSink
from stylize_live.media.live_source import LiveSource


def open_sinks(settings: LiveSettings, source: LiveSource, opened: ExitStack) -> list[LiveSink]:
    """Open what the settings name; `opened` closes them.

    Args:
        settings: `virtual_camera`, `stream`, `record` and `microphone` count.
        source: gives size and rate, and must not be the virtual camera.
        opened: takes each sink as soon as it is open.

    Raises:
        UsageError: a setting makes no sense, or pyvirtualcam or sounddevice is missing.
        SinkError: a sink cannot be opened.
    """
    sinks: list[LiveSink] = []
    rate = source.rate or Fraction(settings.fps)
    if settings.virtual_camera is not None:
        from stylize_live.media.camera import CameraSource
        from stylize_live.media.virtual_camera import VirtualCamera

        ours = source.camera if isinstance(source, CameraSource) else None
        camera = VirtualCamera(settings.virtual_camera, source.size, settings.fps, ours)
        sinks.append(opened.enter_context(camera))
    if settings.stream is not None:
        from stylize_live.media.stream_server import StreamServer

        sinks.append(opened.enter_context(StreamServer(settings.stream, source.size, rate)))
    if settings.record is not None:
        from stylize_live.media.recorder import open_recorder

        recorder = open_recorder(settings.record, source.size, rate, settings.microphone)
        sinks.append(opened.enter_context(recorder))
    elif settings.microphone is not None:
        from stylize_live.media.microphone import check_microphone

        check_microphone(settings.microphone)  # it is heard when a recording begins: too late to be told
    return sinks
