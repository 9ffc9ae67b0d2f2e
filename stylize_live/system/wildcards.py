"""Names such as *.mp4, which the shells of Windows leave to the programs."""

from __future__ import annotations

import glob
import os
import re
import sys
from collections.abc import Iterable
from pathlib import Path

from stylize_live.errors import SourceError

_WINDOWS = sys.platform == "win32"
_WILD = re.compile(r"[*?]")  # in no name there; brackets are in many


def expand(paths: Iterable[Path]) -> list[Path]:
    """The files that are meant, in order.

    Elsewhere shells do this, and a * that they leave is part of a name.

    Raises:
        SourceError: there are none of such a name.
    """
    found: list[Path] = []
    for path in paths:
        is_wild = _WINDOWS and _WILD.search(str(path))
        fitting = _matching(path) if is_wild else [path]
        if not fitting:
            raise SourceError(f"{path}: no such files")
        found += fitting
    return found


def _matching(path: Path) -> list[Path]:
    pattern = str(path).replace("[", "[[]")
    return [Path(name) for name in sorted(glob.glob(pattern), key=os.path.normcase)]  # noqa: PTH207 (any root)
