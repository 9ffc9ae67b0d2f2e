"""Numbered images as a video: frames/%05d.png, in and out."""

from __future__ import annotations

import os
import re
from fractions import Fraction
from pathlib import Path

from stylize_live.errors import SinkError, SourceError, UsageError
from stylize_live.frame import Frame, to_eight_bits
from stylize_live.lifecycle import Closeable
from stylize_live.media.formats.codecs import FORMATS
from stylize_live.media.image.io import (
    SUFFIXES,
    Still,
    format_keeps_alpha,
    image_format,
    is_transparent,
    write_image,
)
from stylize_live.wording import option

USUAL_RATE = Fraction(25)
_NUMBER = re.compile(r"%0?(\d*)d")


def is_sequence(path: Path) -> bool:
    """Whether a path has a place for a number, such as %05d, in its name, and not the suffix of a video."""
    suffix = path.suffix.lower()
    return _NUMBER.search(path.name) is not None and (suffix not in FORMATS or suffix in SUFFIXES)


def numbered_path(pattern: Path, number: int) -> Path:
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
    return _escape_percent(folder + before) + place[0] + _escape_percent(after)


def _escape_percent(text: str) -> str:
    return text.replace("%", "%%")


def find_numbers(pattern: Path) -> list[int]:
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
    return sorted(number for number in numbers if numbered_path(pattern, number).exists())


def first_number(pattern: Path) -> int:
    """The number that a sequence starts with.

    Raises:
        SourceError: no such file, or one is missing between others, or empty.
    """
    numbers = find_numbers(pattern)
    if not numbers:
        raise SourceError(f"{pattern}: no such images; the first would be {numbered_path(pattern, 1)}")
    for expected, number in enumerate(numbers, numbers[0]):
        if number != expected:
            missing, last = numbered_path(pattern, expected).name, numbered_path(pattern, numbers[-1]).name
            raise SourceError(f"{pattern}: {missing} is missing although the sequence goes on to {last}")
    for number in numbers:
        _check_image(numbered_path(pattern, number))
    return numbers[0]


def _check_image(path: Path) -> None:
    """FFmpeg would end a sequence, without a word, at what cannot be an image."""
    if not path.is_file():
        raise SourceError(f"{path}: is not a file; expected an image of a sequence")
    if path.stat().st_size == 0:
        raise SourceError(f"{path}: the file is empty (0 bytes), although it is an image of a sequence")
    if not os.access(path, os.R_OK):
        raise SourceError(f"{path}: no permission to read this image of a sequence")


def any_transparent(pattern: Path) -> bool:
    """Whether the headers of a sequence's images say that one of them has transparency."""
    return any(is_transparent(numbered_path(pattern, number)) for number in find_numbers(pattern))


class SequenceWriter(Closeable):
    """Numbered images as a `Sink`, from 1. Each file appears whole; those written stay after an error.

    Attributes:
        notes: what was lost, in words.
        damaged: 0; nothing is copied.

    Args:
        pattern: such as frames/%05d.png; jpg, png or webp.
        alpha: whether the frames have transparency that is worth keeping.

    Raises:
        UsageError: the suffix is no image format that can be written.
        SinkError: the folder does not exist.
    """

    damaged = 0

    def __init__(self, pattern: Path, *, alpha: bool = False) -> None:
        image_format(pattern)
        if not pattern.parent.is_dir():
            raise SinkError(f"{pattern}: the folder {pattern.parent} does not exist; make it first")
        self.notes = ["images have no sound and no times; only the frames were kept"]
        if alpha and not format_keeps_alpha(pattern):
            self.notes.append("transparency was dropped; .png and .webp keep it")
        self._pattern = pattern
        self._written = 0

    def write(self, frame: Frame) -> None:
        """Write the next frame. Raises `SinkError`."""
        self._written += 1
        alpha = None if frame.alpha is None else to_eight_bits(frame.alpha)
        write_image(numbered_path(self._pattern, self._written), Still(to_eight_bits(frame.pixels), alpha))

    def finish(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        """Nothing to release."""


def check_empty(pattern: Path, overwrite: bool) -> None:
    """Raise `UsageError` where images of an earlier sequence would be written over or left behind."""
    numbers = find_numbers(pattern)
    if numbers and not overwrite:
        there = numbered_path(pattern, numbers[0])
        raise UsageError(f"{there}: already exists; use {option('overwrite', True)} to replace the sequence")
