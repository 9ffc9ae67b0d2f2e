"""Files that `--plot` asks for: charts as a page, or as an image."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from stylize_live.errors import SinkError, UsageError
from stylize_live.reports.page import render, write_text_file
from stylize_live.reports.svg import Chart

_KINDS = (".html", ".svg")


def check_plot(path: Path) -> None:
    """Find out whether a plot can be written before anything is measured.

    Raises:
        UsageError: the suffix is not .html or .svg.
        SinkError: its folder is not there.
    """
    if path.suffix.lower() not in _KINDS:
        raise UsageError(f"{path}: plots end in {' or '.join(_KINDS)}")
    if not path.parent.is_dir():
        raise SinkError(f"{path.parent}: no such folder")


def write_plot(
    path: Path,
    title: str,
    charts: Sequence[tuple[str, Chart]],
    *,
    page: str = "charts.html",
    **facts: object,
) -> None:
    """Write charts below each other.

    Args:
        path: see `check_plot`; .svg has the charts alone.
        title: of all of them.
        charts: each with its heading.
        page: template of the page.
        facts: what else the page shows.

    Raises:
        SinkError: the file cannot be written.
    """
    template = page if path.suffix.lower() == ".html" else "charts.svg"
    write_text_file(path, render(template, title=title, charts=charts, **facts))
