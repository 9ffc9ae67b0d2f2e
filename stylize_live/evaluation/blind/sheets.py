"""Blind pairs: the sheets that judges see."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from stylize_live.errors import UsageError
from stylize_live.evaluation.blind.pairs import Lot
from stylize_live.files import make_folder
from stylize_live.frame import Pixels
from stylize_live.media.image.io import Still, on_paper, read_image, write_image

_PAPER, _INK = (255, 255, 255), (0, 0, 0)
_GAP = 10  # pixels between images
_ASIDE = 0.65  # width of painting and photo at most, as a share of the results' height
_OTHER_SHAPE = 0.05  # difference from the photo's width over height that is no rounding


def write_sheets(lots: Sequence[Lot], folder: Path, height: int) -> None:
    """Write a sheet for each lot, NUMBER.png. Nothing in it or about it tells who made what.

    Args:
        lots: what to show.
        folder: made if it is not there; must be empty.
        height: of the results in pixels.

    Raises:
        UsageError: the folder is not empty, or a result has another shape than the photo.
        SourceError: an image cannot be read.
        SinkError: a sheet cannot be written.
    """
    make_folder(folder)
    if any(folder.iterdir()):
        raise UsageError(f"{folder}: is not empty: choose another folder")
    for lot in lots:
        pair = lot.pair
        painting, photo, ours, theirs = (
            on_paper(read_image(path)) for path in (pair.painting, pair.photo, pair.ours, pair.theirs)
        )
        for path, result in ((pair.ours, ours), (pair.theirs, theirs)):
            if abs(_shape(result) / _shape(photo) - 1) > _OTHER_SHAPE:
                raise UsageError(f"{path}: does not have the shape of the photo {pair.photo.name}")
        if ours.shape == theirs.shape and (ours == theirs).all():
            raise UsageError(f"{pair.ours} and {pair.theirs}: are the same image")
        first, second = (ours, theirs) if lot.ours == "A" else (theirs, ours)
        sheet = draw_sheet(lot.sheet, painting, photo, first, second, height)
        write_image(folder / f"{lot.sheet}.png", Still(sheet))


def _shape(pixels: Pixels) -> float:
    return float(pixels.shape[1] / pixels.shape[0])


def draw_sheet(
    name: str, painting: Pixels, photo: Pixels, first: Pixels, second: Pixels, height: int
) -> Pixels:
    """Painting and photo small at the left, both results large beside them at one size.

    Args:
        name: of the sheet, written on it.
        painting: (H, W, 3) uint8 as all of these, each of a size of its own.
        photo: what both results show.
        first: the result called A.
        second: the result called B.
        height: of the results in pixels.

    Returns:
        (H, W, 3) uint8.
    """
    font = ImageFont.load_default(max(12, height // 24))
    line = round(1.5 * font.size) if isinstance(font, ImageFont.FreeTypeFont) else 18
    small = (height - line - _GAP) // 2
    asides = [_fit(pixels, round(_ASIDE * height), small) for pixels in (painting, photo)]
    size = max(1, round(height * _shape(photo))), height
    results = [Image.fromarray(p).resize(size, Image.Resampling.LANCZOS) for p in (first, second)]
    left = max(image.width for image in asides) + 2 * _GAP
    sheet = Image.new("RGB", (left + 2 * (size[0] + _GAP), line + height + _GAP), _PAPER)
    draw = ImageDraw.Draw(sheet)
    below = 0
    for label, image in zip((f"{name}   painting", "photo"), asides, strict=True):
        draw.text((_GAP, below + 2), label, _INK, font)
        sheet.paste(image, (_GAP, below + line))
        below += small + line + _GAP
    for index, (label, image) in enumerate(zip("AB", results, strict=True)):
        across = left + index * (size[0] + _GAP)
        draw.text((across, 2), label, _INK, font)
        sheet.paste(image, (across, line))
    return np.array(sheet)


def _fit(pixels: Pixels, width: int, height: int) -> Image.Image:
    """An image as large as it can be in so much room."""
    image = Image.fromarray(pixels)
    scale = min(width / image.width, height / image.height)
    size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    return image.resize(size, Image.Resampling.LANCZOS)
