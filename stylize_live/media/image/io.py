"""Images: reading and writing jpg, png, webp and what else Pillow knows."""

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
from stylize_live.media.image.formats import open_image
from stylize_live.media.image.high_bit_gray import Tags, is_high_bit, to_eight_bits
from stylize_live.media.image.integrity import is_truncated, ran_out
from stylize_live.media.image.strip_image import Still as Still
from stylize_live.media.image.strip_image import StripImage, lay_on_white, turn_upright
from stylize_live.strips import is_large

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"})
_WRITABLE = {".jpg": "JPEG", ".jpeg": "JPEG", ".png": "PNG", ".webp": "WEBP"}
_NO_ALPHA = frozenset({"JPEG"})
_LONGEST_SIDE = {"JPEG": 65_500, "WEBP": 16_383}  # pixels that the formats can hold
_QUALITY = 93
_OPAQUE = frozenset({".jpg", ".jpeg"})
_MOST_PIPED = 1 << 28  # bytes
# What Pillow's decoders raise of damaged files, not all of it meant to.
UNREADABLE = (OSError, ValueError, SyntaxError, EOFError, TypeError, KeyError, IndexError, AttributeError)
UNREADABLE += (ArithmeticError, struct.error, zlib.error)  # type: ignore[assignment]


def read_image(path: Path, *, least_side: int | None = None) -> Still:
    """Read an image and turn it upright by its orientation tag.

    Args:
        path: file to read.
        least_side: when only a smaller version is needed, the short side in pixels that must at
            least remain; JPEG files are then decoded at a fraction of their size, which is faster, and very
            large images are reduced by a whole factor, which takes less memory.

    Raises:
        SourceError: the file is missing, empty, no image of a kind that is read, cut off, otherwise
            damaged, or too large; see `image/formats.py`.
    """
    image, profile = _decode(path, least_side)
    if least_side is not None and is_large(image.size):
        image = image.reduce(max(1, min(image.size) // least_side))
    return StripImage(image, profile).still()


def read_strip_image(path: Path) -> StripImage:
    """Read an image as `read_image` does, to paint it where it lies. Raises as that does."""
    return StripImage(*_decode(path, None))


def _decode(path: Path, least_side: int | None) -> tuple[Image.Image, bytes | None]:
    """The image, upright, RGB or RGBA, and its colour profile."""
    try:
        with path.open("rb") as raw, _seekable(path, raw) as file, open_image(path, file) as image:
            if is_truncated(file, image):
                raise SourceError(f"{path}: the file ends before its image does; it seems cut off")
            if least_side is not None:
                image.draft("RGB", (least_side, least_side))
            image.load()
            if ran_out(file, image):
                raise SourceError(f"{path}: the file ends before its image does; it seems cut off")
            profile, tags = _rgb_profile(image.info.get("icc_profile")), getattr(image, "tag_v2", {})
            return _to_rgb(turn_upright(image), tags), profile
    except FileNotFoundError:
        raise SourceError(f"{path}: no such file") from None
    except IsADirectoryError:
        raise SourceError(f"{path}: is a folder, expected an image") from None
    except (MemoryError, Image.DecompressionBombError):
        raise SourceError(f"{path}: image is too large to be decoded safely") from None
    except UNREADABLE as error:
        raise SourceError(f"{path}: cannot read the image: {error}") from None


def _to_rgb(image: Image.Image, tags: Tags) -> Image.Image:
    """Any mode -> RGB, or RGBA where it has transparency."""
    if is_high_bit(image):
        grey, alpha = to_eight_bits(image, tags)
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
        raise SourceError(f"{path}: more than {_MOST_PIPED >> 20} MB from a pipe; save the image first")
    yield io.BytesIO(content)


def is_transparent(path: Path) -> bool:
    """Whether an image's header says that it has transparency; False for what cannot be opened."""
    if path.suffix.lower() in _OPAQUE:
        return False
    try:
        with open_image(path) as image:
            return bool(image.has_transparency_data)
    except (SourceError, *UNREADABLE):
        return False


def _rgb_profile(profile: bytes | None) -> bytes | None:
    """A colour profile, if its header says that it describes RGB: others do not fit what is written."""
    return profile if profile and profile[16:20] == b"RGB " else None


def on_paper(still: Still) -> Pixels:
    """The colours of an image as it looks on white paper, (H, W, 3) uint8.

    What transparent places hide is arbitrary, black as a rule.
    """
    if still.alpha is None:
        return still.pixels
    return lay_on_white(still.pixels, still.alpha)


def middle_of_strip(pixels: Pixels, longest: float) -> Pixels:
    """The middle of an image whose long side is more than `longest` times the short one; others whole."""
    height, width = pixels.shape[:2]
    most = int(min(height, width) * longest)
    top, left = max(0, height - most) // 2, max(0, width - most) // 2
    return np.ascontiguousarray(pixels[top : top + most, left : left + most])


def encode_image(still: Still, format_name: str) -> bytes:
    """An image as the content of a file.

    Args:
        still: the image.
        format_name: "JPEG", "PNG" or "WEBP", see `image_format`.

    Raises:
        ValueError: a side is longer than the format allows.
    """
    check_sides((still.pixels.shape[1], still.pixels.shape[0]), format_name)
    image = Image.fromarray(still.pixels)
    if still.alpha is not None and format_name not in _NO_ALPHA:
        image.putalpha(Image.fromarray(still.alpha))
    content = io.BytesIO()
    image.save(content, format_name, quality=_QUALITY, icc_profile=still.icc_profile or b"")
    return content.getvalue()


def write_image(path: Path, still: Still) -> None:
    """Write an image in the format of the path's suffix; whole or not at all.

    Raises:
        UsageError: the suffix is not jpg, png or webp.
        SinkError: the target cannot be written, or the image is larger than its format can be.
    """
    try:
        content = encode_image(still, image_format(path))
    except ValueError as error:
        raise SinkError(f"{path}: {error}") from None
    try:
        with replacing(path) as temporary:
            temporary.write_bytes(content)
    except OSError as error:
        raise SinkError(f"{path}: cannot write: {error.strerror or error}") from None


def write_strip_image(path: Path, canvas: StripImage) -> None:
    """Write a canvas as `write_image` does. Raises as that does."""
    try:
        check_sides(canvas.full_size, image_format(path))
    except ValueError as error:
        raise SinkError(f"{path}: {error}") from None
    canvas.write(path, image_format(path), _QUALITY)


def check_sides(size: tuple[int, int], format_name: str) -> None:
    """Raise `ValueError` where a side of an image is longer than a format allows."""
    most = _LONGEST_SIDE.get(format_name)
    if most is not None and max(size) > most:
        raise ValueError(
            f"{size[0]}x{size[1]} is too large for {format_name}, which takes {most} a side; save it as .png"
        )


def image_format(path: Path) -> str:
    """Pillow's name of the format that a path's suffix asks for.

    Raises:
        UsageError: the suffix is not jpg, png or webp.
    """
    try:
        return _WRITABLE[path.suffix.lower()]
    except KeyError:
        known = ", ".join(sorted(_WRITABLE))
        raise UsageError(f"{path}: cannot write this kind of image; use one of {known}") from None


def format_keeps_alpha(path: Path) -> bool:
    """Whether an image written to this path can be transparent."""
    return image_format(path) not in _NO_ALPHA


def resize(pixels: Pixels, short_side: int) -> Pixels:
    """Scale an image so that its short side has a given length; area-averaged when shrinking.

    Args:
        pixels: (H, W, 3) uint8.
        short_side: new length of the shorter side in pixels.
    """
    height, width = pixels.shape[:2]
    scale = short_side / min(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.array(Image.fromarray(pixels).resize(size, Image.Resampling.LANCZOS))
