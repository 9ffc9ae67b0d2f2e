"""`stylize-live convert`: video files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from stylize_live.cli.console import print_line, stderr, warn
from stylize_live.cli.memory import share_one_heap
from stylize_live.config import ConvertSettings, merged
from stylize_live.errors import EXIT_OK, EXIT_PARTIAL

if TYPE_CHECKING:
    from stylize_live.pipeline.convert import ConvertProgress, ConvertReport

_DEFAULT_SETTINGS = ConvertSettings()


def convert(
    source: Path,
    target: Path,
    /,
    *,
    overwrite: bool = False,
    before_after: Path | None = None,
    config: Path | None = None,
    settings: Annotated[ConvertSettings, Parameter(name="*")] = _DEFAULT_SETTINGS,
) -> int:
    """Paint a video file. Sound, subtitles, chapters and the times of all pictures are kept.

    Ends with code 10 when the source was damaged or cut off: what could be read was painted.

    Parameters
    ----------
    source
        Video to paint.
    target
        File to write: .mp4, .m4v, .mov or .mkv.
    overwrite
        Replace the target if it exists.
    before_after
        Save one frame, original and painted side by side, as jpg, png or webp.
    config
        TOML file of settings; options given here win.
    """
    from stylize_live.pipeline.convert import check_paths
    from stylize_live.pipeline.convert import convert as run

    share_one_heap()
    settings = merged(settings, config)
    check_paths(source, target, overwrite)
    if before_after is not None:
        _check_picture(before_after, overwrite)
    from stylize_live.engine import Stylizer

    with (
        Stylizer.from_settings(settings) as stylizer,
        _progress_bar() as bar,
    ):
        report = run(
            source, target, stylizer, settings, overwrite=overwrite, on_progress=_show_on(bar, source.name)
        )
    if before_after is not None:
        _save_pair(before_after, report)
    _summary(target, report)
    if before_after is not None:
        print_line(f"before and after: {before_after}")
    return EXIT_OK if report.complete else EXIT_PARTIAL


def _check_picture(path: Path, overwrite: bool) -> None:
    """Hours of work must not end in a wrong suffix."""
    from stylize_live.errors import SinkError, UsageError
    from stylize_live.media.still import picture_format

    picture_format(path)
    if path.exists() and not overwrite:
        raise UsageError(f"{path}: exists already, use --overwrite to replace it")
    if not path.parent.is_dir():
        raise SinkError(f"{path}: the folder {path.parent} does not exist, make it first")


def _progress_bar() -> Progress:
    return Progress(
        TextColumn("[bold]{task.description}", markup=True),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[fps]:.1f} fps"),
        TimeRemainingColumn(),
        console=stderr,
        disable=not stderr.is_terminal,
        transient=True,
    )


def _show_on(bar: Progress, name: str) -> Callable[[ConvertProgress], None]:
    task = bar.add_task(name.replace("[", r"\["), total=None, fps=0.0)

    def show(progress: ConvertProgress) -> None:
        bar.update(task, completed=progress.frames, total=progress.total, fps=progress.fps)

    return show


def _save_pair(path: Path, report: ConvertReport) -> None:
    import numpy as np

    from stylize_live.media.still import Still, write_still

    write_still(path, Still(np.concatenate([report.original, report.painted], axis=1)))


def _summary(target: Path, report: ConvertReport) -> None:
    for note in report.notes:
        warn(note)
    print_line(str(target))
    print_line(f"{report.frames} frames in {report.seconds:.1f} s, {report.fps:.1f} frames per second")
