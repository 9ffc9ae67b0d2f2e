"""A file, played again and again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from stylize_live.errors import SourceError, UsageError
from stylize_live.frame import Frame
from stylize_live.lifecycle import Closeable
from stylize_live.media.decode.reader import VideoReader

_USUAL_STEP = Fraction(1, 30)  # seconds, where a file does not tell


class LoopedFile(Closeable):
    """A `Source` without an end: the frames of a file, then the same ones again, with times that go on.

    Attributes:
        size: (width, height) of frames in pixels.
        rate: nominal frames per second, or None when unknown.
        is_live: False; frames wait until they are taken.
        begin: time at which the file began this time, in seconds.

    Args:
        path: the file.

    Raises:
        SourceError: it is missing or no video. Likewise while it is played, where it was changed.
        UsageError: it can be read only once, as a named pipe.
    """

    is_live: bool = False

    def __init__(self, path: Path) -> None:
        if path.exists() and not path.is_file():
            raise UsageError(f"{path}: can be read only once, but --loop plays it again")
        self._path = path
        self._reader = VideoReader(path)
        self.size, self.rate = self._reader.size, self._reader.rate
        self.begin = Fraction(0)

    @property
    def origin(self) -> Fraction:
        """See `VideoReader`."""
        return self._reader.origin

    def __iter__(self) -> Iterator[Frame]:
        index = 0
        while True:
            last, first = self.begin, index
            for frame in self._reader:
                last = self.begin + frame.pts
                yield replace(frame, pts=last, index=index)
                index += 1
            if index == first:
                raise SourceError(f"{self._path}: gave no frame this time")
            self.begin = last + (self._reader.last_duration or _USUAL_STEP)
            self._again()

    def _again(self) -> None:
        """Open the file anew.

        Raises:
            SourceError: its frames have another size by now.
        """
        self._reader.close()
        self._reader = VideoReader(self._path)
        if self._reader.size != self.size:
            raise SourceError(f"{self._path}: has changed its size while it was played")

    def close(self) -> None:
        """Close the file. May be called twice."""
        self._reader.close()
