"""Still pictures: reading and writing jpg, png, webp and what else Pillow knows."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import numpy as np
from PIL import Image

from stylize_live.errors import SinkError, SourceError, UsageError
from stylize_live.files import replacing
from stylize_live.frame import Pixels
from stylize_live.media.canvas import Canvas, paper, upright
from stylize_live.media.canvas import Still as Still
from stylize_live.media.deep_grey import Tags, is_deep, shallow
from stylize_live.media.still_formats import opened
from stylize_live.media.wholeness import is_cut_off, ran_out
from stylize_live.strips import is_large

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"})
_WRITABLE = {".jpg": "JPEG", ".jpeg": "JPEG", ".png": "PNG", ".webp": "WEBP"}
_NO_ALPHA = frozenset({"JPEG"})
_LONGEST_SIDE = {"JPEG": 65_500, "WEBP": 16_383}  # pixels that the formats can say
_QUALITY = 93
_OPAQUE = frozenset({".jpg", ".jpeg"})
_MOST_PIPED = 1 << 28  # bytes
# What Pillow's decoders raise of damaged files, not all of it meant to.
UNREADABLE = (OSError, ValueError, SyntaxError, EOFError, TypeError, KeyError, IndexError, AttributeError)
UNREADABLE += (ArithmeticError, struct.error, zlib.error)  # type: ignore[assignment]


def read_still(path: Path, *, least_side: int | None = None) -> Still:
    """Read a picture and turn it upright by its orientation tag.

    Args:
        path: file to read.
        least_side: when only a smaller version is needed, the short side in pixels that must at
            least remain; JPEG files are then decoded at a fraction of their size, which is faster, and very
            large pictures are reduced by a whole factor, which takes less memory.

    Raises:
        SourceError: the file is missing, empty, no picture of a kind that is read, cut off, otherwise
            damaged, or too large; see `still_formats`.
    """
    image, profile = _decoded(path, least_side)
    if least_side is not None and is_large(image.size):
        image = image.reduce(max(1, min(image.size) // least_side))
    return Canvas(image, profile).still()


def read_canvas(path: Path) -> Canvas:
    """Read a picture as `read_still` does, to paint it where it lies. Raises as that does."""
    return Canvas(*_decoded(path, None))


def _decoded(path: Path, least_side: int | None) -> tuple[Image.Image, bytes | None]:
    """The picture, upright, RGB or RGBA, and its colour profile."""
    try:
        with path.open("rb") as raw, _seekable(path, raw) as file, opened(path, file) as image:
            if is_cut_off(file, image):
                raise SourceError(f"{path}: the file ends before its picture does, it seems cut off")
            if least_side is not None:
                image.draft("RGB", (least_side, least_side))
            image.load()
            if ran_out(file, image):
                raise SourceError(f"{path}: the file ends before its picture does, it seems cut off")
            profile, tags = _of_rgb(image.info.get("icc_profile")), getattr(image, "tag_v2", {})
            return _in_colours(upright(image), tags), profile
    except FileNotFoundError:
        raise SourceError(f"{path}: no such file") from None
    except IsADirectoryError:
        raise SourceError(f"{path}: is a folder, expected a picture") from None
    except (MemoryError, Image.DecompressionBombError):
        raise SourceError(f"{path}: picture is too large to be decoded safely") from None
    except UNREADABLE as error:
        raise SourceError(f"{path}: cannot read the picture: {error}") from None


def _in_colours(image: Image.Image, tags: Tags) -> Image.Image:
    """Any mode -> RGB, or RGBA where it has transparency."""
    if is_deep(image):
        grey, alpha = shallow(image, tags)
        image = Image.fromarray(grey).convert("RGB")
        if alpha is not None:
            image.putalpha(Image.fromarray(alpha))
        return image
    mode = "RGBA" if image.has_transparency_data else "RGB"
    return image if image.mode == mode else image.convert(mode)


@contextmanager
def _seekable(path: Path, file: IO[bytes]) -> Iterator[IO[bytes]]:
    """What Pillow can read: a pipe's content is held in memory."""
    if file.seekable():
        yield file
        return
    content = file.read(_MOST_PIPED + 1)
    if len(content) > _MOST_PIPED:
        raise SourceError(f"{path}: more than {_MOST_PIPED >> 20} MB from a pipe: save the picture first")
    yield io.BytesIO(content)


