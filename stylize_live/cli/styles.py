"""`stylize-live styles`: what there is to choose from."""

from __future__ import annotations

import json as json_module
from dataclasses import asdict

from rich.table import Table

from stylize_live.cli.console import print_line, stdout


def styles(*, json: bool = False) -> int:
    """List the styles that come with the program.

    Parameters
    ----------
    json
        Print a JSON list instead of a table.
    """
    rows = _rows()
    if json:
        print_line(json_module.dumps(rows, ensure_ascii=False, indent=2))
        return 0
    table = Table(box=None, header_style="bold", pad_edge=False)
    for heading in ("style", "painting", "painter", "year", "licence"):
        table.add_column(heading)
    table.add_column("size", justify="right")
    for row in rows:
        words = (str(row[key]) for key in ("name", "title", "artist", "year", "licence"))
        table.add_row(*words, f"{int(str(row['bytes'])) / 1e6:.2f} MB")
    stdout.print(table)
    return 0


def _rows() -> list[dict[str, object]]:
    from stylize_live.nets.catalogue import style_names, style_path
    from stylize_live.nets.checkpoint import read_info

    rows = []
    for name in style_names():
        path = style_path(name)
        info, training = read_info(path)
        rows.append({**asdict(info), "name": name, "bytes": path.stat().st_size, "training": training})
    return rows
