"""Times, rates and sizes as people write them."""

from __future__ import annotations

import re
from fractions import Fraction

# Written short by everybody, meant exactly.
_NTSC = {"23.976": 24, "23.98": 24, "29.97": 30, "47.95": 48, "59.94": 60, "119.88": 120}
_BOX = re.compile(r"(\d+)[xX](\d+)")
_LINES = re.compile(r"(\d+)[pP]?")
_LEAST_SIDE, _MOST_SIDE = 16, 16_384


def seconds(text: str) -> Fraction:
    """A time such as "12.5", "1:30" or "1:02:03.5", in seconds, exact.

    Raises:
        ValueError: it is none.
    """
    parts = text.strip().split(":")
    try:
        if len(parts) > 3 or any(not part or part[0] in "+-" for part in parts):
            raise ValueError
        values = [Fraction(part) for part in parts]
    except ValueError:
        raise ValueError(f"{text!r} is no time, write 12.5 or 1:02:03.5") from None
    if any(value >= 60 for value in values[1:]) or any(value.denominator != 1 for value in values[:-1]):
        raise ValueError(f"{text!r} is no time, write 12.5 or 1:02:03.5")
    total = Fraction(0)
    for value in values:
        total = total * 60 + value
    return total


def rate(text: str) -> Fraction:
    """Frames per second such as "25", "29.97" (taken as 30000/1001) or "24000/1001", exact.

    Raises:
        ValueError: it is none, or not between 1/10 and 1000.
    """
    text = text.strip()
    if text in _NTSC:
        return Fraction(_NTSC[text] * 1000, 1001)
    try:
        value = Fraction(text)
    except (ValueError, ZeroDivisionError):
        raise ValueError(f"{text!r} is no frame rate, write 25, 29.97 or 30000/1001") from None
    if not Fraction(1, 10) <= value <= 1000:
        raise ValueError(f"{text!r} is no usable frame rate, it goes from 0.1 to 1000")
    return value


def fitted(text: str, size: tuple[int, int]) -> tuple[int, int]:
    """The size that a picture gets, its shape kept, sides even.

    Args:
        text: "1280x720", a box to fit into, or "720p", the length of the shorter side.
        size: (width, height) of the picture in pixels.

    Raises:
        ValueError: the text is no size.
    """
    width, height = size
    if box := _BOX.fullmatch(text.strip()):
        scale = min(Fraction(_side(box[1]), width), Fraction(_side(box[2]), height))
    elif lines := _LINES.fullmatch(text.strip()):
        scale = Fraction(_side(lines[1]), min(size))
    else:
        raise ValueError(f"{text!r} is no size, write 1280x720 or 720p")
    return max(2, 2 * round(width * scale / 2)), max(2, 2 * round(height * scale / 2))


def squared(size: tuple[int, int], aspect: Fraction) -> tuple[int, int]:
    """The size that shows the same with square pixels, sides even; nothing becomes smaller.

    Args:
        size: (width, height) of the picture in pixels.
        aspect: width of its pixels over their height.
    """
    width, height = size[0] * max(aspect, Fraction(1)), size[1] / min(aspect, Fraction(1))
    return max(2, 2 * round(width / 2)), max(2, 2 * round(height / 2))


def _side(digits: str) -> int:
    if not _LEAST_SIDE <= int(digits) <= _MOST_SIDE:
        raise ValueError(
            f"a side of {digits} pixels is not usable, it goes from {_LEAST_SIDE} to {_MOST_SIDE}"
        )
    return int(digits)
