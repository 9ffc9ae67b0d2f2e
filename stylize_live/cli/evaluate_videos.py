"""`stylize-live evaluate --steadiness`: how steady painted videos are."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

from rich.table import Table

from stylize_live.cli.console import cell, print_json, stderr, stdout
from stylize_live.cli.targets import refuse_existing
from stylize_live.config import EngineSettings
from stylize_live.errors import UsageError
from stylize_live.files import make_folder

if TYPE_CHECKING:
    from stylize_live.evaluation.videos import SteadinessReport


def evaluate_videos(
    clips: list[Path],
    settings: EngineSettings,
    *,
    amount: float,
    frames: int | None,
    compare: Path | None,
    plot: Path | None,
    overwrite: bool,
    json: bool,
) -> None:
    """Judge smoothing on videos, and print what came out; see `evaluate.evaluate` for the arguments."""
    from stylize_live.engine import Stylizer
    from stylize_live.evaluation.videos import measure_steadiness
    from stylize_live.reports.plots import check_plot

    # Whatever can be wrong is found before minutes of work.
    targets = _comparisons(clips, compare)
    written = [target for target in (*targets, plot) if target is not None]
    _check_targets(clips, written)
    if not overwrite:
        refuse_existing(written)
    if plot is not None:
        check_plot(plot)
    _check_videos(clips)
    reports = []
    with (
        Stylizer.from_settings(settings) as network,
        Stylizer.from_settings(settings, steadiness=amount) as smoothed,
    ):
        for clip, target in zip(clips, targets, strict=True):
            with stderr.status(cell(clip.name)):
                reports.append(
                    measure_steadiness(clip, network, smoothed, most_frames=frames, compare=target)
                )
    if plot is not None:
        _plot(plot, reports)
    if json:
        print_json([_figures(report) for report in reports], 2)
    else:
        stdout.print(_table(reports))


def _comparisons(clips: list[Path], folder: Path | None) -> list[Path | None]:
    """Where the side-by-side videos go, one for each clip."""
    if folder is None:
        return [None] * len(clips)
    make_folder(folder)
    return [folder / f"{clip.stem}.mp4" for clip in clips]


def _check_targets(clips: list[Path], targets: list[Path]) -> None:
    inputs = {clip.resolve() for clip in clips}
    seen: set[Path] = set()
    for target in targets:
        place = target.resolve()
        if place in inputs:
            raise UsageError(f"{target}: is one of the videos, choose another folder")
        if place in seen:
            raise UsageError(f"{target}: more than one of the videos would be written there")
        seen.add(place)


def _check_videos(clips: list[Path]) -> None:
    from stylize_live.media.decode.reader import VideoReader

    for clip in clips:
        VideoReader(clip).close()


def _figures(report: SteadinessReport) -> dict[str, object]:
    figures: dict[str, object] = {"clip": report.clip, "frames": report.frames}
    for name, metric in report.metrics.items():
        figures[f"warp_error_{name}"] = _known(metric.warp_error)
        figures[f"still_error_{name}"] = _known(metric.still_error)
    for name in ("warp_error", "still_error", "contrast", "energy"):
        figures[f"{name}_ratio"] = _known(report.ratio(name))
    return figures


def _known(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 5)


def _table(reports: list[SteadinessReport]) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("video", overflow="fold")
    headings = ("frames", "input", "network", "smoothed", "ratio", "still", "contrast", "sharpness")
    for heading in headings:
        table.add_column(heading, justify="right")
    for report in reports:
        errors = (_word(metric.warp_error, 4) for metric in report.metrics.values())
        names = ("warp_error", "still_error", "contrast", "energy")
        ratios = (_word(report.ratio(name), 2) for name in names)
        table.add_row(cell(Path(report.clip).stem), str(report.frames), *errors, *ratios)
    return table


def _word(value: float, digits: int) -> str:
    return "-" if math.isnan(value) else f"{value:.{digits}f}"


def _plot(path: Path, reports: list[SteadinessReport]) -> None:
    from stylize_live.reports.charts import curves
    from stylize_live.reports.plots import write_plot

    charts = [
        (
            report.clip,
            curves(
                {name: list(enumerate(metric.warp_errors)) for name, metric in report.metrics.items()},
                "frame",
                "warp error",
            ),
        )
        for report in reports
    ]
    about = "Warp error: the difference between a frame and the one before it, moved along with the input."
    write_plot(path, "Steadiness", charts, about=about)
