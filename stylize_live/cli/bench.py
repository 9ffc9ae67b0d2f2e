"""`stylize-live bench`: how fast everything is here."""

from __future__ import annotations

import json as json_module
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter
from rich.table import Table

from stylize_live.bench.timing import format_figure
from stylize_live.cli.completion import complete_style_names
from stylize_live.cli.console import print_json, print_line, stderr, stdout
from stylize_live.config import BenchSettings, merge_config
from stylize_live.errors import SinkError

if TYPE_CHECKING:
    from stylize_live.bench.report import BenchReport

_DEFAULT_SETTINGS = BenchSettings()
complete_style_names(BenchSettings)
_TITLES = {
    "network": "network",
    "stages": "parts",
    "live": "live",
    "convert": "convert",
    "program": "program",
}


def bench(
    *,
    output: Annotated[Path | None, Parameter(name=["--output", "-o"])] = None,
    json: bool = False,
    plot: Path | None = None,
    config: Path | None = None,
    settings: Annotated[BenchSettings, Parameter(name="*")] = _DEFAULT_SETTINGS,
) -> int:
    """Measure how fast everything is on this machine, in a minute or two.

    On a video of a moving pattern, made for it:
      network   one frame without smoothing, pixels in and pixels out, under
                every runtime and precision that is installed
      parts     each part of the work alone, for one frame
      live      the command itself in real time: rate, drops, latency, how
                much is painted; a second table says which promises about
                that are kept (they are meant for 640x360)
      convert   the command itself: rate, and share of the ideal, in which all
                parts overlap and the slowest one never waits
      program   imports, start-up, and the most memory held

    Everything is measured in three rounds. Shown are the median and the 10th and
    90th percentile. Close other programs first.

    Parameters
    ----------
    output
        Write all figures into this .json file, too.
    json
        Print the result as JSON, alone on standard output.
    plot
        Show the figures as a page, .html, or draw the times into an image, .svg.
    config
        TOML file of settings; options given here win.
    """
    settings = merge_config(settings, config)
    from stylize_live.bench.plot import write_bench_plot
    from stylize_live.bench.run import run_bench
    from stylize_live.reports.plots import check_plot

    if plot is not None:
        check_plot(plot)
    with stderr.status("measuring") as status:
        report = run_bench(settings, lambda step: status.update(step))
    if json:
        print_json(report.as_dict(), 2)
    else:
        _print(report)
    if output is not None:
        _write_json(output, report)
    if plot is not None:
        write_bench_plot(plot, report)
    return 0


def _print(report: BenchReport) -> None:
    machine = report.machine
    gpu = f", {machine['gpu']}" if machine["gpu"] else ""
    cores = f"{machine['cores']} cores{gpu}"
    print_line(f"{machine['processor']}, {machine['instructions']}, {cores}, {machine['system']}")
    limits = machine["limits"]
    if isinstance(limits, dict) and limits:
        print_line(f"limited by {', '.join(f'{name}={value}' for name, value in limits.items())}")
    versions = machine["versions"]
    if isinstance(versions, dict):
        print_line(", ".join(f"{name} {version}" for name, version in versions.items()))
    print_line(f"{report.settings['size']}, {report.settings['style']}, {report.painter}")
    if machine["load"] is not None:
        print_line(f"load before: {machine['load']}; took {report.seconds:.0f} s")
    table = Table(box=None, header_style="bold", pad_edge=False)
    for heading in ("", "measured"):
        table.add_column(heading, no_wrap=True)
    for heading in ("median", "10-90 %"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("")
    before = ""
    for row in report.rows:
        title = _TITLES[row.group] if row.group != before else ""
        table.add_row(title, row.name, *row.spread.words(), row.unit)
        before = row.group
    stdout.print(table)
    _print_promises(report)


def _print_promises(report: BenchReport) -> None:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for heading in ("live, at 30 fps", "promised"):
        table.add_column(heading, no_wrap=True)
    table.add_column("measured", justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    for verdict in report.promises:
        words = "kept" if verdict.kept else "[bold red]broken[/]"
        table.add_row(verdict.name, verdict.promised, format_figure(verdict.measured), words)
    if table.row_count:
        print_line("")
        stdout.print(table)


def _write_json(path: Path, report: BenchReport) -> None:
    text = json_module.dumps(report.as_dict(), indent=2)
    from stylize_live.files import replacing

    try:
        with replacing(path) as temporary:
            temporary.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise SinkError(f"{path}: cannot write: {os.strerror(error.errno or 0)}") from None
