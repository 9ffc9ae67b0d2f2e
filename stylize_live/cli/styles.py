"""`stylize-live styles`: what there is to choose from."""

from __future__ import annotations

from dataclasses import asdict
from itertools import count
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.progress import TimeRemainingColumn
from rich.table import Table

from stylize_live.cli.console import cell, print_json, print_line, stdout
from stylize_live.cli.progress_bars import Bars, NameColumn, bar_column, figures_column
from stylize_live.cli.targets import refuse_existing
from stylize_live.errors import UsageError


def styles(
    *names: str,
    sheet: Path | None = None,
    photos: Annotated[list[Path] | None, Parameter(consume_multiple=True, negative="")] = None,
    overwrite: bool = False,
    json: bool = False,
) -> int:
    """List the styles that come with the program, or show them on a photo.

    For example: styles --sheet styles.jpg --photos face.jpg street.jpg

    Parameters
    ----------
    names
        Only these: names, style files or paintings, on a sheet also blends; default is all that come with
        the program.
    sheet
        Image file for a contact sheet: the photos and all styles, names written under them.
    photos
        Images to paint on the sheet.
    overwrite
        Replace a sheet that exists.
    json
        Print the result as JSON, alone on standard output; it also has licences, sizes and training records.
    """
    if sheet is not None:
        if json:
            raise UsageError("--json has no meaning with --sheet")
        return _write_sheet(sheet, list(names), photos, overwrite)
    if photos is not None:
        raise UsageError("--photos needs --sheet FILE to paint them on")
    rows = _rows(list(names))
    if json:
        print_json(rows, 2)
        return 0
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("style", no_wrap=True)  # what has to be typed stays whole
    for heading in ("painting", "painter", "year"):  # licences and sizes: --json
        table.add_column(heading)
    for row in rows:
        title = f"{row['title']} {_unfinished_note(row['training'])}".strip()
        table.add_row(*(cell(text) for text in (row["name"], title, row["artist"], row["year"])))
    stdout.print(table)
    return 0


def _rows(names: list[str]) -> list[dict[str, object]]:
    from stylize_live.engine.style_loading import read_style_info
    from stylize_live.nets.catalogue import style_names, style_path

    rows = []
    for name in names or style_names():
        path = style_path(name)
        info, training = read_style_info(path)
        rows.append({**asdict(info), "name": name, "bytes": path.stat().st_size, "training": training})
    return rows


def _unfinished_note(training: object) -> str:
    """How far a style's training got, if it was interrupted; else nothing."""
    from stylize_live.nets.checkpoint import UNFINISHED

    share = training.get(UNFINISHED) if isinstance(training, dict) else None
    return f"(unfinished: {share:.0%} trained)" if isinstance(share, float | int) else ""


def _write_sheet(target: Path, names: list[str], photos: list[Path] | None, overwrite: bool) -> int:
    from stylize_live.conversion.style_sheet import paint_style_sheet
    from stylize_live.media.image.io import Still, image_format, write_image
    from stylize_live.nets.catalogue import style_names

    image_format(target)
    if not photos:
        raise UsageError("--sheet needs a photo to paint: --photos face.jpg street.jpg")
    if not overwrite:
        refuse_existing([target])
    chosen = names or style_names()
    with Bars(NameColumn(), bar_column(), figures_column("count"), TimeRemainingColumn()) as bar:
        task = bar.add_task("preparing", total=len(chosen), count="")
        turns = count()

        def show(style: str) -> None:
            done = next(turns)
            bar.update(task, description=style, completed=done, count=f"{done}/{len(chosen)}")

        pixels = paint_style_sheet(chosen, photos, on_style=show)
    write_image(target, Still(pixels))
    print_line(str(target))
    return 0
