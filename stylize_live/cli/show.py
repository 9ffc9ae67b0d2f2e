"""A live show from its settings to its report: what `live` and `studio` both do."""

from __future__ import annotations

import json as json_module
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from stylize_live.cli.advice import advise
from stylize_live.cli.browser import open_in_browser
from stylize_live.cli.console import fail, print_beside, print_line, warn
from stylize_live.cli.obs_words import show_in_obs
from stylize_live.cli.paintings import say_paintings
from stylize_live.cli.unused_options import say_unused
from stylize_live.errors import SinkError, SourceError, UsageError
from stylize_live.naming import clock_time
from stylize_live.wording import option

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from stylize_live.config import LiveSettings
    from stylize_live.engine import Stylizer
    from stylize_live.live.learning import LearningFigures
    from stylize_live.live.protocols import LiveDisplay
    from stylize_live.live.report import LiveReport
    from stylize_live.live.session import Remote
    from stylize_live.live.sink_group import SinkReport
    from stylize_live.live.sound import SoundReport
    from stylize_live.media.protocols import LiveSink
    from stylize_live.media.sources.live_source import LiveSource
    from stylize_live.media.sources.switching import SwitchingSource
    from stylize_live.studio.server import Studio
    from stylize_live.studio.sources import Sources


def run_show(settings: LiveSettings, *, studio: bool, json: bool) -> int:
    """Show a source painted until it ends or the user ends it, then print what was done.

    Args:
        settings: what the user asked for.
        studio: whether the web page is served beside it.
        json: whether the report is printed as one JSON object, and nothing else on standard output.

    Returns:
        The exit code.

    Raises:
        StylizeError: something cannot be opened, or broke.
    """
    from stylize_live.backgrounds import TRANSPARENT, parse_background
    from stylize_live.engine.layers import check_background
    from stylize_live.engine.style_set import check_style, naming_option
    from stylize_live.live.displays import open_display
    from stylize_live.live.learning import check_learning
    from stylize_live.live.sound import check_sound
    from stylize_live.media.sinks.opening import open_sinks
    from stylize_live.media.sources.opening import check_loop

    if settings.source.strip() == "browser" and not studio:
        raise UsageError("--source browser is the camera of the studio's page: add --studio")
    check_loop(settings)
    check_sound(settings)
    check_learning(settings, changeable=studio)
    if settings.obs and settings.stream is None:
        settings = settings.model_copy(update={"stream": "auto"})
    # Complain about what was typed before looking for what is not there.
    if "source" not in settings.model_fields_set:
        check_style(settings.style)
        if settings.background_style:
            with naming_option("background_style"):
                check_style(settings.background_style)
    check_background(parse_background(settings.background))
    if not studio:
        say_unused(settings)
    if settings.record is not None:
        from stylize_live.media.sinks.recorder import check_recording, keeps_alpha

        alpha = settings.background == TRANSPARENT
        check_recording(settings.record, alpha=alpha)
        if alpha and not keeps_alpha(settings.record):
            warn(f"{settings.record}: this recording has black around you; a .mov or .webm is transparent")
    if settings.background == TRANSPARENT and (settings.stream or settings.virtual_camera):
        instead = option("background", "lime")
        warn(f"stream and virtual camera show black around you; {instead} can be keyed")
    with ExitStack() as opened:
        # Source, sinks and window first: what is wrong with them shows before the network is loaded.
        source = opened.enter_context(_open_source(settings, studio=studio))
        sinks = open_sinks(settings, source, opened)
        if settings.obs:
            show_in_obs(sinks)
        # Without window and sinks, somebody is taken to watch all the same; with a page, it tells.
        watched = not sinks and not studio
        display = open_display(opened, source.size, settings.style, window=settings.window, watched=watched)
        say = print_beside if json else print_line
        report = _run(opened, source, display, sinks, settings, studio=studio, say=say)
    return _print_report(report, json=json)


def _open_source(settings: LiveSettings, *, studio: bool) -> LiveSource:
    """The source; a camera that is missing or busy ends nothing where another one can be chosen on a page."""
    from stylize_live.media.sources.no_source import NoSource
    from stylize_live.media.sources.opening import names_camera, open_live_source

    try:
        return open_live_source(settings)
    except SourceError as error:
        if not studio or not names_camera(settings.source):
            raise
        warn(f"{error}, or choose a source on the page")
        return NoSource((settings.width, settings.height), "no camera: choose a source")


