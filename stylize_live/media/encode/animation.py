"""Animated images that Pillow reads better than FFmpeg."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from fractions import Fraction
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, ImageSequence

from stylize_live.config import VideoSettings
from stylize_live.errors import SourceError
from stylize_live.file_locks import scratch_folder
from stylize_live.frame import Frame, Pixels
from stylize_live.media.encode.writer import VideoWriter
from stylize_live.media.formats.pipes import spool
from stylize_live.media.image.formats import open_image
from stylize_live.media.image.io import UNREADABLE

_VIDEO = VideoSettings(codec="ffv1")  # loses nothing
_MILLISECOND = Fraction(1, 1000)
_UNREADABLE = (*UNREADABLE, Image.DecompressionBombError)


@contextmanager
def readable(source: Path) -> Iterator[Path]:
    """A path that FFmpeg can read for as long as the block lasts: pipes and some animations become files.

    FFmpeg knows no animated WebP, and of AVIF not the transparency.

    Raises:
        UsageError, SourceError: see `spool`; an animation that is damaged.
    """
    with ExitStack() as stack:
        path = stack.enter_context(spool(source))
        if not _is_for_pillow(path):
            yield path
            return
        folder = stack.enter_context(scratch_folder())
        video = folder / "video.mkv"
        _write_video(path, video)
        try:
            yield video
        except SourceError as error:
            raise SourceError(str(error).replace(str(video), str(path))) from None


def _is_for_pillow(path: Path) -> bool:
    """Whether a file begins as an animated AVIF or any WebP does, and Pillow says that it moves."""
    try:
        with path.open("rb") as file:
            head = file.read(12)
        if head[8:] != b"WEBP" and head[4:] != b"ftypavis":
            return False
        with open_image(path) as image:
            return bool(getattr(image, "is_animated", False))
    except (SourceError, *_UNREADABLE):
        return False


def _write_video(path: Path, video: Path) -> None:
    try:
        with open_image(path) as image:
            # Encoders store frames that do not change everywhere with holes, which are none.
            alpha = any(opacity.min() < 255 for _, opacity, _ in _images(image))
            size = ImageOps.exif_transpose(image).size
            with VideoWriter(video, size, _VIDEO, alpha=alpha) as writer:
                when = shown = Fraction(0)
                for index, (pixels, opacity, shown) in enumerate(_images(image)):
                    writer.write(Frame(pixels, when, 0.0, index, opacity if alpha else None))
                    when += shown
                writer.finish(shown)
    except _UNREADABLE as error:
        raise SourceError(f"{path}: cannot read the animation: {error}") from None


def _images(image: Image.Image) -> Iterator[tuple[Pixels, Pixels, Fraction]]:
    """Pixels, opacity and seconds of each frame, upright."""
    for frame in ImageSequence.Iterator(image):
        rgba = np.asarray(ImageOps.exif_transpose(frame).convert("RGBA"))
        shown = frame.info.get("duration", 0) * _MILLISECOND
        yield np.ascontiguousarray(rgba[..., :3]), np.ascontiguousarray(rgba[..., 3]), shown
