"""Which painting a style was learned from, found by name among files that a user has."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from stylize_live.errors import UsageError
from stylize_live.media.image.io import SUFFIXES


def find_paintings(given: Sequence[str], styles: Sequence[str]) -> dict[str, Path]:
    """Match styles with paintings: "great-wave" with "hokusai-great-wave-1831.jpg".

    Args:
        given: files, folders of images, or NAME=FILE for files whose names do not tell. One file for
            one style needs no name.
        styles: names of styles.

    Returns:
        style name -> its painting; styles without one are left out.

    Raises:
        UsageError: a file does not exist, several files could belong to one style, or the name before
            "=" is not one of the styles.
    """
    named, files = dict[str, Path](), list[Path]()
    for text in given:
        name, equals, file = text.partition("=")
        if equals and not Path(text).exists():
            if name not in styles:
                raise UsageError(f"--paintings {text}: {name} is not one of the styles: {', '.join(styles)}")
            named[name] = _existing(Path(file))[0]
        else:
            files += _existing(Path(text))
    if len(styles) == 1 and len(given) == 1 and Path(given[0]).is_file():
        return {styles[0]: files[0]}
    found = {style: named.get(style) or _match(style, files) for style in styles}
    return {style: path for style, path in found.items() if path is not None}


def _existing(path: Path) -> list[Path]:
    if path.is_dir():
        return sorted(p for p in path.iterdir() if p.suffix.lower() in SUFFIXES and p.is_file())
    if not path.is_file():
        raise UsageError(f"--paintings: {path}: no such file or folder")
    return [path]


def _match(style: str, files: list[Path]) -> Path | None:
    """The one file whose name has all the words of the style's in a row; one of just that name wins."""
    found = [path for path in files if _words(style) in _words(path.stem)]
    found = [path for path in found if _words(path.stem) == _words(style)] or found
    if len(found) > 1:
        names = ", ".join(path.name for path in found)
        raise UsageError(f"--paintings: several files match {style} ({names}): add {style}=FILE")
    return found[0] if found else None


def _words(name: str) -> str:
    words = re.findall(r"[^\W_]+", name.lower())
    return f" {' '.join(words)} "
