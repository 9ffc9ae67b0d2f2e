"""Times, rates, sizes and colors as people write them.

How long a text is and how large a number are bounded before anything is computed: 1e100000000 is a short text
and a number that takes minutes.
"""

from __future__ import annotations

import re
from fractions import Fraction

from stylize_live.wording import shorten

# Written short by everybody, meant exactly.
_NTSC = {"23.976": 24, "23.98": 24, "29.97": 30, "47.95": 48, "59.94": 60, "119.88": 120}
_DECIMAL = re.compile(r"([0-9]{1,18}(\.[0-9]{0,30})?|\.[0-9]{1,30})([eE][+-]?[0-9]{1,2})?")
_RATIO = re.compile(r"[0-9]{1,18}/0*[1-9][0-9]{0,17}")
_BOX = re.compile(r"([0-9]{1,9})[xX]([0-9]{1,9})")
_LINES = re.compile(r"([0-9]{1,9})[pP]?")
_LEAST_SIDE, _MOST_SIDE = 16, 16_384
MOST_SECONDS = 10**9  # thirty years
_SHOWN = 60  # characters of what cannot be read


def parse_color(text: str) -> tuple[int, int, int] | None:
    """RGB, 0 to 255, of a color as CSS writes it, such as "#0f0", "#00ff00" or "navy"; None if it is none."""
    if len(text) > _SHOWN:
        return None
    from PIL import ImageColor  # takes a moment to load, and is rarely needed

    try:
        color = ImageColor.getrgb(text.strip())
    except ValueError:
        return None
    return (color[0], color[1], color[2]) if len(color) == 3 else None


def parse_seconds(text: str) -> Fraction:
    """A time such as "12.5", "1:30" or "1:02:03.5", in seconds, exact.

    Raises:
        ValueError: it is none.
    """
    parts = text.strip().split(":", 3)
    values = [_number(part) for part in parts[:3]]
    known = [value for value in values if value is not None]
    if (
        len(known) < len(parts)
        or any(value >= 60 for value in known[1:])
        or any(value.denominator != 1 for value in known[:-1])
    ):
        raise ValueError(f"{_quote(text)} is not a valid time; expected 12.5 or 1:02:03.5")
    total = Fraction(0)
    for value in known:
        total = total * 60 + value
    if total > MOST_SECONDS:
        raise ValueError(f"{_quote(text)} is not a valid time: the longest is {MOST_SECONDS} seconds")
    return total


def parse_rate(text: str) -> Fraction:
    """Frames per second such as "25", "29.97" (taken as 30000/1001) or "24000/1001", exact.

    Raises:
        ValueError: it is none, or not between 1/10 and 1000.
    """
    text = text.strip()
    if text in _NTSC:
        return Fraction(_NTSC[text] * 1000, 1001)
    value = _number(text)
    if value is None:
        raise ValueError(f"{_quote(text)} is not a valid frame rate; expected 25, 29.97 or 30000/1001")
    if not Fraction(1, 10) <= value <= 1000:
        raise ValueError(f"{_quote(text)} is not a valid frame rate: it must be from 0.1 to 1000")
    return value


def fit_size(text: str, size: tuple[int, int]) -> tuple[int, int]:
    """The size that an image gets, its shape kept, sides even.

    Args:
        text: "1280x720", a box to fit into, or "720p", the length of the shorter side.
        size: (width, height) of the image in pixels.

    Raises:
        ValueError: the text is not a valid size.
    """
    width, height = size
    if box := _BOX.fullmatch(text.strip()):
        scale = min(Fraction(_side(box[1]), width), Fraction(_side(box[2]), height))
    elif lines := _LINES.fullmatch(text.strip()):
        scale = Fraction(_side(lines[1]), min(size))
    else:
        raise ValueError(f"{_quote(text)} is not a valid size; expected 1280x720 or 720p")
    return max(2, 2 * round(width * scale / 2)), max(2, 2 * round(height * scale / 2))


def square_pixels(size: tuple[int, int], aspect: Fraction) -> tuple[int, int]:
    """The size that shows the same with square pixels, sides even; nothing becomes smaller.

    Args:
        size: (width, height) of the image in pixels.
        aspect: width of its pixels over their height.
    """
    width, height = size[0] * max(aspect, Fraction(1)), size[1] / min(aspect, Fraction(1))
    return max(2, 2 * round(width / 2)), max(2, 2 * round(height / 2))


def _number(text: str) -> Fraction | None:
    """12.5, 1e-3 or 24000/1001, exact; None for what is none, or has too many digits."""
    return Fraction(text) if _DECIMAL.fullmatch(text) or _RATIO.fullmatch(text) else None


def _quote(text: str) -> str:
    return repr(shorten(text, _SHOWN))


def _side(digits: str) -> int:
    if not _LEAST_SIDE <= int(digits) <= _MOST_SIDE:
        raise ValueError(
            f"a side of {digits} pixels is not usable, it goes from {_LEAST_SIDE} to {_MOST_SIDE}"
        )
    return int(digits)
