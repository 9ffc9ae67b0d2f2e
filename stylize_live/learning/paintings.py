"""Which styles are paintings, and so can be learnt."""

from __future__ import annotations

from pathlib import Path

from stylize_live.files import is_file
from stylize_live.naming import PAINTING_SUFFIXES, is_painting
from stylize_live.nets.catalogue import style_path
from stylize_live.wording import option


def painting_of(style: str) -> Path | None:
    """The image file that a style's text names; None for any other style, for blends and timelines."""
    if not is_painting(style):
        return None
    path = style_path(style)
    return path if is_file(path) else None


def explain_no_painting(style: str) -> str:
    """Why a style cannot be learnt, for whoever asked for `--learn`."""
    if is_painting(style) and "," not in style:
        return f"{style}: no such file, so there is nothing to learn"
    if any(suffix in style.lower() for suffix in PAINTING_SUFFIXES):
        return (
            f"{option('learn')} learns one painting, no blend and no timeline: learn it first, then blend it"
        )
    return f"{option('learn')} learns a painting: name an image file with {option('style')}"
