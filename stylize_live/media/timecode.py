"""Timecodes of films, such as 01:00:00:24: hours, minutes, seconds, and which picture of its second."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction
from math import floor

_TIMECODE = re.compile(r"(\d\d):(\d\d):(\d\d)([:;.])(\d\d+)")
_MINUTES = 24 * 60
_ROUNDED = Fraction(1, 20)  # of a picture's time: clocks of milliseconds begin one so much late


def moved_tags(
    tags: Mapping[str, str], rate: Fraction, start: Fraction, new_rate: Fraction | None
) -> dict[str, str]:
    """Tags of a film of which another picture is the first, or whose pictures follow at another rate.

    Args:
        tags: of the film, or of its file.
        rate: of the film, in pictures a second.
        start: seconds of the film before its new beginning.
        new_rate: None to keep the rate.
    """
    return {
        key: moved(value, rate, start, new_rate) if key.lower() == "timecode" else value
        for key, value in tags.items()
    }


def moved(timecode: str, rate: Fraction, start: Fraction, new_rate: Fraction | None) -> str:
    """The timecode of a film's new beginning; what is none stays as it is. See `moved_tags`.

    At a new rate, hours, minutes and seconds stay, and the number of the picture is that of the same
    share of a second.
    """
    found = _TIMECODE.fullmatch(timecode.strip())
    pictures = round(rate)  # that a second counts: 30 for 29.97
    if found is None or not pictures:
        return timecode
    drops = found[4] != ":" and pictures % 30 == 0
    hours, minutes, seconds, picture = (int(found[group]) for group in (1, 2, 3, 5))
    count = _count(hours * 60 + minutes, seconds, picture, pictures, drops)
    minute, second, picture = _label(count + floor(start * rate + _ROUNDED), pictures, drops)
    if new_rate is not None:
        counted = max(1, round(new_rate))
        picture = picture * counted // pictures
        drops = drops and counted % 30 == 0 and new_rate != counted
    mark = found[4] if drops else ":"
    return f"{minute // 60:02d}:{minute % 60:02d}:{second:02d}{mark}{picture:02d}"


def _dropped(pictures: int) -> int:
    """Numbers left out as each minute but the tenth begins, so that 29.97 keeps up with clocks."""
    return pictures // 15


def _count(minute: int, second: int, picture: int, pictures: int, drops: bool) -> int:
    """How many pictures after 00:00:00:00 a label is."""
    count = (minute * 60 + second) * pictures + picture
    return count - _dropped(pictures) * (minute - minute // 10) if drops else count


def _label(count: int, pictures: int, drops: bool) -> tuple[int, int, int]:
    """Minute of the day, second and picture for so many pictures after 00:00:00:00."""
    if drops:
        lost = _dropped(pictures)
        tens, rest = divmod(count, 600 * pictures - 9 * lost)
        minutes = max(0, rest - lost) // (60 * pictures - lost)
        count += lost * (9 * tens + minutes)
    seconds, picture = divmod(count, pictures)
    minute, second = divmod(seconds, 60)
    return minute % _MINUTES, second, picture
