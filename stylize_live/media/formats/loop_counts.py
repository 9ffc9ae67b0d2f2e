"""How often animated images play."""

from __future__ import annotations

from pathlib import Path

from stylize_live.errors import SourceError
from stylize_live.media.image.formats import open_image

_FOR_EVER = 0


def loop_count(path: Path) -> int:
    """How many times an animated GIF or PNG is played, 0 for ever, as all other videos are."""
    try:
        with open_image(path) as image:
            loop = image.info.get("loop")
            if image.format not in ("GIF", "PNG"):
                return _FOR_EVER
            if image.format == "PNG":
                return int(loop or _FOR_EVER)
            # GIF says how often it is played again.
            return 1 if loop is None else loop and loop + 1
    except (SourceError, OSError, ValueError, SyntaxError):
        return _FOR_EVER


def loop_options(format_name: str, plays: int) -> dict[str, str]:
    """Options of .gif and .webp, by FFmpeg's names.

    Args:
        format_name: "gif" or "webp".
        plays: how many times to play, 0 for ever.
    """
    again = -1 if plays == 1 else max(0, plays - 1)
    return {"loop": str(again if format_name == "gif" else plays)}
