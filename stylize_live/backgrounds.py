"""What can stand in place of the background behind people, as people write it."""

from __future__ import annotations

import difflib
import re
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

from stylize_live.units import parse_color

BLUR, TRANSPARENT, NONE = "blur", "transparent", "none"
_WORDS = (BLUR, TRANSPARENT, NONE)
# What no name of a color has, and files have: a suffix, or a folder before them.
_LIKE_A_FILE = re.compile(r"[./\\]")
_URL = re.compile(r"[a-z][a-z0-9+.-]+://", re.IGNORECASE)
_SHOWN = 60  # characters of what cannot be read


@dataclass(frozen=True, slots=True)
class Background:
    """What stands behind people.

    Attributes:
        kind: "kept" is the background as it is, "file" an image or a video.
        color: RGB, 0 to 255, of kind "color".
        path: of kind "file".
    """

    kind: Literal["kept", "blur", "transparent", "color", "file"]
    color: tuple[int, int, int] = (0, 0, 0)
    path: Path = Path()

    @property
    def has_content(self) -> bool:
        """Whether there is something in it that can be painted."""
        return self.kind in ("kept", "blur", "file")

    @property
    def covers(self) -> bool:
        """Whether it is seen wherever no people are, also where an image is transparent."""
        return self.kind in ("color", "file")


@lru_cache(maxsize=32)
def parse_background(text: str) -> Background:
    """Read "", "none", "blur", "transparent", "#00ff00", "navy" or the path of an image or video file.

    No file is opened.

    Raises:
        ValueError: it is none of them; the message says what is expected.
    """
    word = text.strip()
    if word.lower() in ("", NONE):
        return Background("kept")
    if word.lower() == BLUR:
        return Background("blur")
    if word.lower() == TRANSPARENT:
        return Background("transparent")
    if (color := parse_color(word)) is not None:
        return Background("color", color=color)
    if _URL.match(word):
        raise ValueError("expected a file, not a URL: download it, and name the file")
    if not word.startswith("#") and (_LIKE_A_FILE.search(word) or _is_file(word)):
        return Background("file", path=Path(word))
    near = difflib.get_close_matches(word.lower()[:_SHOWN], _WORDS, 1)
    hint = f" (did you mean {near[0]}?)" if near else ""
    raise ValueError(
        f"expected blur, transparent, a colour such as #00ff00 or navy, or an image or video file such as "
        f"beach.jpg{hint}"
    )


def _is_file(text: str) -> bool:
    with suppress(OSError):  # such as a name that is too long
        return Path(text).is_file()
    return False
