"""Names such as *.mp4, which the shells of Windows leave to the programs."""

from __future__ import annotations

import glob
import os
import re
import sys
from collections.abc import Iterable
from pathlib import Path

_WINDOWS = sys.platform == "win32"
_WILD = re.compile(r"[*?]")  # in no name there; brackets are in many


def expanded(paths: Iterable[Path]) -> list[Path]:
    """The files that are meant, in order; what stands for none of them stays as it was typed.

    Elsewhere shells do this, and a * that they leave is part of a name.
    """
    found: list[Path] = []
    for path in paths:
        fitting = _fitting(path) if _WINDOWS and _WILD.search(str(path)) else []
        found += fitting or [path]
    return found


def _fitting(path: Path) -> list[Path]:
    pattern = str(path).replace("[", "[[]")
    return [Path(name) for name in sorted(glob.glob(pattern), key=os.path.normcase)]  # noqa: PTH207 (any root)
