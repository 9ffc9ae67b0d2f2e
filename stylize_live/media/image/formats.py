"""Which images are read, and how large they may be. An image's content says what it is, not its name.

Pillow knows eighty formats, some of which start other programs: PostScript is read by Ghostscript. All
images are opened here.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from PIL import Image, UnidentifiedImageError

from stylize_live.errors import SourceError

# Pillow's names, and how many bytes a pixel each takes while it is decoded, beside the image itself: the
# planes and canvases of WebP and AVIF, strips of a TIFF that may be all of it.
_FORMATS = {"AVIF": 12, "BMP": 0, "GIF": 4, "JPEG": 0, "MPO": 0, "PNG": 0, "TIFF": 4, "WEBP": 12}
_OPENED = tuple(_FORMATS.keys() - {"MPO"})  # which is several JPEGs and opened as the first
_FORMAT_NAMES = "JPEG, PNG, WebP, AVIF, TIFF, BMP or GIF"
MOST_PIXELS = 1 << 28  # 268 megapixels, 16384x16384: the largest sensors of phones and cameras have 200
MOST_SIDE = 65_535  # pixels: what JPEG can say
_MOST_BYTES = 1 << 30  # that decoding may take; with the program itself about 1.4 GB
_STORED = {
    "1": 1,
    "L": 1,
    "P": 1,
    "I;16": 2,
    "I;16L": 2,
    "I;16B": 2,
}  # bytes a pixel in Pillow; others take 4
_AS_THEY_ARE = ("RGB", "RGBA", "RGBX")  # all else is copied on its way to RGB
_COEFFICIENT = 2  # bytes
_POSTSCRIPT = (b"%!PS", b"\xc5\xd0\xd3\xc6")
_HEIC = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
HEIC = "HEIC, as iPhones keep photos, is not read: save or send it as JPEG"

# Pillow's own limit warns at a third of ours and ends at two thirds.
Image.MAX_IMAGE_PIXELS = max(Image.MAX_IMAGE_PIXELS or 0, MOST_PIXELS)


@contextmanager
def open_image(path: Path, file: IO[bytes] | None = None) -> Iterator[Image.Image]:
    """Open an image; of its content, nothing is decoded yet.

    Args:
        path: of the image.
        file: its content, if that is not simply in the file.

    Raises:
        SourceError: it is none of the formats that are read, or too large.
        OSError: the file cannot be read.
    """
    try:
        image = Image.open(path if file is None else file, formats=_OPENED)
    except UnidentifiedImageError:
        raise SourceError(f"{path}: {_refusal(path, file)}") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise SourceError(f"{path}: image is too large; {MOST_PIXELS / 1e6:.0f} megapixels at most") from None
    with image:
        _check_size(path, image)
        yield image


def _refusal(path: Path, file: IO[bytes] | None) -> str:
    if _head(path, file).startswith(_POSTSCRIPT):
        return "PostScript is not read, because it is a program; save it as PNG"
    if _is_heic(_head(path, file)):
        return HEIC
    return f"not an image that can be read ({_FORMAT_NAMES}?)"


def is_heic(path: Path) -> bool:
    """Whether a file is an image as iPhones keep them."""
    return _is_heic(_head(path, None))


def _is_heic(head: bytes) -> bool:
    return head[4:8] == b"ftyp" and head[8:12] in _HEIC


def _head(path: Path, file: IO[bytes] | None) -> bytes:
    if file is None:
        with path.open("rb") as other:
            return other.read(16)
    file.seek(0)
    return file.read(16)


def _check_size(path: Path, image: Image.Image) -> None:
    width, height = image.size
    most = min(MOST_PIXELS, _MOST_BYTES // bytes_per_pixel(image))
    if width * height > most or max(width, height) > MOST_SIDE:
        raise SourceError(
            f"{path}: image is too large: {width}x{height}; images of this kind may have "
            f"{most / 1e6:.0f} megapixels, and no side over {MOST_SIDE}"
        )


def bytes_per_pixel(image: Image.Image) -> int:
    """The most that decoding an opened image and turning it into RGB take at any moment, for each pixel."""
    stored = _STORED.get(image.mode, 4)
    decoding = (
        stored
        + _FORMATS[image.format or ""]
        + (_coefficients(image) if image.format in ("JPEG", "MPO") else 0)
    )
    return max(decoding, stored + (0 if image.mode in _AS_THEY_ARE else 4))


def _coefficients(image: Image.Image) -> int:
    """Bytes a pixel of a JPEG's coefficients, which all have to be held where they come in several scans."""
    return math.ceil(_COEFFICIENT * samples_per_pixel(image)) if image.info.get("progressive") else 0


def samples_per_pixel(image: Image.Image) -> float:
    """Of a JPEG: 1 for grey, 1.5 for colours at half the size, 3 for colours at full size."""
    factors = [across * down for _, across, down, _ in getattr(image, "layer", [])]
    across, down = (max((layer[i] for layer in getattr(image, "layer", [])), default=1) for i in (1, 2))
    return sum(factors) / (across * down) if factors else 1.0
