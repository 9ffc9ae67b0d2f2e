"""The paintings that pages bring: each is a style of the session, and is there until a page removes it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from stylize_live.engine.style_set import StyleSet
from stylize_live.errors import SourceError, StylizeError
from stylize_live.naming import PAINTING_SUFFIXES, is_painting
from stylize_live.system.replacing import remove

FOLDER = "paintings"  # in the folder that the program was started in
_MOST_LISTED = 24
_USUAL_SUFFIX = ".jpg"  # what an image is follows from its content
# A style's text may be a blend or a timeline: commas, colons and @ are no part of a name.
_NAME = re.compile(r"\w[\w .-]{0,119}")


class Paintings:
    """Pages name a painting by its style alone, one of these: no page names a path.

    Args:
        folder: where they are; a relative one, of which styles are called.
    """

    noun = "painting"
    most_bytes = 128 * 2**20
    most_together = 1024 * 2**20

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._names: list[str] = []
        self._gone: set[str] = set()  # names that meant another painting: much is remembered by name
        self.refresh()

    def refresh(self) -> None:
        """Look which files there are now; those that are known keep their places."""
        found = sorted(self._files(), key=str.casefold)
        kept = [name for name in self._names if name in found]
        self._gone.update(set(self._names).difference(kept))
        self._names = [*kept, *(name for name in found if name not in kept)][:_MOST_LISTED]

    def _files(self) -> Iterator[str]:
        with suppress(OSError), os.scandir(self.folder) as entries:
            for entry in entries:
                if is_painting(entry.name) and _NAME.fullmatch(entry.name):
                    with suppress(OSError):
                        if entry.is_file(follow_symlinks=False):
                            yield entry.name

    @property
    def styles(self) -> list[str]:
        """What the style of each is called: a path that `--style` takes, too."""
        return [self.key(name) for name in self._names]

    @property
    def room(self) -> int:
        """See `Shelf`."""
        return _MOST_LISTED - len(self._names)

    def suffix(self, path: Path, given: str) -> str:
        """See `Shelf`."""
        return given if given in PAINTING_SUFFIXES else _USUAL_SUFFIX

    def check(self, path: Path) -> None:
        """See `Shelf`."""
        try:
            look_at(path)
        except StylizeError as error:
            why = (
                str(error).replace(str(path), "").replace(path.name, "it").strip(" :") or "it cannot be read"
            )
            raise SourceError(f"{why[0].upper()}{why[1:]}.") from None

    def may_be_called(self, name: str) -> bool:
        """See `Shelf`."""
        return name not in self._gone

    def key(self, name: str) -> str:
        """See `Shelf`."""
        return (self.folder / name).as_posix()

    def remove(self, style: str) -> None:
        """Delete a painting. Raises `OSError` where that fails, `KeyError` for other styles."""
        name = {self.key(name): name for name in self._names}[style]
        remove(self.folder / name)
        self.refresh()


def look_at(path: Path) -> None:
    """Make a style of a painting; what is found out is remembered by its content. Raises `StylizeError`."""
    StyleSet.load(str(path), 0.0)
