"""Names for people: of styles, snapshots, and lengths of time."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path

from stylize_live.files import shorten_name, slug

# Of images; a first look at one is a style.
PAINTING_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".avif", ".tif", ".tiff", ".bmp", ".gif")
_LONGEST_STYLE = 200  # bytes: file systems take 255 for a whole name
_SNAPSHOT_NAME = re.compile(r"(?!\.)[\w.-]{1,200}-[0-9]{8}-[0-9]{6}-[0-9]{3}\.(png|mp4)")


def snapshot_name(style: str, moment: datetime, suffix: str) -> str:
    """File name of a snapshot or recording, such as starry-night-20250131-201502-125.png."""
    safe = slug(display_name(style)).strip("._") or "snapshot"
    when = f"{moment:%Y%m%d-%H%M%S}-{moment.microsecond // 1000:03d}"
    return f"{shorten_name(safe, _LONGEST_STYLE)}-{when}{suffix}"


def is_snapshot_name(name: str) -> bool:
    """Whether it is one that `snapshot_name` gives; such names lead to no other folder."""
    return _SNAPSHOT_NAME.fullmatch(name) is not None


def clock_time(seconds: float) -> str:
    """A length of time as a clock shows it, such as 1:05 or 1:02:03."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def is_painting(style: str) -> bool:
    """Whether a style's name is that of an image, of which a style is made at once."""
    return style.lower().endswith(PAINTING_SUFFIXES)


def is_style_file(style: str) -> bool:
    """Whether a style's name is that of a file, or of a painting."""
    return style.endswith(".safetensors") or is_painting(style)


def display_name(style: str) -> str:
    """A style's name without folders and suffix."""
    return Path(style).stem if is_style_file(style) else style
