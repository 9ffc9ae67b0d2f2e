"""Words from files, pages and command lines, made fit to be shown: on one line, not long, and nothing in
them that a terminal or a browser would interpret."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager

MOST_SHOWN = 600  # characters of a message; paths and values in it come from anywhere
# Control characters (a terminal obeys them), ends of lines, halves of characters (which nothing can encode),
# and what turns the direction of text around, so that it reads as something else.
_UNFIT = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_GAP = " [...] "
_as_flags = False  # whether messages name options as the command line does


def is_plain(text: str) -> bool:
    """Whether a text can be shown as it is: printable, on one line, and running one way."""
    return _UNFIT.search(text) is None


def plain(text: str) -> str:
    """A text with what is unfit in it spelt out, such as \\x1b; all else as it is."""
    return _UNFIT.sub(lambda found: _spelt(found[0]), text)


def shorten(text: str, most: int = MOST_SHOWN) -> str:
    """A plain text of so many characters at most: its beginning and its end, if it has more.

    A message names a file or a value first and says at its end what is wrong with it.
    """
    if len(text) > most:
        text = text[:most] + _GAP + text[-most:]  # what is left out need not be looked at
    text = plain(text)
    if len(text) <= most:
        return text
    tail = most // 3
    return text[: most - tail - len(_GAP)] + _GAP + text[-tail:]


def strip_accents(text: str) -> str:
    """A text whose letters have lost their accents: the font that images are written on with has none."""
    return "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))


def as_json(value: object, indent: int | None = None) -> str:
    """JSON for people and programs: all languages readable, what is unfit in them escaped."""
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    lines = text.split("\n")  # those of the indentation: in values they are escaped already
    return "\n".join(_UNFIT.sub(lambda found: f"\\u{ord(found[0]):04x}", line) for line in lines)


def _spelt(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


@contextmanager
def options_as_flags() -> Iterator[None]:
    """Messages name options as the command line does meanwhile, in all threads; else as Python does."""
    global _as_flags
    before, _as_flags = _as_flags, True
    try:
        yield
    finally:
        _as_flags = before


def are_flags() -> bool:
    """Whether messages name options as the command line does."""
    return _as_flags


def option(name: str, value: str | bool | int | None = None) -> str:
    """An option, named as whoever reads it would type it.

    Args:
        name: as in the settings, such as "keep_colors".
        value: that it is to have; None names the option alone.

    Returns:
        "--crf 23" or "crf=23", "--no-window" or "window=False", "--crf" or "crf".
    """
    if _as_flags:
        flag = name.replace("_", "-")
        if isinstance(value, bool):
            return f"--{flag}" if value else f"--no-{flag}"
        return f"--{flag}" if value is None else f"--{flag} {value}"
    return name if value is None else f"{name}={value!r}"
