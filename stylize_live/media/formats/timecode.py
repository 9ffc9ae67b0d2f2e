"""Timecodes of videos, such as 01:00:00:24: hours, minutes, seconds, and which frame of its second."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction
from math import floor

_TIMECODE = re.compile(r"(\d\d):(\d\d):(\d\d)([:;.])(\d\d+)")
_MINUTES = 24 * 60
_ROUNDED = Fraction(1, 20)  # of a frame's time: clocks of milliseconds begin one so much late


def shift_timecode_tags(
    tags: Mapping[str, str], rate: Fraction, start: Fraction, new_rate: Fraction | None
) -> dict[str, str]:
    """Tags of a video of which another frame is the first, or whose frames follow at another rate.

    Args:
        tags: of the video, or of its file.
        rate: of the video, in frames a second.
        start: seconds of the video before its new beginning.
        new_rate: None to keep the rate.
    """
    return {
        key: shift_timecode(value, rate, start, new_rate) if key.lower() == "timecode" else value
        for key, value in tags.items()
    }


def shift_timecode(timecode: str, rate: Fraction, start: Fraction, new_rate: Fraction | None) -> str:
    """The timecode of a video's new beginning; other text stays as it is. See `shift_timecode_tags`.

    At a new rate, hours, minutes and seconds stay, and the number of the frame is that of the same
    share of a second.
    """
    found = _TIMECODE.fullmatch(timecode.strip())
    per_second = round(rate)  # that a second counts: 30 for 29.97
    if found is None or not per_second:
        return timecode
    drops = found[4] != ":" and per_second % 30 == 0
    hours, minutes, seconds, frame = (int(found[group]) for group in (1, 2, 3, 5))
    count = _count(hours * 60 + minutes, seconds, frame, per_second, drops)
    minute, second, frame = _label(count + floor(start * rate + _ROUNDED), per_second, drops)
    if new_rate is not None:
        counted = max(1, round(new_rate))
        frame = frame * counted // per_second
        drops = drops and counted % 30 == 0 and new_rate != counted
    mark = found[4] if drops else ":"
    return f"{minute // 60:02d}:{minute % 60:02d}:{second:02d}{mark}{frame:02d}"


def _dropped_numbers(per_second: int) -> int:
    """Numbers left out as each minute but the tenth begins, so that 29.97 keeps up with clocks."""
    return per_second // 15


def _count(minute: int, second: int, frame: int, per_second: int, drops: bool) -> int:
    """How many frames after 00:00:00:00 a label is."""
    count = (minute * 60 + second) * per_second + frame
    return count - _dropped_numbers(per_second) * (minute - minute // 10) if drops else count


def _label(count: int, per_second: int, drops: bool) -> tuple[int, int, int]:
    """Minute of the day, second and frame for so many frames after 00:00:00:00."""
    if drops:
        lost = _dropped_numbers(per_second)
        tens, rest = divmod(count, 600 * per_second - 9 * lost)
        minutes = max(0, rest - lost) // (60 * per_second - lost)
        count += lost * (9 * tens + minutes)
    seconds, frame = divmod(count, per_second)
    minute, second = divmod(seconds, 60)
    return minute % _MINUTES, second, frame
