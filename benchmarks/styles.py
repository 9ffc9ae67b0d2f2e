"""Make the styles' contact sheet and table again from the shipped weights.

    python benchmarks/styles.py docs/originals/*.jpg samples/snow-mountain.jpg -o docs/styles.jpg

The sheet has a row for each picture: the original, then every style. The table on stdout gives the
figures that each style's training recorded.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from stylize_live.engine import Stylizer
from stylize_live.frame import Pixels
from stylize_live.media.still import Still, read_still, resized, write_still
from stylize_live.nets.catalogue import shipped_names, style_path
from stylize_live.nets.checkpoint import read_info

CELL = (480, 270)


def centre(pixels: Pixels) -> Pixels:
    """The middle of a picture, in the shape of a cell and not enlarged."""
    width, height = CELL
    scale = max(width / pixels.shape[1], height / pixels.shape[0])
    scaled = resized(pixels, max(1, round(min(pixels.shape[:2]) * scale)))
    top, left = (scaled.shape[0] - height) // 2, (scaled.shape[1] - width) // 2
    return scaled[top : top + height, left : left + width]


def sheet(pictures: list[Path]) -> Pixels:
    """One row for each picture, one column for the original and each style."""
    originals = [read_still(path).pixels for path in pictures]
    columns = [np.concatenate([centre(p) for p in originals])]
    for name in shipped_names():
        stylizer = Stylizer(name)
        columns.append(np.concatenate([centre(stylizer(p)) for p in originals]))
    return np.ascontiguousarray(np.concatenate(columns, axis=1))


def print_table() -> None:
    """The training records as Markdown."""
    print("| style | style error | content error | photos | steps | minutes | device | from |")
    print("|---|---|---|---|---|---|---|---|")
    for name in shipped_names():
        _, t = read_info(style_path(name))
        row = (
            name,
            t["style_error"],
            t["content_error"],
            t["photos_measured"],
            t["steps"],
            t["minutes"],
            t["device"],
            t["started_from"],
        )
        print("| " + " | ".join(map(str, row)) + " |")


def main() -> None:
    """Parse the command line and do both."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("pictures", nargs="+", type=Path)
    parser.add_argument("-o", "--output", required=True, type=Path)
    arguments = parser.parse_args()
    write_still(arguments.output, Still(sheet(arguments.pictures)))
    print_table()


if __name__ == "__main__":
    main()
