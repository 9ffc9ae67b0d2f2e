"""Images and videos that stand behind people."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

from stylize_live.errors import SourceError
from stylize_live.frame import Frame, Pixels
from stylize_live.lifecycle import Closeable
from stylize_live.media.color.letterbox import cover
from stylize_live.media.decode.reader import VideoReader
from stylize_live.media.image.io import SUFFIXES, on_paper, read_image

_USUAL_STEP = Fraction(1, 30)  # seconds that the last frame is shown, where a file does not tell
_FAR = Fraction(3)  # seconds ahead that are sought; what is nearer is read
_LEAST_SIDE = 2160  # pixels of the shorter side that are kept of larger images


class BackgroundImage(Closeable):
    """An image, always the same.

    Args:
        path: of the image.

    Raises:
        SourceError: it is missing or cannot be read.
    """

    is_still = True

    def __init__(self, path: Path) -> None:
        self._image = on_paper(read_image(path, least_side=_LEAST_SIDE))
        self._shown: tuple[Fraction, Pixels] | None = None

    def at(self, when: Fraction, size: tuple[int, int], pixel_aspect: Fraction = Fraction(1)) -> Pixels:
        """(height, width, 3) uint8 that covers a (width, height), see `cover`; not to be changed."""
        shown = self._shown
        if shown is None or shown[0] != pixel_aspect or shown[1].shape[1::-1] != size:
            shown = self._shown = pixel_aspect, cover(self._image, size, pixel_aspect)
        return shown[1]

    def close(self) -> None:
        """Nothing to release."""


class BackgroundVideo(Closeable):
    """A video that plays again and again, at its own rate: what is shown depends on the time alone.

    Args:
        path: of the video.

    Raises:
        SourceError: it is missing or no video; likewise while it is played, where it was changed.
    """

    is_still = False

    def __init__(self, path: Path) -> None:
        self._path = path
        self._reader = self._open()
        self._frames: Iterator[Frame] = iter(self._reader)
        self._now: Frame = self._take()
        self._next: Frame | None = self._now  # the same as long as it is the first
        self._length: Fraction | None = None  # known once it was read to its end
        self._shown: tuple[tuple[Frame, tuple[int, int], Fraction], Pixels] | None = None

    def at(self, when: Fraction, size: tuple[int, int], pixel_aspect: Fraction = Fraction(1)) -> Pixels:
        """What is shown at a time in seconds: as `BackgroundImage.at`."""
        wanted = (frame := self._find(when)), size, pixel_aspect
        shown = self._shown
        if shown is None or shown[0][0] is not frame or shown[0][1:] != wanted[1:]:
            shown = self._shown = wanted, cover(frame.pixels, size, pixel_aspect)
        return shown[1]

    def _find(self, when: Fraction) -> Frame:
        while True:
            place = when if self._length is None else when % self._length
            if place < self._now.pts and self._next is not self._now:
                self._rewind()
            if self._next is not None and place - self._next.pts > _FAR:
                self._jump(place)
            while self._next is not None and self._next.pts <= place:
                self._now, self._next = self._next, next(self._frames, None)
            if self._next is not None or self._length is not None:
                return self._now
            self._length = self._now.pts + (self._reader.last_duration or _USUAL_STEP)
            if place < self._length:
                return self._now

    def _jump(self, place: Fraction) -> None:
        """Go close before a place where the file's index can be trusted; all before it need not be read."""
        if not self._reader.seek(place):
            return
        self._begin()
        if self._now.pts > place:
            self._rewind()

    def _rewind(self) -> None:
        if not self._reader.seek(Fraction(0)):
            self._reader.close()
            self._reader = self._open()
        self._begin()

    def _open(self) -> VideoReader:
        return VideoReader(self._path, square_pixels=True)

    def _begin(self) -> None:
        self._frames = iter(self._reader)
        self._now = self._next = self._take()

    def _take(self) -> Frame:
        frame = next(self._frames, None)
        if frame is None:
            raise SourceError(f"{self._path}: gave no frame this time")
        return frame

    def close(self) -> None:
        """Close the file. May be called twice."""
        self._reader.close()


def open_background(path: Path) -> BackgroundImage | BackgroundVideo:
    """Open an image or a video by its suffix. Raises as those do."""
    _check_file(path)
    if path.suffix.lower() in SUFFIXES:
        return BackgroundImage(path)
    return BackgroundVideo(path)


def _check_file(path: Path) -> None:
    """Refuse what is there and no file: who opens a pipe to which nobody writes waits without end."""
    if path.is_dir():
        raise SourceError(f"{path}: is a folder, expected an image or video file")
    if path.exists() and not path.is_file():
        raise SourceError(f"{path}: is a pipe or a device; what stands behind people has to be a file")


def digest_of(path: Path) -> str:
    """Names the content of a file. Raises `SourceError` where it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise SourceError(f"{path}: cannot be read: {error.strerror or error}") from None
