"""Contact sheets: images in rows, with names written under them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from stylize_live.frame import Pixels
from stylize_live.wording import strip_accents

_PAPER, _INK, _SOFT = (250, 249, 246), (34, 33, 30), (116, 112, 104)
_MOST_PIXELS = 3_500_000  # of all images together
_TALLEST = 320  # pixels: an image's height where there is room
_SHAPE = 1.4  # width over height that a sheet comes near to
_NARROW = 3  # pixels between the images of one entry

_Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


@dataclass(frozen=True, slots=True)
class Entry:
    """One place on the sheet.

    Attributes:
        images: (H, W, 3) uint8, shown side by side at one height; of the same shapes in all entries.
        name: written under them.
        note: written under the name, smaller; shortened where it is too long.
    """

    images: tuple[Pixels, ...]
    name: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where things go, in pixels."""

    columns: int
    rows: int
    widths: tuple[int, ...]
    height: int

    @property
    def wide(self) -> int:
        """Width of an entry."""
        return sum(self.widths) + _NARROW * (len(self.widths) - 1)

    @property
    def text(self) -> int:
        """Size of a name's letters."""
        return min(26, max(13, self.wide // 18))

    @property
    def gap(self) -> int:
        """Between entries, and around them all."""
        return self.text

    @property
    def tall(self) -> int:
        """Height of an entry with its words."""
        return self.height + round(2.6 * self.text)

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of the sheet."""
        across = self.columns * (self.wide + self.gap) + self.gap
        return across, self.rows * (self.tall + self.gap) + self.gap


def draw_contact_sheet(entries: Sequence[Entry]) -> Pixels:
    """Lay entries out in rows on one image.

    Args:
        entries: at least one, each with as many images as the others.

    Returns:
        (H, W, 3) uint8 RGB.
    """
    layout = _layout(entries)
    sheet = Image.new("RGB", layout.size, _PAPER)
    for index, entry in enumerate(entries):
        row, column = divmod(index, layout.columns)
        left = layout.gap + column * (layout.wide + layout.gap)
        _draw(sheet, entry, layout, left, layout.gap + row * (layout.tall + layout.gap))
    return np.array(sheet)


def _layout(entries: Sequence[Entry]) -> _Layout:
    shapes = [image.shape[1] / image.shape[0] for image in entries[0].images]
    height = min(_TALLEST, math.isqrt(int(_MOST_PIXELS / (len(entries) * sum(shapes)))))
    widths = tuple(max(1, round(height * shape)) for shape in shapes)
    layouts = [
        _Layout(columns, math.ceil(len(entries) / columns), widths, height)
        for columns in range(1, len(entries) + 1)
    ]
    return min(layouts, key=lambda layout: abs(math.log(layout.size[0] / layout.size[1] / _SHAPE)))


def _draw(sheet: Image.Image, entry: Entry, layout: _Layout, left: int, top: int) -> None:
    x = left
    for pixels, width in zip(entry.images, layout.widths, strict=True):
        scaled = Image.fromarray(pixels).resize((width, layout.height), Image.Resampling.LANCZOS)
        sheet.paste(scaled, (x, top))
        x += width + _NARROW
    draw, y = ImageDraw.Draw(sheet), top + layout.height + layout.text * 0.4
    name, note = _font(layout.text), _font(round(layout.text * 0.72))
    draw.text((left, y), _shorten(entry.name, name, layout.wide), _INK, name)
    draw.text((left, y + layout.text * 1.25), _shorten(entry.note, note, layout.wide), _SOFT, note)


@lru_cache(maxsize=8)
def _font(size: int) -> _Font:
    return ImageFont.load_default(size)


def _shorten(text: str, font: _Font, room: float) -> str:
    short = strip_accents(text)
    while short and font.getlength(short) > room:
        short = short.removesuffix("...")[:-1].rstrip(" ,") + "..." if len(short) > 4 else ""
    return short
