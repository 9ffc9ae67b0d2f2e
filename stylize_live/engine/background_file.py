"""The file that stands behind people while frames are painted, also where it breaks in a show."""

from __future__ import annotations

import logging
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from stylize_live.backgrounds import Background
from stylize_live.errors import describe_error
from stylize_live.frame import Pixels
from stylize_live.lifecycle import Closeable

if TYPE_CHECKING:
    from stylize_live.media.decode.backgrounds import BackgroundImage, BackgroundVideo

log = logging.getLogger(__name__)

_DARK = (24, 24, 28)


class BackgroundFile(Closeable):
    """An image or a video behind people.

    Whoever hides a room behind a file must not have it shown because that file broke. So a live session keeps
    what the file gave last, or a plain dark color, until a background is chosen anew.

    Args:
        background: names the file.
        choice: see `LayerPlan`.
        keeps: go on so where the file breaks; otherwise all methods raise what was wrong.

    Attributes:
        background, choice: as given.
        trouble: what is shown in place of the file, for people; "" while it is well.

    Raises:
        SourceError: it is missing or cannot be read.
    """

    def __init__(self, background: Background, choice: int, *, keeps: bool) -> None:
        self.background, self.choice = background, choice
        self.trouble = ""
        self._keeps = keeps
        self._last: Pixels | None = None
        self._file: BackgroundImage | BackgroundVideo | None = None
        try:
            self._file = open_file(background)
        except Exception as error:
            self._give_up(error)

    @property
    def is_still(self) -> bool:
        """Whether it always gives the same."""
        return self._file is None or self._file.is_still

    def at(self, when: Fraction, size: tuple[int, int], pixel_aspect: Fraction = Fraction(1)) -> Pixels:
        """What is shown at a time in seconds: (height, width, 3) uint8 that covers a (width, height), see
        `cover` in `media/color/letterbox.py`. Not to be changed.

        Raises:
            SourceError: the file is gone or broken.
        """
        if self._file is not None:
            try:
                self._last = self._file.at(when, size, pixel_aspect)
            except Exception as error:
                self._give_up(error)
            else:
                return self._last
        if self._last is None:
            self._last = np.full((size[1], size[0], 3), _DARK, np.uint8)
        elif self._last.shape[1::-1] != size:
            from stylize_live.media.color.letterbox import cover

            self._last = cover(self._last, size)
        return self._last

    def _give_up(self, error: Exception) -> None:
        """Show no more of the file. Raises the error where nothing may stand in its place."""
        if not self._keeps:
            raise error
        stays = "a dark colour stands there" if self._last is None else "what was seen of it last stays"
        name = self.background.path.name
        self.trouble = f"{name} broke: {stays} until a background is chosen again"
        log.warning("the background %s: %s", self.trouble, describe_error(error))
        log.debug("where it arose", exc_info=error)
        self.close()

    def close(self) -> None:
        """Close the file. May be called twice."""
        file, self._file = self._file, None
        if file is not None:
            file.close()


def open_file(background: Background) -> BackgroundImage | BackgroundVideo:
    """Open a background's file. Raises `SourceError`: it is missing or cannot be read."""
    # What reads files takes a tenth of a second to load, and is rarely needed.
    from stylize_live.media.decode.backgrounds import open_background

    return open_background(background.path)
