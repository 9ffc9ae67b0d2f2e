"""The photos that come with the package, to practise on."""

from __future__ import annotations

from pathlib import Path

from stylize_live.frame import Pixels, to_eight_bits
from stylize_live.media.image.io import on_paper, read_image, resize

FOLDER = Path(__file__).parent / "photos"
SIDE = 256  # pixels, the short one
HELD_OUT = 3  # that are measured on, and not practised on


def load_photos() -> list[Pixels]:
    """(H, W, 3) uint8 each, about 256 pixels high or wide; the first few are `held_out_photos`."""
    return [on_paper(read_image(path)) for path in _files()]


def held_out_photos() -> list[Path]:
    """The files that nothing is learnt from."""
    return _files()[:HELD_OUT]


def _files() -> list[Path]:
    return sorted(FOLDER.glob("*.webp"))


def shrink(pixels: Pixels) -> Pixels:
    """A frame no larger than these photos: (H, W, 3) uint8 or uint16 -> uint8."""
    eight = to_eight_bits(pixels)
    return resize(eight, SIDE) if min(eight.shape[:2]) > SIDE else eight