def _run(
    opened: ExitStack,
    source: LiveSource,
    display: LiveDisplay,
    sinks: Sequence[LiveSink],
    settings: LiveSettings,
    *,
    studio: bool,
    say: Callable[[str], None],
) -> LiveReport:
    from stylize_live.engine import Stylizer
    from stylize_live.learning.words import describe_learning
    from stylize_live.live.adaptive_resolution import adapt_resolution
    from stylize_live.live.learning import choose_learning
    from stylize_live.live.pipeline import run_live
    from stylize_live.live.sound import choose_sound
    from stylize_live.media.sinks.opening import sink_openers
    from stylize_live.nets.catalogue import style_names

    if not studio:
        _say_where(sinks)  # at once, while the network is loaded
    advise(settings)
    say_paintings(settings.style, settings.background_style)
    stylizer = opened.enter_context(Stylizer.from_settings(settings, steadiness=settings.steadiness))
    shown: LiveSource | SwitchingSource = source
    styles = style_names()
    remote: Remote | None = None
    if studio or settings.osc is not None or settings.midi is not None:
        styles = _list_choosable_styles(settings)
        sources = _make_switchable(opened, source, sinks, settings)
        shown = sources.switching
        page: Studio | None = None
        if studio:
            page = _open_studio(opened, styles, sources, stylizer, settings)
            say(f"studio: {page.url}")
            say(f"for the Browser Source of OBS: {page.bare_url}")
            _say_where(sinks)
        remote = _open_remotes(opened, page, styles, sources, settings)
        if page is not None and settings.open:
            open_in_browser(page.opening_url())
    learning = choose_learning(settings, changeable=remote is not None or settings.window)
    if learning is not None and learning.on:
        print_beside(describe_learning(Path(settings.style).name, learning.seconds, "beside the show"))
    return run_live(
        shown,
        stylizer,
        display,
        sinks=sinks,
        styles=styles,
        mirror=settings.mirror,
        split=settings.split,
        duration=settings.duration,
        microphone=settings.microphone,
        remote=remote,
        openers=None if remote is None else sink_openers(settings, shown),
        adaptive_resolution=adapt_resolution(stylizer, settings.size, changeable=remote is not None),
        sound=choose_sound(settings, changeable=remote is not None),
        learning=learning,
    )


def _list_choosable_styles(settings: LiveSettings) -> list[str]:
    """Those that the program knows by name, and files that the session began with."""
    from stylize_live.naming import is_style_file
    from stylize_live.nets.catalogue import style_names
    from stylize_live.studio.messages import shares_of

    return style_names() + [name for name in shares_of(settings.style) if is_style_file(name)]


def _make_switchable(
    opened: ExitStack, source: LiveSource, sinks: Sequence[LiveSink], settings: LiveSettings
) -> Sources:
    """A source that can be changed while the session runs."""
    from stylize_live.media.sinks.opening import VIRTUAL_CAMERA, sink_address
    from stylize_live.studio.sources import Sources

    sources = Sources(source, settings)
    sources.ours = next((sink_address(sink) for sink in sinks if sink.name == VIRTUAL_CAMERA), None)
    opened.enter_context(sources.switching)
    return sources


def _open_studio(
    opened: ExitStack, styles: list[str], sources: Sources, stylizer: Stylizer, settings: LiveSettings
) -> Studio:
    from stylize_live.studio.server import About, Studio
    from stylize_live.studio.thumbnails import make_thumbnail_stylizer

    page = Studio(
        About(f"{stylizer.device}, {stylizer.precision}", styles),
        sources,
        settings,
        make_thumbnail_stylizer(styles),
        host=settings.host,
        port=settings.port,
        token=settings.token,
    )
    return opened.enter_context(page)


