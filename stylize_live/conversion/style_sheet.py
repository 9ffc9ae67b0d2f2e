"""A contact sheet of styles: the same photos, painted in each."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from stylize_live.engine import Stylizer
from stylize_live.engine.style_loading import load_style
from stylize_live.frame import Pixels
from stylize_live.media.image.contact_sheet import Entry, draw_contact_sheet
from stylize_live.media.image.io import middle_of_strip, on_paper, read_image, resize

_SHORT_SIDE = 540  # pixels: painted larger than they are shown, like a video seen in a window
_LONGEST = 4  # long over short side that is shown; of longer images, the middle


def paint_style_sheet(styles: list[str], photos: list[Path], *, on_style: Callable[[str], None]) -> Pixels:
    """Paint photos in several styles, the originals first.

    Args:
        styles: names, style files or blends.
        photos: image files; large images are scaled down first.
        on_style: called with each style as its turn comes.

    Returns:
        (H, W, 3) uint8 RGB.

    Raises:
        SourceError: a photo cannot be read.
        StyleError: a style cannot be read.
    """
    originals = tuple(_shrink(middle_of_strip(on_paper(read_image(path)), _LONGEST)) for path in photos)
    infos = [load_style(style).info for style in styles]  # all of them, before the work begins
    entries = [Entry(originals, "original")]
    for style, info in zip(styles, infos, strict=True):
        on_style(style)
        with Stylizer(style) as stylizer:
            painted = tuple(stylizer(pixels) for pixels in originals)
        note = ", ".join(part for part in (info.artist, info.title, info.year) if part)
        entries.append(Entry(painted, info.name, note))
    return draw_contact_sheet(entries)


def _shrink(pixels: Pixels) -> Pixels:
    return resize(pixels, _SHORT_SIDE) if min(pixels.shape[:2]) > _SHORT_SIDE else pixels
