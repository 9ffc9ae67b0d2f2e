"""The styles that come with the package, and how a user's words become a network's weights."""

from __future__ import annotations

import difflib
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from stylize_live.errors import StyleError
from stylize_live.nets.checkpoint import Checkpoint, blend, load_checkpoint

WEIGHTS = Path(__file__).parent / "weights"
BASE = WEIGHTS / "base.safetensors"


def style_names() -> list[str]:
    """Names of the shipped styles, sorted."""
    return sorted(path.stem for path in WEIGHTS.glob("*.safetensors") if path != BASE)


def style_path(text: str) -> Path:
    """The file of a shipped style's name, or of a path.

    Raises:
        StyleError: no shipped style has that name; the nearest names are given.
    """
    if text.endswith(".safetensors") or "/" in text or "\\" in text:
        return Path(text).expanduser()
    names = style_names()
    if text in names:
        return WEIGHTS / f"{text}.safetensors"
    near = difflib.get_close_matches(text, names, 3, 0.4)
    hint = f"did you mean {' or '.join(near)}?" if near else f"there are: {', '.join(names)}"
    raise StyleError(f"unknown style {text!r}: {hint}")


def load_style(text: str) -> Checkpoint:
    """Load a style by name, by path, or a blend such as ``starry-night:0.6,great-wave:0.4``.

    Raises:
        StyleError: unknown name, unreadable file, a share that is no positive number, or networks
            that cannot be blended.
    """
    shares = style_shares(text)
    checkpoints = {name: _load_cached(style_path(name)) for name in shares}
    if len(shares) == 1:
        return next(iter(checkpoints.values()))
    first = next(iter(checkpoints.values()))
    info = replace(first.info, name=text, title=" + ".join(c.info.title for c in checkpoints.values()))
    return Checkpoint(info, first.architecture, blend(checkpoints, shares))


@lru_cache(maxsize=32)
def _load_cached(path: Path) -> Checkpoint:
    return load_checkpoint(path)


def style_shares(text: str) -> dict[str, float]:
    """The styles that a blend's text names, and their shares; of any other text, itself.

    Raises:
        StyleError: a share is no positive number.
    """
    if "," not in text:
        return {text: 1.0}
    shares: dict[str, float] = {}
    for part in text.split(","):
        name, colon, number = part.strip().rpartition(":")
        try:
            share = float(number) if colon else 1.0
        except ValueError:
            share = -1.0
        if not 0 < share < float("inf"):
            raise StyleError(f"blend {text!r}: {part.strip()!r} needs a positive share, like great-wave:0.4")
        shares[name if colon else part.strip()] = share
    return shares
