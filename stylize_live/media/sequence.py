"""Numbered pictures as a film: frames/%05d.png, in and out."""

from __future__ import annotations

import os
import re
from fractions import Fraction
from pathlib import Path

from stylize_live.closing import Closing
from stylize_live.errors import SinkError, SourceError, UsageError
from stylize_live.frame import Frame, eight_bit
from stylize_live.media.codecs import FORMATS
from stylize_live.media.still import (
    SUFFIXES,
    Still,
    is_transparent,
    keeps_alpha,
    picture_format,
    write_still,
)
from stylize_live.wording import option

USUAL_RATE = Fraction(25)
_NUMBER = re.compile(r"%0?(\d*)d")


def is_sequence(path: Path) -> bool:
    """Whether a path has a place for a number, such as %05d, in its name, and not the suffix of a film."""
    suffix = path.suffix.lower()
    return _NUMBER.search(path.name) is not None and (suffix not in FORMATS or suffix in SUFFIXES)


def numbered_file(pattern: Path, number: int) -> Path:
    """The file of a number."""
    place = _NUMBER.search(pattern.name)
    assert place is not None
    digits = str(number).zfill(int(place[1] or 0))
    return pattern.with_name(pattern.name[: place.start()] + digits + pattern.name[place.end() :])


def name_for_ffmpeg(pattern: Path) -> str:
    """The pattern as FFmpeg takes it: a per cent sign anywhere else is doubled."""
    place = _NUMBER.search(pattern.name)
    assert place is not None
    folder = str(pattern)[: -len(pattern.name)]
    before, after = pattern.name[: place.start()], pattern.name[place.end() :]
    return _doubled(folder + before) + place[0] + _doubled(after)


def _doubled(text: str) -> str:
    return text.replace("%", "%%")


def found_numbers(pattern: Path) -> list[int]:
    """Numbers of the files that exist, rising; none where the name has no place for a number."""
    place = _NUMBER.search(pattern.name)
    if place is None:
        return []
    before, after = re.escape(pattern.name[: place.start()]), re.escape(pattern.name[place.end() :])
    name = re.compile(before + r"(\d+)" + after)
    folder = pattern.parent
    if not folder.is_dir():
        return []
    matches = (name.fullmatch(path.name) for path in folder.iterdir())
    numbers = {int(match[1]) for match in matches if match}
    return sorted(number for number in numbers if numbered_file(pattern, number).exists())


def first_number(pattern: Path) -> int:
    """The number that a sequence starts with.

    Raises:
        SourceError: no such file, or one is missing between others, or empty.
    """
    numbers = found_numbers(pattern)
    if not numbers:
        raise SourceError(f"{pattern}: no such pictures, the first would be {numbered_file(pattern, 1)}")
    for expected, number in enumerate(numbers, numbers[0]):
        if number != expected:
            missing, last = numbered_file(pattern, expected).name, numbered_file(pattern, numbers[-1]).name
            raise SourceError(f"{pattern}: {missing} is missing although the sequence goes on to {last}")
    for number in numbers:
        _check_picture(numbered_file(pattern, number))
    return numbers[0]


def _check_picture(path: Path) -> None:
    """FFmpeg would end a sequence, without a word, at what cannot be a picture."""
    if not path.is_file():
        raise SourceError(f"{path}: is no file, expected a picture of a sequence")
    if path.stat().st_size == 0:
        raise SourceError(f"{path}: the file is empty (0 bytes), although it is a picture of a sequence")
    if not os.access(path, os.R_OK):
        raise SourceError(f"{path}: no permission to read this picture of a sequence")


def any_transparent(pattern: Path) -> bool:
    """Whether the headers of a sequence's pictures say that one of them has transparency."""
    return any(is_transparent(numbered_file(pattern, number)) for number in found_numbers(pattern))


class SequenceWriter(Closing):
    """Numbered pictures as a `Sink`, from 1. Each file appears whole; those written stay after an error.

    Attributes:
        notes: what was lost, in words.
        damaged: 0; nothing is copied.

    Args:
        pattern: such as frames/%05d.png; jpg, png or webp.
        alpha: whether the frames have transparency that is worth keeping.

    Raises:
        UsageError: the suffix is no picture that can be written.
        SinkError: the folder does not exist.
    """

    damaged = 0

    def __init__(self, pattern: Path, *, alpha: bool = False) -> None:
        picture_format(pattern)
        if not pattern.parent.is_dir():
            raise SinkError(f"{pattern}: the folder {pattern.parent} does not exist, make it first")
        self.notes = ["pictures have no sound and no times: only the pictures were kept"]
        if alpha and not keeps_alpha(pattern):
            self.notes.append("transparency was dropped: .png and .webp keep it")
        self._pattern = pattern
        self._written = 0

    def write(self, frame: Frame) -> None:
        """Write the next picture. Raises `SinkError`."""
        self._written += 1
        alpha = None if frame.alpha is None else eight_bit(frame.alpha)
        write_still(numbered_file(self._pattern, self._written), Still(eight_bit(frame.pixels), alpha))

    def finish(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        """Nothing to release."""


def check_empty(pattern: Path, overwrite: bool) -> None:
    """Raise `UsageError` where pictures of an earlier sequence would be written over or left behind."""
    numbers = found_numbers(pattern)
    if numbers and not overwrite:
        there = numbered_file(pattern, numbers[0])
        raise UsageError(f"{there}: exists already, use {option('overwrite', True)} to replace the sequence")
