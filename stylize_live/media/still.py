"""Still pictures: reading and writing jpg, png, webp and what else Pillow knows."""

from __future__ import annotations

import io
import os
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from stylize_live.errors import SinkError, SourceError, UsageError
from stylize_live.files import replacing
from stylize_live.frame import Pixels
from stylize_live.media.deep_grey import is_deep, shallow

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"})
_WRITABLE = {".jpg": "JPEG", ".jpeg": "JPEG", ".png": "PNG", ".webp": "WEBP"}
_NO_ALPHA = frozenset({"JPEG"})
_LONGEST_SIDE = {"JPEG": 65_500, "WEBP": 16_383}  # pixels that the formats can say
_QUALITY = 93
_OPAQUE = frozenset({".jpg", ".jpeg"})
_TOO_LARGE = (Image.DecompressionBombError, Image.DecompressionBombWarning, MemoryError)


@dataclass(frozen=True, slots=True)
class Still:
    """One decoded picture, upright.

    Attributes:
        pixels: (H, W, 3) uint8 RGB, C-contiguous.
        alpha: (H, W) uint8 opacity, or None for an opaque picture.
        icc_profile: colour profile of the file, passed on unchanged, or None.
    """

    pixels: Pixels
    alpha: Pixels | None = None
    icc_profile: bytes | None = None


def read_still(path: Path, *, least_side: int | None = None) -> Still:
    """Read a picture and turn it upright by its orientation tag.

    Args:
        path: file to read.
        least_side: when only a smaller version is needed, the short side in pixels that must at
            least remain; JPEG files are then decoded at a fraction of their size, which is faster.

    Raises:
        SourceError: the file is missing, empty, no picture, damaged or absurdly large.
    """
    try:
        with path.open("rb") as file, Image.open(_seekable(file)) as image:
            if least_side is not None:
                image.draft("RGB", (least_side, least_side))
            upright = ImageOps.exif_transpose(image)
            profile = _of_rgb(upright.info.get("icc_profile"))
            if is_deep(upright):
                grey, alpha = shallow(upright, getattr(image, "tag_v2", {}))
                upright = Image.fromarray(grey)
            else:
                alpha = None
                if upright.has_transparency_data:
                    upright = upright.convert("RGBA")
                    alpha = np.array(upright.getchannel("A"))
            pixels = np.array(upright.convert("RGB"))
    except FileNotFoundError:
        raise SourceError(f"{path}: no such file") from None
    except IsADirectoryError:
        raise SourceError(f"{path}: is a folder, expected a picture") from None
    except UnidentifiedImageError:
        raise SourceError(f"{path}: not a picture that can be read (jpg, png or webp?)") from None
    except _TOO_LARGE:
        raise SourceError(f"{path}: picture is too large to be decoded safely") from None
    except (OSError, ValueError, SyntaxError, EOFError) as error:
        raise SourceError(f"{path}: cannot read the picture: {error}") from None
    return Still(pixels, alpha, profile)


def _seekable(file: IO[bytes]) -> IO[bytes]:
    """What Pillow can read: a pipe's content is held in memory."""
    return file if file.seekable() else io.BytesIO(file.read())


def is_transparent(path: Path) -> bool:
    """Whether a picture's header says that it has transparency; False for what Pillow cannot open."""
    if path.suffix.lower() in _OPAQUE:
        return False
    try:
        with Image.open(path) as image:
            return bool(image.has_transparency_data)
    except (*_TOO_LARGE, OSError, ValueError, SyntaxError):
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
    opacity = still.alpha[..., None].astype(np.uint16)
    return ((still.pixels * opacity + 255 * (255 - opacity) + 127) // 255).astype(np.uint8)


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
    height, width = still.pixels.shape[:2]
    most = _LONGEST_SIDE.get(format_name)
    if most is not None and max(height, width) > most:
        raise ValueError(
            f"{width}x{height} is too large for {format_name}, which has {most}: save it as .png"
        )
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
        raise SinkError(f"{path}: cannot write: {os.strerror(error.errno or 0)}") from None


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