def is_transparent(path: Path) -> bool:
    """Whether a picture's header says that it has transparency; False for what cannot be opened."""
    if path.suffix.lower() in _OPAQUE:
        return False
    try:
        with opened(path) as image:
            return bool(image.has_transparency_data)
    except (SourceError, *UNREADABLE):
        return False


def _of_rgb(profile: bytes | None) -> bytes | None:
    """A colour profile, if it describes RGB as its header says: others do not fit what is written."""
    return profile if profile and profile[16:20] == b"RGB " else None


def on_paper(still: Still) -> Pixels:
    """The colours of a picture as it looks on white paper, (H, W, 3) uint8.

    What transparent places hide is arbitrary, black as a rule.
    """
    if still.alpha is None:
        return still.pixels
    return paper(still.pixels, still.alpha)


def middle_of_strip(pixels: Pixels, longest: float) -> Pixels:
    """The middle of a picture whose long side is more than `longest` times the short one; others whole."""
    height, width = pixels.shape[:2]
    most = int(min(height, width) * longest)
    top, left = max(0, height - most) // 2, max(0, width - most) // 2
    return np.ascontiguousarray(pixels[top : top + most, left : left + most])


def encoded(still: Still, format_name: str) -> bytes:
    """A picture as the content of a file.

    Args:
        still: the picture.
        format_name: "JPEG", "PNG" or "WEBP", see `picture_format`.

    Raises:
        ValueError: sides longer than the format has.
    """
    check_sides((still.pixels.shape[1], still.pixels.shape[0]), format_name)
    image = Image.fromarray(still.pixels)
    if still.alpha is not None and format_name not in _NO_ALPHA:
        image.putalpha(Image.fromarray(still.alpha))
    content = io.BytesIO()
    image.save(content, format_name, quality=_QUALITY, icc_profile=still.icc_profile or b"")
    return content.getvalue()


def write_still(path: Path, still: Still) -> None:
    """Write a picture in the format of the path's suffix; whole or not at all.

    Raises:
        UsageError: the suffix is not jpg, png or webp.
        SinkError: the target cannot be written, or the picture is larger than its format can be.
    """
    try:
        content = encoded(still, picture_format(path))
    except ValueError as error:
        raise SinkError(f"{path}: {error}") from None
    try:
        with replacing(path) as temporary:
            temporary.write_bytes(content)
    except OSError as error:
        raise SinkError(f"{path}: cannot write: {error.strerror or error}") from None


def write_canvas(path: Path, canvas: Canvas) -> None:
    """Write a canvas as `write_still` does. Raises as that does."""
    try:
        check_sides(canvas.full_size, picture_format(path))
    except ValueError as error:
        raise SinkError(f"{path}: {error}") from None
    canvas.write(path, picture_format(path), _QUALITY)


def check_sides(size: tuple[int, int], format_name: str) -> None:
    """Raise `ValueError` where a picture's sides are longer than a format has."""
    most = _LONGEST_SIDE.get(format_name)
    if most is not None and max(size) > most:
        raise ValueError(
            f"{size[0]}x{size[1]} is too large for {format_name}, which has {most}: save it as .png"
        )


def picture_format(path: Path) -> str:
    """Pillow's name of the format that a path's suffix asks for.

    Raises:
        UsageError: the suffix is not jpg, png or webp.
    """
    try:
        return _WRITABLE[path.suffix.lower()]
    except KeyError:
        known = ", ".join(sorted(_WRITABLE))
        raise UsageError(f"{path}: cannot write this kind of picture, use one of {known}") from None


def keeps_alpha(path: Path) -> bool:
    """Whether a picture written to this path can be transparent."""
    return picture_format(path) not in _NO_ALPHA


def resized(pixels: Pixels, short_side: int) -> Pixels:
    """Scale a picture so that its short side has a given length; area-averaged when shrinking.

    Args:
        pixels: (H, W, 3) uint8.
        short_side: new length of the shorter side in pixels.
    """
    height, width = pixels.shape[:2]
    scale = short_side / min(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.array(Image.fromarray(pixels).resize(size, Image.Resampling.LANCZOS))
