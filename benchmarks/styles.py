"""Print the styles' table of docs/gallery.md: the figures that each style's training recorded.

python benchmarks/styles.py
"""

from __future__ import annotations

from stylize_live.nets.catalogue import style_path
from stylize_live.nets.checkpoint import read_info
from stylize_live.nets.style_folders import shipped_names


def main() -> None:
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


if __name__ == "__main__":
    main()
