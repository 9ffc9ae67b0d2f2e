"""What is written on a live frame: style, frame rate, latency, a message, and that it is recorded."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from stylize_live.frame import Pixels
from stylize_live.wording import strip_accents

_STRIP_OPACITY = 0.62
_NOTE_OPACITY = 0.72
DARK = (24, 22, 30)  # of a card without an image, and of what is around one, RGB
_WHITE = 255
_DIM = 225
_RED = (235, 64, 52)
# Text is drawn larger and averaged down: letters then stand where they should, not on whole pixels.
_FINE = 2
_ROW = 1.4  # height of a row of a table, in sizes of its letters

# Text as coverage and color: (H, W) uint16 of 0..256; (H, W) or, in color, (H, W, 3) of 0..255.
_Patch = tuple[npt.NDArray[np.uint16], npt.NDArray[np.uint16]]


@dataclass(frozen=True, slots=True)
class Caption:
    """What to write on a frame.

    Attributes:
        left: at the left of the strip, bright.
        right: at the right of the strip; the first ones matter most, the last ones are left out
            where the frame is too narrow for all.
        note: a short message in the middle of the frame's lower half, or "".
        recorded: how long the frame has been recorded, such as "1:05"; "" while it is not. It stands
            at the top right, beside a red dot.
        table: rows of two texts in the middle of the frame, such as keys and what they do. Strip and note
            would shine through it, and are left out as long as it is there.

    A caption without `left` and `right` has no strip.
    """

    left: str = ""
    right: tuple[str, ...] = ()
    note: str = ""
    recorded: str = ""
    table: tuple[tuple[str, str], ...] = ()


def draw_caption(pixels: Pixels, caption: Caption) -> Pixels:
    """Write a caption on a copy of a frame.

    Args:
        pixels: (H, W, 3) uint8 RGB; not changed.
        caption: what to write; frames smaller than a line of text are returned without it.

    Returns:
        (H, W, 3) uint8 RGB.
    """
    height, width = pixels.shape[:2]
    drawn = pixels.copy()
    if caption.table:
        panel = _draw_table(caption.table, width, height)
        tall, wide = panel[0].shape
        _blend(drawn, panel, (width - wide) // 2, (height - tall) // 2)
    elif caption.left or caption.right:
        strip = _draw_strip(caption.left, caption.right, width, _font_size(height))
        _blend(drawn, strip, 0, height - strip[0].shape[0])
    if caption.note and not caption.table:
        box = _draw_note(caption.note, width, _font_size(height))
        tall, wide = box[0].shape
        _blend(drawn, box, (width - wide) // 2, height - 3 * tall)
    if caption.recorded:
        size = _font_size(height)
        mark = _draw_mark(caption.recorded, size)
        _blend(drawn, mark, width - mark[0].shape[1] - size // 2, size // 2)
    return drawn


def _font_size(height: int) -> int:
    return min(48, max(12, round(height / 24)))


def _blend(pixels: Pixels, patch: _Patch, left: int, top: int) -> None:
    """Mix a patch into the frame; only the pixels under it are touched."""
    opacity, light = patch
    tall, wide = opacity.shape
    if left < 0 or top < 0 or top + tall > pixels.shape[0]:
        return
    under = pixels[top : top + tall, left : left + wide]
    # 255 * 256 fits into 16 bits, so integers do: 0.3 ms for a strip of 1280 pixels, floats take 2 ms.
    share = opacity[..., None]
    under[:] = (under * (256 - share) + light.reshape(tall, wide, -1) * share) >> 8


@lru_cache(maxsize=8)
def _draw_strip(left: str, right: tuple[str, ...], width: int, size: int) -> _Patch:
    """A dark band across the frame with text at both ends."""
    font, pad = _font(size * _FINE), size * _FINE
    wide, tall = width * _FINE, round(size * 1.9) * _FINE
    text = Image.new("L", (wide, tall), 0)
    draw = ImageDraw.Draw(text)
    name = _shorten(left, font, wide - 2 * pad)
    draw.text((pad, tall / 2), name, _WHITE, font, anchor="lm")
    figures = _join_fitting(right, font, wide - 3 * pad - font.getlength(name))
    draw.text((wide - pad, tall / 2), figures, _DIM, font, anchor="rm")
    return _make_patch(np.asarray(text.reduce(_FINE)), _STRIP_OPACITY)


@lru_cache(maxsize=8)
def _draw_note(note: str, width: int, size: int) -> _Patch:
    """A rounded dark box with one line of text."""
    font, pad = _font(size * _FINE), size * _FINE
    note = _shorten(note, font, (width - 4 * size) * _FINE)
    box = (round(font.getlength(note) / _FINE + 2 * size) * _FINE, round(size * 1.9) * _FINE)
    text = Image.new("L", box, 0)
    ImageDraw.Draw(text).text((box[0] / 2, box[1] / 2), note, _WHITE, font, anchor="mm")
    return _make_patch(np.asarray(text.reduce(_FINE)), _round_corners(box, pad // 2))


@lru_cache(maxsize=2)
def _draw_mark(time: str, size: int) -> _Patch:
    """A rounded dark box with a red dot and a time."""
    font, pad = _font(size * _FINE), size * _FINE
    box = (round(font.getlength(time) / _FINE + 2.3 * size) * _FINE, round(size * 1.7) * _FINE)
    text, dot = Image.new("L", box, 0), Image.new("L", box, 0)
    ImageDraw.Draw(text).text((box[0] - 0.6 * pad, box[1] / 2), time, _WHITE, font, anchor="rm")
    ImageDraw.Draw(dot).circle((pad, box[1] / 2), 0.36 * pad, fill=255)
    red = np.asarray(dot.reduce(_FINE))
    opacity, light = _make_patch(
        np.maximum(np.asarray(text.reduce(_FINE)), red), _round_corners(box, pad // 2)
    )
    color = np.where(red[..., None] > 0, np.array(_RED, np.uint16), np.uint16(_WHITE))
    return opacity, (light[..., None] * color) // _WHITE


@lru_cache(maxsize=2)
def _draw_table(rows: tuple[tuple[str, str], ...], width: int, height: int) -> _Patch:
    """A rounded dark box with rows of two columns, as large as the frame has room for."""
    size = next(size for size in range(_font_size(height), 0, -1) if _fits(rows, size, width, height))
    font, pad = _font(size * _FINE), size * _FINE
    first, second = _columns(rows, size)
    box = (first + second + 4 * pad, round((len(rows) + 1) * _ROW * size) * _FINE)
    text = Image.new("L", box, 0)
    draw = ImageDraw.Draw(text)
    for number, (left, right) in enumerate(rows):
        middle = (number + 1) * _ROW * pad
        draw.text((pad, middle), left, _WHITE, font, anchor="lm")
        draw.text((first + 2.5 * pad, middle), right, _DIM, font, anchor="lm")
    return _make_patch(np.asarray(text.reduce(_FINE)), _round_corners(box, pad))


def _fits(rows: tuple[tuple[str, str], ...], size: int, width: int, height: int) -> bool:
    wide = sum(_columns(rows, size)) / _FINE + 4 * size
    return size == 1 or (wide <= 0.96 * width and (len(rows) + 1) * _ROW * size <= 0.96 * height)


def _columns(rows: tuple[tuple[str, str], ...], size: int) -> tuple[int, int]:
    """Widths of both columns in fine pixels; even numbers."""
    font = _font(size * _FINE)
    widths = (max(font.getlength(row[column]) for row in rows) for column in (0, 1))
    first, second = (-(-int(width + 1) // _FINE) * _FINE for width in widths)
    return first, second


def _round_corners(box: tuple[int, int], radius: int) -> npt.NDArray[np.float64]:
    """Opacity of a box with round corners; `box` and `radius` are in fine pixels."""
    shape = Image.new("L", box, 0)
    ImageDraw.Draw(shape).rounded_rectangle((0, 0, box[0] - 1, box[1] - 1), radius, fill=255)
    return _NOTE_OPACITY * np.asarray(shape.reduce(_FINE)) / 255


def _make_patch(text: Pixels, background: float | npt.NDArray[np.float64]) -> _Patch:
    """White text of some coverage over black of some opacity, as one opacity and one brightness."""
    cover = text / 255
    opacity = cover + (1 - cover) * background
    light = np.divide(text, opacity, out=np.zeros_like(opacity), where=opacity > 0)
    return np.round(opacity * 256).astype(np.uint16), np.minimum(np.round(light), 255).astype(np.uint16)


@lru_cache(maxsize=64)
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def _shorten(text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, room: float) -> str:
    text = strip_accents(text)
    if font.getlength(text) <= room:
        return text
    while text and font.getlength(text + "...") > room:
        text = text[:-1]
    return text + "..." if text else ""


def _join_fitting(
    parts: tuple[str, ...], font: ImageFont.FreeTypeFont | ImageFont.ImageFont, room: float
) -> str:
    for count in range(len(parts), 0, -1):
        line = "    ".join(parts[:count])
        if font.getlength(line) <= room:
            return line
    return ""
