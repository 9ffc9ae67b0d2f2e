"""Grey images of more than 8 bits, which Pillow's own conversions would clip to white or black."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from stylize_live.frame import Pixels
from stylize_live.strips import strips

# Numbers and values of TIFF's tags.
_BITS, _PHOTOMETRIC, _SAMPLE_FORMAT = 258, 262, 339
_WHITE_IS_ZERO, _SIGNED = 0, 2
_OVERSHOOT = 32  # floats up to here are light with 1 as white, brighter ones are levels of 255

Tags = Mapping[int, Any]


def is_high_bit(image: Image.Image) -> bool:
    """Whether an image is grey of 16 or 32 bits, or floats."""
    return image.mode in ("I", "F") or image.mode.startswith("I;16")


def to_eight_bits(image: Image.Image, tags: Tags) -> tuple[Pixels, Pixels | None]:
    """Scale such an image into 8 bits.

    Args:
        image: see `is_high_bit`.
        tags: of the file, if it is a TIFF.

    Returns:
        The image, (H, W) uint8; and its opacity, the same, if a level was declared transparent.
    """
    lowest, white = _range(image, tags)
    key = image.info.get("transparency")
    grey = np.empty(image.size[::-1], np.uint8)
    alpha = np.empty_like(grey) if isinstance(key, int) else None
    for rows, values in _strips(image, tags):
        with np.errstate(invalid="ignore"):
            scaled = np.nan_to_num(np.clip((values - lowest) / (white - lowest), 0, 1))
        if _first(tags, _PHOTOMETRIC) == _WHITE_IS_ZERO:
            scaled = 1 - scaled
        grey[rows] = (scaled * 255).round()
        if alpha is not None:
            alpha[rows] = np.where(values == key, 0, 255)
    return grey, alpha


def _strips(image: Image.Image, tags: Tags) -> Iterator[tuple[slice, npt.NDArray[Any]]]:
    """Levels as they were meant, some rows at a time: the floats of a whole image take gigabytes."""
    for top, bottom in strips(image.size):
        values: npt.NDArray[Any] = np.array(image.crop((0, top, image.width, bottom)))
        if image.mode == "I" and _first(tags, _SAMPLE_FORMAT) not in (None, _SIGNED):
            values = values.view(np.uint32)
        yield slice(top, bottom), values


def _range(image: Image.Image, tags: Tags) -> tuple[float, float]:
    """The values that become black and white: the format's own range, wider where values go beyond."""
    lowest = highest = 0.0
    for _, values in _strips(image, tags):
        known = values[np.isfinite(values)].astype(float)
        lowest, highest = float(known.min(initial=lowest)), float(known.max(initial=highest))
    if image.mode == "F":
        usual = 255.0 if _OVERSHOOT < highest <= 255 else 1.0
    else:
        bits = _first(tags, _BITS) or 16
        signed = _first(tags, _SAMPLE_FORMAT) == _SIGNED
        usual = 2.0 ** (min(bits, 16) - signed) - 1
        if bits > 16 and highest <= 255:  # levels of an 8-bit image in wide numbers, as Pillow writes them
            usual = 255.0
    return lowest, max(usual, highest)


def _first(tags: Tags, number: int) -> int | None:
    """What a tag says of the first sample, which is the only one."""
    value = tags.get(number)
    return value[0] if isinstance(value, tuple) else value
