"""What is said of paintings that a style is made of at once."""

from __future__ import annotations

from stylize_live.cli.console import print_beside
from stylize_live.files import is_file
from stylize_live.naming import PAINTING_SUFFIXES, is_painting


def say_paintings(*styles: str) -> None:
    """Say which paintings are about to be looked at. Raises `StyleError` as what loads the styles does."""
    for text in styles:
        if any(suffix in text.lower() for suffix in PAINTING_SUFFIXES):
            from stylize_live.engine.style_set import style_files

            for path in style_files(text).values():
                if is_painting(path.name) and is_file(path):
                    print_beside(f"looking at {path.name}")
