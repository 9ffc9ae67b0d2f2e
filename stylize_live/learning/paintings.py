"""Which styles are paintings, and so can be learnt."""

from __future__ import annotations

from pathlib import Path

from stylize_live.files import is_file
from stylize_live.naming import is_painting
from stylize_live.nets.catalogue import style_path


def painting_of(style: str) -> Path | None:
    """The image file that a style's text names; None for any other style, for blends and timelines."""
    if not is_painting(style):
        return None
    path = style_path(style)
    return path if is_file(path) else None
