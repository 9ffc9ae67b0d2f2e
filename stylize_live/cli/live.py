"""`stylize-live live`: a camera, painted while you watch."""

from __future__ import annotations

import json as json_module
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from stylize_live.cli.completion import with_style_names
from stylize_live.cli.console import fail, print_beside, print_line
from stylize_live.config import LiveSettings, merged
from stylize_live.errors import SinkError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stylize_live.media.contracts import LiveSink
    from stylize_live.media.live_source import LiveSource
    from stylize_live.pipeline.live import Display
    from stylize_live.pipeline.live_report import LiveReport
    from stylize_live.pipeline.outlets import OutletReport

_DEFAULT_SETTINGS = LiveSettings()
with_style_names(LiveSettings)
_TITLE = "stylize-live"


def live(
    *,
    json: bool = False,
    config: Path | None = None,
    settings: Annotated[LiveSettings, Parameter(name="*")] = _DEFAULT_SETTINGS,
) -> int:
    """Paint a camera, the screen, a stream or a file in real time, in a window.

    The same pictures can go to OBS (--stream), to a virtual camera
    (--virtual-camera) and into a film (--record), all at once.

    Keys in the window:
      1-9, arrows   change the style
      [ and ]       less or more strength
      , and .       smaller or larger strokes
      c             colours of the picture or of the style
      m             mirror
      s             split view: the original at the left
      t             steadiness on or off
      space         freeze; styles can be tried on the frozen picture
      p             save a snapshot to the current folder
      r             begin or end a recording in the current folder
      h             hide or show the overlay
      q, Esc        end; closing the window or Ctrl-C do the same

    The overlay shows the frames shown a second, the median age of a picture
    from capture to display, and the frames dropped because newer ones were
    there; where there is room, also the ages that 95 and 99 of 100 pictures
    stay below, and the median ages by stage.

    Parameters
    ----------
    json
        Print the report as one JSON object, in the last line.
    config
        TOML file of settings; options given here win.
    """
    settings = merged(settings, config)
    from stylize_live.media.live_sinks import open_sinks
    from stylize_live.media.live_sources import open_source

    with ExitStack() as opened:
        # Source, sinks and window first: what is wrong with them shows before the network is loaded.
        source = opened.enter_context(open_source(settings))
        sinks = open_sinks(settings, source, opened)
        display = open_display(opened, settings, source.size, watched=not sinks)
        for sink in sinks:
            print_beside(where(sink))
        report = _run(source, display, sinks, settings)
    return tell(report, json=json)


def tell(report: LiveReport, *, json: bool) -> int:
    """Print what a run did; the exit code."""
    print_line(json_module.dumps(report.as_dict()) if json else summary(report))
    failed = [output.error for output in report.outputs.values() if output.error]
    for error in failed:
        fail(error)
    return SinkError.exit_code if failed else 0


def where(sink: LiveSink) -> str:
    """Where to find a sink, for people."""
    from stylize_live.media.recorder import Recorder
    from stylize_live.media.stream_server import StreamServer
    from stylize_live.media.virtual_camera import VirtualCamera

    if isinstance(sink, StreamServer):
        return f"stream: {sink.url} (in OBS: Media Source, input format nut, network buffering 0 MB)"
    if isinstance(sink, Recorder):
        return f"recording: {sink.path}"
    return f"virtual camera: {sink.device}" if isinstance(sink, VirtualCamera) else sink.name


def open_display(
    opened: ExitStack, settings: LiveSettings, size: tuple[int, int], *, watched: bool
) -> Display:
    """The window, or none; then `watched` says whether somebody is taken to look all the same."""
    if not settings.window:
        from stylize_live.media.null import NullDisplay

        return NullDisplay(watched=watched)
    from stylize_live.media.window import Window

    return opened.enter_context(Window(_TITLE, size))


def _run(
    source: LiveSource, display: Display, sinks: Sequence[LiveSink], settings: LiveSettings
) -> LiveReport:
    from stylize_live.engine import Stylizer
    from stylize_live.nets.catalogue import style_names
    from stylize_live.pipeline.governor import govern
    from stylize_live.pipeline.live import run_live

    stylizer = Stylizer.from_settings(settings, steadiness=settings.steadiness)
    with stylizer:
        return run_live(
            source,
            stylizer,
            display,
            sinks=sinks,
            styles=style_names(),
            mirror=settings.mirror,
            split=settings.split,
            duration=settings.duration,
            governor=govern(stylizer, settings.size),
        )


def summary(report: LiveReport) -> str:
    """A few lines for people."""
    frames = f"{report.shown} of {report.captured} frames"
    lines = [
        f"shown    {frames} in {report.seconds:.1f} s, {report.fps:.1f} fps",
        f"dropped  {report.dropped}" + _details(report),
    ]
    if report.lines:
        lines.append(f"painted  at {', '.join(f'{number}p' for number in report.lines)}")
    total = report.latency_ms["total"]
    if total.p50 is not None:
        lines.append(
            f"latency  {total.p50:.0f} ms median, {total.p95:.0f} ms p95, {total.p99:.0f} ms p99, "
            "capture to display"
        )
    lines += [f"{name}: {output.written} pictures" + _loss(output) for name, output in report.outputs.items()]
    return "\n".join(lines)


def _loss(output: OutletReport) -> str:
    return f", {output.dropped} dropped" if output.dropped else ""


def _details(report: LiveReport) -> str:
    parts = [f"{count} before {where}" for where, count in report.dropped_before.items() if count]
    if report.idle:
        parts.append(f"{report.idle} more passed while nobody watched")
    if report.frozen:
        parts.append(f"{report.frozen} more passed while frozen")
    return f" ({', '.join(parts)})" if parts else ""
