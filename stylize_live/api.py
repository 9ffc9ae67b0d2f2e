"""The functions of `import stylize_live`: whole jobs, in one call each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from stylize_live.config import (
    DEFAULT_STYLE,
    ConvertSettings,
    EngineSettings,
    LiveSettings,
    from_options,
    names_several,
)
from stylize_live.conversion import convert as conversion
from stylize_live.conversion.queue import ConversionJob
from stylize_live.engine import Stylizer
from stylize_live.errors import UsageError
from stylize_live.live.adaptive_resolution import adapt_resolution
from stylize_live.live.displays import open_display
from stylize_live.live.learning import check_learning, choose_learning
from stylize_live.live.pipeline import run_live
from stylize_live.live.sound import choose_sound
from stylize_live.media.sources.opening import open_live_source as open_settings_source
from stylize_live.nets import catalogue
from stylize_live.options import PaintingOptions
from stylize_live.storage.places import place_of

if TYPE_CHECKING:
    from stylize_live.cluster.crew import WorkerSpec
    from stylize_live.cluster.progress import ClusterProgress
    from stylize_live.conversion.progress import ConvertProgress, ConvertReport
    from stylize_live.live.report import LiveReport
    from stylize_live.media.protocols import LiveSink, Source
    from stylize_live.media.sources.live_source import LiveSource

SettingsT = TypeVar("SettingsT", ConvertSettings, LiveSettings)


def list_styles() -> list[str]:
    """Names of all styles: those of the package, then your own, each sorted."""
    return catalogue.style_names()


def convert(
    source: Path | str,
    target: Path | str,
    style: str | Path | Stylizer = DEFAULT_STYLE,
    *,
    overwrite: bool = False,
    restart: bool = False,
    on_progress: Callable[[ConvertProgress], None] | None = None,
    work_folder: Path | None = None,
    cluster: str | None = None,
    **options: Any,
) -> ConvertReport:
    """Paint a video file, its sound and subtitles kept.

    A run that was interrupted, killed or failed goes on where it was if it is called again with the same
    arguments, and the result is the same.

    Args:
        source: any video that FFmpeg reads; or text that is the URL of one on shared storage.
        target: file to write, its suffix chooses the format; appears whole or not at all. Or numbered
            images, such as frames/%05d.png. Or a URL, as text.
        style: a name, a style file, a blend or a timeline, see `Stylizer`; or a `Stylizer`, which paints as
            it is set and stays open.
        overwrite: replace a target that exists.
        restart: discard what an interrupted run has finished.
        on_progress: called in this thread about 5 times a second; what it raises stops everything.
        work_folder: where copies of sources on storage are kept meanwhile, and segments of targets there.
        cluster: paint on a Ray cluster, "auto" or "host:port" (docs/convert.md, "Many machines"); not with a
            `Stylizer`, and the report has no pair of images.
        options: as on the command line, with underscores: ``boldness=0.5``, ``steadiness=0.9``,
            ``size="720p"``, ``start="1:05"``, ``codec="hevc"``, ``audio="none"``; all of them are fields of
            `ConvertSettings`. Beside a `Stylizer`, only those that are not about painting.

    Raises:
        TypeError: an option that does not exist, or that belongs to the stylizer.
        UsageError: a value out of range, a wrong suffix, a target that exists, or that is the source.
        StyleError: the style is unknown or its file unusable.
        DeviceError: the device, precision or runtime is not available.
        SourceError: the source is no video, or vanished.
        SinkError: the target cannot be written; it is untouched.
        MachineError: no memory is left, or a disk or library does not answer; the target is untouched.

    Example:
        >>> report = convert("holiday.mp4", "painted.mp4", "the-scream", boldness=0.5)
        >>> report.frames, report.notes
    """
    if options.get("learn") is not None:
        raise UsageError(
            "convert() does not learn a painting first; the command does, stylize-live convert --learn"
        )
    if cluster is not None and isinstance(style, Stylizer):
        raise TypeError("convert() on a cluster needs a style, of which workers make their own Stylizer")
    several = not isinstance(style, Stylizer) and names_several(str(options.get("device", "")))
    if cluster is not None or several:
        from stylize_live.cluster.placing import workers_here

        settings = from_options("convert", ConvertSettings, options | {"style": str(style)})
        workers = workers_here(settings.device) if cluster is None else []
        if cluster is not None or workers:
            job = ConversionJob(place_of(source, work_folder), place_of(target, work_folder))
            conversion.check_paths(job.source, job.target, overwrite)
            where = "local" if cluster is None else cluster
            return _convert_on_cluster(job, settings, where, workers or None, overwrite, restart, on_progress)
    settings, stylizer, opened = _prepare("convert", ConvertSettings, style, options)
    with opened:
        return conversion.convert(
            source,
            target,
            stylizer,
            settings,
            overwrite=overwrite,
            restart=restart,
            on_progress=on_progress,
            work_folder=work_folder,
        )


def _convert_on_cluster(
    job: ConversionJob,
    settings: ConvertSettings,
    address: str,
    workers: list[WorkerSpec] | None,
    overwrite: bool,
    restart: bool,
    on_progress: Callable[[ConvertProgress], None] | None,
) -> ConvertReport:
    from stylize_live.cluster.convert_all import convert_all

    def tell(progress: ClusterProgress) -> None:
        for _, video in progress.videos:
            if on_progress is not None:
                on_progress(video)

    how: dict[str, Any] = {"overwrite": overwrite, "restart": restart, "on_progress": tell}
    with closing(convert_all([job], settings, workers, address=address, **how)) as outcomes:
        outcome = next(outcomes)
    if outcome.error is not None:
        raise outcome.error
    assert outcome.report is not None
    return outcome.report


def open_source(name: str | Path = "0", **options: Any) -> LiveSource:
    """Open a camera, the screen, a file played in real time, a network stream or the test pattern.

    Args:
        name: a camera's number or name, "screen", "test", a path or an address.
        options: ``width``, ``height`` and ``fps`` asked of a camera, ``loop=True`` for a file.

    Returns:
        A context manager to iterate over: frames as they come. Closing it, from any thread, ends that.

    Raises:
        TypeError: an option that does not exist.
        NoCameraError: no such camera; the message lists those that are there.
        SourceError: it cannot be opened, or is no video.
    """
    return open_settings_source(from_options("open_source", LiveSettings, options | {"source": str(name)}))


def paint_live(
    source: str | Path | Source = "0",
    style: str | Path | Stylizer = DEFAULT_STYLE,
    *,
    sinks: Sequence[LiveSink] = (),
    window: bool = False,
    duration: float | None = None,
    **options: Any,
) -> LiveReport:
    """Paint a source live until it ends, the time is over, the user ends it, or Ctrl-C.

    Call it from the main thread. Capture, painting and each sink have threads of their own, and the newest
    frame always wins. As many lines are painted as the source's rate allows.

    Args:
        source: see `open_source`; or anything that has what `Source` promises, which stays open.
        style: as in `convert`.
        sinks: get every painted frame, or the newest they have time for; see `LiveSink` for what they
            promise. They stay open.
        window: show a window, too.
        duration: seconds of painting after which it ends, or None.
        options: fields of `LiveSettings`, such as ``boldness``, ``steadiness``, ``width``, ``mirror``.

    Raises:
        TypeError, UsageError, StyleError, DeviceError: as `convert`.
        SourceError: as `open_source`, or what the source met later.
        DisplayError: there is no screen for a window.
        MachineError: no memory is left, or source or painting do not answer.
    """
    settings, stylizer, opened = _prepare("paint_live", LiveSettings, style, options)
    with opened:
        check_learning(settings.model_copy(update={"style": stylizer.style}), changeable=False)
        if isinstance(source, str | Path):
            source = opened.enter_context(
                open_settings_source(settings.model_copy(update={"source": str(source)}))
            )
        return run_live(
            source,
            stylizer,
            open_display(opened, source.size, stylizer.style, window=window, watched=not sinks),
            sinks=sinks,
            styles=list_styles(),
            mirror=settings.mirror,
            split=settings.split,
            duration=duration,
            adaptive_resolution=adapt_resolution(stylizer, settings.size),
            sound=choose_sound(settings),
            learning=choose_learning(settings),
        )


def _prepare(
    function: str, kind: type[SettingsT], style: str | Path | Stylizer, options: dict[str, Any]
) -> tuple[SettingsT, Stylizer, ExitStack]:
    """Settings, the stylizer, and what has to be closed afterwards."""
    opened = ExitStack()
    if isinstance(style, Stylizer):
        its_own = sorted(
            options.keys() & {*EngineSettings.model_fields, *PaintingOptions.model_fields, "crossfade"}
        )
        if its_own:
            raise TypeError(f"{function}() was given a Stylizer, which has its own {', '.join(its_own)}")
        return from_options(function, kind, options), style, opened
    settings = from_options(function, kind, options | {"style": str(style)})
    crossfade = getattr(settings, "crossfade", 0.0)
    stylizer = Stylizer.from_settings(settings, crossfade=crossfade, steadiness=settings.steadiness)
    return settings, opened.enter_context(stylizer), opened
