"""An image that is read, painted and written in strips, so that there is never more than one of it.

Pillow's own images take 4 bytes a pixel; arrays beside them would take 3 more each, and the floats of
painting 24. So one that is large stays where it was decoded, and what is painted is put in its place.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from stylize_live.errors import SinkError, UsageError
from stylize_live.files import replacing
from stylize_live.frame import Pixels
from stylize_live.media.image.formats import MOST_SIDE
from stylize_live.strips import is_large, strips

_MOST_DOUBLED = 1 << 26  # pixels of an image beside which its painting has room
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_ORIENTATION = 0x0112  # of EXIF
_SWAPPED_AXES, _FROM_THE_END = (5, 6, 7, 8), (3, 4, 7, 8)


@dataclass(frozen=True, slots=True)
class Still:
    """One decoded image, upright.

    Attributes:
        pixels: (H, W, 3) uint8 RGB, C-contiguous.
        alpha: (H, W) uint8 opacity, or None for an opaque image.
        icc_profile: colour profile of the file, passed on unchanged, or None.
    """

    pixels: Pixels
    alpha: Pixels | None = None
    icc_profile: bytes | None = None


class StripImage:
    """An image in Pillow's memory, whose rows are read as arrays and replaced.

    Attributes:
        size: (width, height) in pixels of what is to be painted.
        has_alpha: whether it has transparency.

    Args:
        image: "RGB" or "RGBA", decoded, upright. It is changed.
        profile: colour profile of the file, passed on unchanged, or None.
    """

    def __init__(self, image: Image.Image, profile: bytes | None) -> None:
        self._image, self._profile, self._left = image, profile, 0
        self.size, self.has_alpha = image.size, image.mode == "RGBA"

    def still(self) -> Still:
        """All of it, as arrays."""
        pixels = np.array(self._image)
        alpha = np.ascontiguousarray(pixels[..., 3]) if self.has_alpha else None
        return Still(np.ascontiguousarray(pixels[..., :3]), alpha, self._profile)

    @property
    def full_size(self) -> tuple[int, int]:
        """(width, height) of all that is written."""
        return self._image.size

    def rows(self, top: int, bottom: int) -> Pixels:
        """Some rows of it, (bottom - top, W, 3) uint8, a new array."""
        return np.ascontiguousarray(self._part(top, bottom)[..., :3])

    def put(self, top: int, pixels: Pixels) -> None:
        """Replace rows by (n, W, 3) uint8; their transparency stays."""
        if self.has_alpha:
            opacity = self._part(top, top + len(pixels))[..., 3:]
            pixels = np.concatenate([pixels, opacity], axis=2)
        self._image.paste(Image.fromarray(pixels), (self._left, top))

    def _part(self, top: int, bottom: int) -> Pixels:
        return np.asarray(self._image.crop((self._left, top, self._left + self.size[0], bottom)))

    def make_opaque(self) -> None:
        """Lay it on white paper: what transparent places hide is arbitrary, black as a rule."""
        for top, bottom in strips(self.size):
            part = self._part(top, bottom)
            self.put(top, lay_on_white(part[..., :3], part[..., 3]))
        self._image = self._image.convert("RGB")
        self.has_alpha = False

    def double(self, who: Path) -> StripImage:
        """A canvas of twice the width with the image in both halves; the right one is to be painted.

        Raises:
            UsageError: it would be too large.
        """
        width, height = self.size
        if width * height > _MOST_DOUBLED or 2 * width > MOST_SIDE:
            raise UsageError(f"{who}: {width}x{height} is too large to be laid beside its painting")
        twice = Image.new(self._image.mode, (2 * width, height))
        for left in (0, width):
            twice.paste(self._image, (left, 0))
        found = StripImage(twice, self._profile)
        found.size, found._left = (width, height), width
        return found

    def write(self, path: Path, format_name: str, quality: int) -> None:
        """Write all of it, whole or not at all; straight into the file.

        Raises:
            SinkError: the target cannot be written.
        """
        image = self._image if self.has_alpha or self._image.mode == "RGB" else self._image.convert("RGB")
        try:
            with replacing(path) as temporary:
                image.save(temporary, format_name, quality=quality, icc_profile=self._profile or b"")
        except OSError as error:
            raise SinkError(f"{path}: cannot write: {error.strerror or error}") from None


def lay_on_white(pixels: Pixels, alpha: Pixels) -> Pixels:
    """(H, W, 3) uint8 of (H, W) opacity, as it looks on white paper."""
    opacity = alpha[..., None].astype(np.uint16)
    return ((pixels * opacity + 255 * (255 - opacity) + 127) // 255).astype(np.uint8)


def turn_upright(image: Image.Image) -> Image.Image:
    """Turn a decoded image as its orientation tag says. Where another image comes back, this one is lost."""
    orientation = image.getexif().get(_ORIENTATION, 1)
    turn = _TURNS.get(orientation)
    if turn is None:
        return image
    if not is_large(image.size):
        return image.transpose(turn)
    return _rotate_on_disk(image, orientation)


def _rotate_on_disk(image: Image.Image, orientation: int) -> Image.Image:
    """For images of which the memory has no room for two: their strips wait in a temporary file."""
    mode, size = image.mode, image.size
    sideways, backwards = orientation in _SWAPPED_AXES, orientation in _FROM_THE_END
    turned_size = size[::-1] if sideways else size
    parts = list(strips(turned_size))
    with tempfile.TemporaryFile() as waiting:
        for top, bottom in parts:
            # Rows of what is made are rows or columns of what there is, from either end.
            height = turned_size[1]
            first, last = (height - bottom, height - top) if backwards else (top, bottom)
            box = (first, 0, last, size[1]) if sideways else (0, first, size[0], last)
            waiting.write(image.crop(box).transpose(_TURNS[orientation]).tobytes())
        image.im = None  # type: ignore[assignment]  # its memory, before the other's is taken
        waiting.seek(0)
        turned = Image.new(mode, turned_size)
        for top, bottom in parts:
            shape = (turned_size[0], bottom - top)
            content = waiting.read(shape[0] * shape[1] * len(Image.new(mode, (1, 1)).tobytes()))
            turned.paste(Image.frombytes(mode, shape, content), (0, top))
    return turned
