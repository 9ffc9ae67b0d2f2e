"""`stylize-live evaluate --steadiness`: how steady painted films are."""

from __future__ import annotations

import json as json_module
import math
from pathlib import Path
from typing import TYPE_CHECKING

from rich.table import Table

from stylize_live.cli.console import print_line, stderr, stdout
from stylize_live.config import EngineSettings

if TYPE_CHECKING:
    from stylize_live.pipeline.steadiness import SteadinessReport


def evaluate_films(
    clips: list[Path],
    settings: EngineSettings,
    *,
    amount: float,
    frames: int | None,
    compare: Path | None,
    plot: Path | None,
    json: bool,
) -> None:
    """Judge smoothing on films, and print what came out; see `evaluate.evaluate` for the arguments."""
    from stylize_live.engine import Stylizer
    from stylize_live.pipeline.steadiness import judge

    if compare is not None:
        compare.mkdir(parents=True, exist_ok=True)
    reports = []
    with (
        Stylizer.from_settings(settings) as network,
        Stylizer.from_settings(settings, steadiness=amount) as smoothed,
    ):
        for clip in clips:
            target = compare / f"{clip.stem}.mp4" if compare is not None else None
            with stderr.status(clip.name):
                reports.append(judge(clip, network, smoothed, most_frames=frames, compare=target))
    if plot is not None:
        _plot(plot, reports)
    if json:
        print_line(json_module.dumps([_figures(report) for report in reports], indent=2))
    else:
        stdout.print(_table(reports))


def _figures(report: SteadinessReport) -> dict[str, object]:
    figures: dict[str, object] = {"clip": report.clip, "frames": report.frames}
    for name, tally in report.tallies.items():
        figures[f"warp_error_{name}"] = _known(tally.warp_error)
        figures[f"still_error_{name}"] = _known(tally.still_error)
    for name in ("warp_error", "still_error", "contrast", "energy"):
        figures[f"{name}_ratio"] = _known(report.ratio(name))
    return figures


def _known(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 5)


def _table(reports: list[SteadinessReport]) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("film", overflow="fold")
    headings = ("frames", "input", "network", "smoothed", "ratio", "still", "contrast", "sharpness")
    for heading in headings:
        table.add_column(heading, justify="right")
    for report in reports:
        errors = (f"{tally.warp_error:.4f}" for tally in report.tallies.values())
        ratios = (report.ratio(name) for name in ("warp_error", "still_error", "contrast", "energy"))
        words = ("-" if math.isnan(ratio) else f"{ratio:.2f}" for ratio in ratios)
        table.add_row(Path(report.clip).stem, str(report.frames), *errors, *words)
    return table


def _plot(path: Path, reports: list[SteadinessReport]) -> None:
    from stylize_live.errors import UsageError
    from stylize_live.files import replacing

    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise UsageError("--plot needs matplotlib: pip install 'stylize-live[report]'") from None
    figure = Figure(figsize=(9, 2.2 * len(reports)), layout="constrained")
    for row, report in enumerate(reports, start=1):
        axes = figure.add_subplot(len(reports), 1, row)
        for name, tally in report.tallies.items():
            axes.plot(tally.warp_errors, label=name)
        axes.set_title(report.clip, fontsize="small", loc="left")
        axes.set_ylabel("warp error")
        axes.set_ylim(bottom=0)
        axes.legend(fontsize="small", loc="upper right")
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=110, format=path.suffix.removeprefix(".") or "png")
