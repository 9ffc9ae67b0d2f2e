"""A benchmark as a page or an image: all times as bars, and on the page the figures beside them."""

from __future__ import annotations

from pathlib import Path

from stylize_live.bench.report import GROUPS, BenchReport
from stylize_live.bench.timing import format_figure
from stylize_live.reports import plots
from stylize_live.reports.charts import bars
from stylize_live.reports.svg import Chart

_TITLES = {
    "network": "one frame without smoothing",
    "stages": "each part alone, for one frame",
    "live": "live",
    "program": "programs",
}


def write_bench_plot(path: Path, report: BenchReport) -> None:
    """Draw all times as bars: medians, and lines from 10 to 90 %.

    Args:
        path: see `reports.plots.check_plot`.
        report: what was measured.

    Raises:
        SinkError: the file cannot be written.
    """
    plots.write_plot(
        path,
        f"Benchmark: {report.settings['size']}, {report.painter}",
        _charts(report),
        page="bench.html",
        report=report,
        shown=format_figure,
    )


def _charts(report: BenchReport) -> list[tuple[str, Chart]]:
    charts = []
    for group in GROUPS:
        rows = [row for row in report.rows if row.group == group and row.unit == "ms"]
        times = {row.name: (row.spread.low, row.spread.median, row.spread.high) for row in rows}
        if times:
            charts.append((_TITLES[group], bars(times, "ms", format_figure)))
    return charts