def _open_remotes(
    opened: ExitStack, page: Studio | None, styles: list[str], sources: Sources, settings: LiveSettings
) -> Remote:
    """The page, OSC and MIDI, all with the same controls, as one."""
    from stylize_live.remotes.group import RemoteGroup
    from stylize_live.studio.control_desk import ControlDesk

    desk = ControlDesk(styles, sources, settings) if page is None else page.desk
    remotes: list[Remote] = []
    if settings.osc is not None:
        from stylize_live.remotes.osc_remote import OscRemote

        osc = opened.enter_context(OscRemote(desk, settings.osc))
        print_beside(
            f"osc: {osc.address}" + (", and whoever reaches it controls the show" if osc.is_open else "")
        )
        remotes.append(osc)
    if settings.midi is not None:
        from stylize_live.remotes.midi_remote import open_midi

        midi = opened.enter_context(open_midi(desk, settings.midi))
        print_beside(f"midi: {', '.join(midi.devices) or 'no device yet; one that is plugged in is taken'}")
        remotes.append(midi)
    if page is not None and not remotes:
        return page
    return RemoteGroup(desk, [*remotes, *([] if page is None else [page])])


def _say_where(sinks: Sequence[LiveSink]) -> None:
    for sink in sinks:
        print_beside(describe_sink(sink))


def _print_report(report: LiveReport, *, json: bool) -> int:
    """Print what a run did; the exit code."""
    print_line(json_module.dumps(report.as_dict()) if json else summarize(report))
    failed = [output.error for output in report.outputs.values() if output.error]
    for error in failed:
        fail(error)
    return SinkError.exit_code if failed else 0


def describe_sink(sink: LiveSink) -> str:
    """Where to find a sink, for people."""
    from stylize_live.media.sinks.ndi_sink import NdiSink
    from stylize_live.media.sinks.recorder import Recorder
    from stylize_live.media.sinks.stream_server import StreamServer
    from stylize_live.media.sinks.virtual_camera import VirtualCamera

    if isinstance(sink, StreamServer):
        by_hand = "in OBS: Media Source, input format nut, network buffering 0 MB"
        return f"stream: {sink.url} ({by_hand}; or let stylize-live obs do it)"
    if isinstance(sink, Recorder):
        return f"recording: {sink.path}"
    if isinstance(sink, NdiSink):
        return f"NDI: {sink.device}"
    return f"virtual camera: {sink.device}" if isinstance(sink, VirtualCamera) else sink.name


def summarize(report: LiveReport) -> str:
    """A few lines for people."""
    frames = f"{report.shown} of {report.captured} frames"
    lines = [
        f"shown    {frames} in {report.seconds:.1f} s, {report.fps:.1f} fps",
        f"dropped  {report.dropped}" + _details(report),
    ]
    if report.painting:
        lines.append(f"painted  {report.painting.removeprefix('painted ')}")
    total = report.latency_ms["total"]
    if total.p50 is not None:
        lines.append(
            f"latency  {total.p50:.0f} ms median, {total.p95:.0f} ms p95, {total.p99:.0f} ms p99, "
            "capture to display"
        )
    if report.sound is not None:
        lines.append(f"sound    {_describe_sound(report.sound)}")
    if report.learning is not None:
        lines.append(f"learnt   {_describe_learning(report.learning)}")
    lines += [f"{name}: {output.written} frames" + _loss(output) for name, output in report.outputs.items()]
    return "\n".join(lines)


def _describe_sound(sound: SoundReport) -> str:
    tempo = "" if sound.tempo is None else f" at {sound.tempo:.0f} a minute"
    loudness = "silence" if sound.loudness is None else f"{sound.loudness:.0f} dB"
    return f"{sound.beats} beats{tempo}, {loudness}, from {sound.place or 'nothing'}"


def _describe_learning(learning: LearningFigures) -> str:
    steps = "1 step" if learning.steps == 1 else f"{learning.steps} steps"
    return f"{learning.painting}: {steps} in {clock_time(learning.seconds)} of practice, {learning.share:.0%}"


def _loss(output: SinkReport) -> str:
    return f", {output.dropped} dropped" if output.dropped else ""


def _details(report: LiveReport) -> str:
    parts = [f"{count} before {stage}" for stage, count in report.dropped_before.items() if count]
    if report.idle:
        parts.append(f"{report.idle} more passed while nobody watched")
    if report.frozen:
        parts.append(f"{report.frozen} more passed while paused")
    return f" ({', '.join(parts)})" if parts else ""
