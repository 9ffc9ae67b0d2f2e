"""A benchmark as a picture. Needs matplotlib, the extra `report`."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from stylize_live.bench.report import GROUPS, BenchReport, Row
from stylize_live.bench.timing import shown
from stylize_live.errors import SinkError, UsageError
from stylize_live.files import replacing
from stylize_live.installing import command_for

_SUFFIXES = (".png", ".svg", ".pdf")
_INCHES = 0.32  # height of a bar
_TITLES = {
    "network": "one picture without smoothing, ms",
    "stages": "each part alone, ms a picture",
    "live": "live, ms",
    "program": "programs, ms",
}


def check_plot(path: Path) -> None:
    """Find out before anything is measured whether a plot can be written.

    Raises:
        UsageError: matplotlib is not installed, or the suffix is not .png, .svg or .pdf.
    """
    if path.suffix.lower() not in _SUFFIXES:
        raise UsageError(f"{path}: cannot plot into this kind of file, use one of {', '.join(_SUFFIXES)}")
    if find_spec("matplotlib") is None:
        raise UsageError(f"--plot needs matplotlib: {command_for('matplotlib')}")


def write_plot(path: Path, report: BenchReport) -> None:
    """Draw all times as bars: medians, and lines from 10 to 90 %.

    Raises:
        SinkError: the file cannot be written.
    """
    from matplotlib.figure import Figure

    groups = {name: [row for row in report.rows if row.group == name and row.unit == "ms"] for name in GROUPS}
    groups = {name: rows for name, rows in groups.items() if rows}
    counts = [len(rows) + 1.5 for rows in groups.values()]
    figure = Figure(figsize=(8, _INCHES * sum(counts) + 0.6), layout="constrained")
    figure.suptitle(f"{report.settings['size']}, {report.painter}", fontsize="medium")
    panels = figure.subplots(len(groups), 1, squeeze=False, gridspec_kw={"height_ratios": counts})
    for axes, (name, rows) in zip(panels[:, 0], groups.items(), strict=True):
        axes.set_title(_TITLES[name], fontsize="small", loc="left")
        _draw(axes, rows)
    try:
        with replacing(path) as temporary:
            figure.savefig(temporary, dpi=110)
    except OSError as error:
        raise SinkError(f"{path}: cannot write: {error.strerror}") from None


def _draw(axes: Any, rows: list[Row]) -> None:
    bars = axes.barh(
        [row.name for row in rows],
        [row.spread.median for row in rows],
        xerr=[
            [row.spread.median - row.spread.low for row in rows],
            [row.spread.high - row.spread.median for row in rows],
        ],
        color="#4a7fb5",
        ecolor="#333333",
        height=0.6,
    )
    axes.bar_label(bars, [shown(row.spread.median) for row in rows], padding=6, fontsize="small")
    axes.invert_yaxis()
    axes.margins(x=0.12)
    axes.tick_params(labelsize="small")
    axes.spines[["top", "right"]].set_visible(False)
