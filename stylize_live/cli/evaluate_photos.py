"""`stylize-live evaluate --photos`: how good styles look, as a report."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
from rich.table import Table

from stylize_live.cli.console import cell, print_json, print_line, stderr, stdout, warn
from stylize_live.cli.progress_bars import Bars
from stylize_live.config import EngineSettings
from stylize_live.evaluation.settings import EvaluationSettings

if TYPE_CHECKING:
    from stylize_live.evaluation.photos import PhotoEvaluation
    from stylize_live.evaluation.results import EvaluationResults


def evaluate_photos(
    styles: list[str],
    photos: list[Path],
    output: Path,
    paintings: list[str],
    features: Path | None,
    lpips: Path | None,
    settings: EvaluationSettings,
    engine: EngineSettings,
    *,
    json: bool,
) -> None:
    """Judge styles on photos, write the report and print the figures; see `evaluate.evaluate`."""
    from stylize_live.evaluation.photos import EvaluationJob, PhotoEvaluation
    from stylize_live.evaluation.report import check_folder
    from stylize_live.nets.catalogue import style_names

    check_folder(output)
    job = EvaluationJob(styles or style_names(), photos, paintings, features, lpips, output, settings, engine)
    assessment = PhotoEvaluation(job)
    if paintings and assessment.without_painting:
        missing = ", ".join(assessment.without_painting)
        warn(f"no painting found for {missing}: no style and content errors")
    try:
        page = _run(assessment, output)
    except KeyboardInterrupt:
        warn("what was optimised is kept; the same command goes on")
        raise
    if json:
        print_json(assessment.results.to_dict(), 2)
    else:
        stdout.print(_table(assessment.results))
        print_line(f"report    {page}")


def _run(assessment: PhotoEvaluation, output: Path) -> Path:
    from stylize_live.evaluation.report import write_evaluation

    with _bar() as bar:
        task = bar.add_task("", total=1.0)
        said = ""

        def watch(what: str, share: float) -> None:
            nonlocal said
            bar.update(task, completed=share, description=what)
            if bar.disable and what.partition(", iteration")[0] != said:
                said = what.partition(", iteration")[0]
                stderr.print(f"{share:4.0%}  {what}", markup=False)

        assessment.paint(watch)
        page = write_evaluation(output, assessment.results)
        bar.reset(task)
        for _ in assessment.optimise(watch):
            # While it goes on, the page can be looked at.
            page = write_evaluation(output, assessment.results)
    return page


def _bar() -> Bars:
    return Bars(
        BarColumn(20),
        TextColumn("{task.percentage:3.0f} %"),
        TimeRemainingColumn(),
        TextColumn("{task.description}", markup=False),
    )


def _table(results: EvaluationResults) -> Table:
    from stylize_live.evaluation.report import HELPERS, columns, row

    table = Table(box=None, header_style="bold", pad_edge=False, caption=HELPERS, caption_justify="left")
    table.add_column("style", no_wrap=True)
    for heading in columns(results):
        table.add_column(heading, justify="right")
    for style in results.styles:
        table.add_row(cell(style.name), *row(style, results))
    return table
