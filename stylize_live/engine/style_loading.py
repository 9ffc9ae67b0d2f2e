"""How words become a network's weights: a style's name, its file, a painting, or a blend of these."""

from __future__ import annotations

import sys
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import Any

from stylize_live.engine.timeline import Timeline
from stylize_live.errors import StyleError
from stylize_live.naming import is_painting
from stylize_live.nets.catalogue import style_path, style_shares
from stylize_live.nets.checkpoint import Checkpoint, StyleInfo, blend, load_checkpoint, read_info


def load_style(text: str) -> Checkpoint:
    """Load a style by name, by path, or a blend such as ``starry-night:0.6,great-wave:0.4``.

    The path of an image gives a first look at that painting, see `engine/first_look`.

    Raises:
        StyleError: unknown name, unreadable file, a share that is no positive number, or networks
            that cannot be blended.
    """
    shares = style_shares(text)
    checkpoints = {name: load_file(style_path(name)) for name in shares}
    if len(shares) == 1:
        return next(iter(checkpoints.values()))
    first = next(iter(checkpoints.values()))
    info = _join_info(text, [checkpoint.info for checkpoint in checkpoints.values()])
    bold, faithful = blend(checkpoints, shares)
    return Checkpoint(info, first.architecture, bold, faithful=faithful)


def load_file(path: Path) -> Checkpoint:
    """The style of a file, or of a painting. Asking again gives the same object. Raises `StyleError`."""
    if not is_painting(path.name):
        return _load_cached(path)
    # Loaded only here: most styles are no paintings.
    from stylize_live.engine.first_look.first_look import look_at

    return look_at(path).checkpoint


def takes_long(text: str) -> bool:
    """Whether a style names a painting that was not looked at yet, which takes about a second.

    Of words and files that cannot be used: False; whoever loads them hears why.
    """
    try:
        paths = [style_path(name) for part in Timeline.parse(text).styles for name in style_shares(part)]
        paintings = [path for path in paths if is_painting(path.name)]
        first_look = sys.modules.get("stylize_live.engine.first_look.first_look")  # or nothing was looked at
        return bool(paintings) and (first_look is None or not all(map(first_look.was_looked_at, paintings)))
    except (StyleError, OSError):
        return False


def read_style_info(path: Path) -> tuple[StyleInfo, dict[str, Any]]:
    """The description and training record of a file's style. Raises `StyleError`."""
    if not is_painting(path.name):
        return read_info(path)
    checkpoint = load_file(path)
    return checkpoint.info, checkpoint.training


def _join_info(name: str, infos: list[StyleInfo]) -> StyleInfo:
    """The description of a blend: those of all its parts, joined, each text once."""
    parts = [asdict(info) for info in infos]
    joined = {key: " + ".join(dict.fromkeys(part[key] for part in parts if part[key])) for key in parts[0]}
    return StyleInfo(**{**joined, "name": name})


@lru_cache(maxsize=32)
def _load_cached(path: Path) -> Checkpoint:
    return load_checkpoint(path)
