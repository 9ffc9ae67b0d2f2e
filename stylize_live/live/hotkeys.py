"""The keys of a session: one table for the window, for pages, and for the help that `?` shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Hotkey:
    """One line of the table.

    Attributes:
        names: of the keys, as a display returns them.
        shown: the same for people.
        does: what they do, in words.
        on_page: who handles them on a page: the session ("show"), the page itself, or nobody.
    """

    names: tuple[str, ...]
    shown: str
    does: str
    on_page: Literal["show", "page", "nobody"] = "show"


DIGITS = tuple("0123456789")
KEYS = (
    Hotkey(DIGITS, "0-9", "that style: 1 to 9, 0 is 10; two digits for more"),
    Hotkey(("left", "right", "up", "down"), "arrows", "previous or next style"),
    Hotkey(("[", "]"), "[ and ]", "less or more strength"),
    Hotkey(("-", "+", "="), "- and +", "less or more bold, for styles that have it"),
    Hotkey((",", "."), ", and .", "smaller or larger strokes"),
    Hotkey(("c",), "c", "colours of the image or of the style"),
    Hotkey(("m",), "m", "mirror"),
    Hotkey(("s",), "s", "split view: the original at the left"),
    Hotkey(("t",), "t", "steadiness on or off"),
    Hotkey(("b",), "b", "what is painted: all, you, or the background"),
    Hotkey(("l",), "l", "learn the painting that is the style, or pause that"),
    Hotkey(("space",), "space", "pause; styles can be tried on the paused frame"),
    Hotkey(("p",), "p", "save a snapshot to the current folder"),
    Hotkey(("r",), "r", "start or stop a recording in the current folder"),
    Hotkey(("f",), "f", "full screen", "page"),
    Hotkey(("h",), "h", "the image alone, or with everything around it", "page"),
    Hotkey(("?",), "?", "show or hide these keys", "page"),
    Hotkey(("q", "escape", "closed"), "q, Esc", "end, in the window", "nobody"),
)
# Names of keys that switch one of `ViewOptions` on or off, and which.
TOGGLES = {"m": "mirror", "s": "split"}
# Names of keys that a page may press.
OF_PAGES = frozenset(name for key in KEYS if key.on_page == "show" for name in key.names)


def hotkey_rows() -> tuple[tuple[str, str], ...]:
    """The table for people: keys, and what they do."""
    return tuple((key.shown, key.does) for key in KEYS)
