"""The backgrounds that pages can choose: words, colors, the files of one folder, and what we began with."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

from stylize_live.backgrounds import parse_background
from stylize_live.errors import SourceError, StylizeError
from stylize_live.media.decode.backgrounds import open_background
from stylize_live.media.formats.codecs import FORMATS
from stylize_live.media.formats.limits import is_image
from stylize_live.media.image.formats import HEIC, is_heic
from stylize_live.media.image.io import SUFFIXES
from stylize_live.media.image.jpeg import encode_jpeg
from stylize_live.wording import is_plain

FOLDER = "backgrounds"  # in the folder that the program was started in
_MOST_LISTED = 48
_LONGEST_NAME = 120  # characters
_USUAL_IMAGE, _USUAL_VIDEO = ".jpg", ".mp4"  # suffixes; what a file is follows from its content
_SIZE = (168, 112)  # (width, height) of a small image in pixels
_MOST_IMAGES = 2 * _MOST_LISTED  # that are kept


class Backgrounds:
    """Pages name a file by its name and from this list alone: no page names a path.

    Args:
        folder: whose images and videos are offered.
        given: what the program was started with.

    Attributes:
        folder: as given.
    """

    noun = "background"
    most_bytes = 512 * 2**20
    most_together = 4096 * 2**20

    def __init__(self, folder: Path, given: str) -> None:
        self.folder = folder
        self._given = given if parse_background(given).kind == "file" else ""
        self._images: dict[tuple[str, int], bytes | None] = {}
        self._files: Mapping[str, str] = {}
        self.refresh()

    def refresh(self) -> None:
        """Look which files there are now."""
        found = {Path(self._given).name: self._given} if self._given else {}
        for name in sorted(self._names(), key=str.casefold):
            found.setdefault(name, str(self.folder / name))
        self._files = dict(list(found.items())[:_MOST_LISTED])

    def _names(self) -> Iterator[str]:
        with suppress(OSError), os.scandir(self.folder) as entries:
            for entry in entries:
                suffix = Path(entry.name).suffix.lower()
                known = (suffix in SUFFIXES or suffix in FORMATS) and is_plain(entry.name)
                if known and not entry.name.startswith(".") and len(entry.name) <= _LONGEST_NAME:
                    with suppress(OSError):
                        if entry.is_file(follow_symlinks=False):
                            yield entry.name

    @property
    def names(self) -> list[str]:
        """Of the files, what began first, then by the alphabet."""
        return list(self._files)

    @property
    def room(self) -> int:
        """See `Shelf`."""
        return _MOST_LISTED - len(self._files)

    def suffix(self, path: Path, given: str) -> str:
        """See `Shelf`."""
        if is_image(path):
            return given if given in SUFFIXES else _USUAL_IMAGE
        return given if given in FORMATS and given not in SUFFIXES else _USUAL_VIDEO

    def check(self, path: Path) -> None:
        """See `Shelf`."""
        try:
            with open_background(path) as background:
                background.at(Fraction(0), _SIZE)
        except StylizeError:
            why = HEIC if is_heic(path) else "This is no image or video that can be read here"
            raise SourceError(f"{why}.") from None

    def may_be_called(self, name: str) -> bool:
        """See `Shelf`."""
        return True

    def key(self, name: str) -> str:
        """See `Shelf`."""
        return name

    def text_of(self, asked: str) -> str | None:
        """The `--background` that a page means by a word, a color or a file's name; None for other files."""
        try:
            kind = parse_background(asked).kind
        except ValueError:
            kind = "file"
        return self._files.get(asked) if kind == "file" else asked

    @staticmethod
    def key_of(text: str) -> str:
        """What pages call a `--background`: of a file no more than its name."""
        return Path(text).name if parse_background(text).kind == "file" else text

    def image(self, name: str) -> bytes | None:
        """A small JPEG of a file that is offered; None where there is none, or it cannot be read."""
        text = self._files.get(name)
        if text is None:
            return None
        try:
            key = text, Path(text).stat().st_mtime_ns
        except OSError:
            return None
        if key not in self._images:
            if len(self._images) >= _MOST_IMAGES:
                self._images.clear()
            self._images[key] = _shrink(Path(text))
        return self._images[key]


def _shrink(path: Path) -> bytes | None:
    try:
        with open_background(path) as file:
            return encode_jpeg(file.at(Fraction(0), _SIZE), 85)
    except (StylizeError, OSError):
        return None
