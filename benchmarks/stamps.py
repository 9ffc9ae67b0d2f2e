"""Frames that tell when they were made, for measuring from end to end.

The left half carries the moment as black and white blocks and nine patches of pure colours; the right half
is a photo that moves. With `--split`, `live` leaves the left half as it is and paints the right one, so
that what comes out of a sink can be read although the program paints.
"""

from __future__ import annotations

import argparse
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

from stylize_live.frame import Frame, Pixels
from stylize_live.media.image.io import read_image
from stylize_live.media.sinks.stream_server import StreamServer
from stylize_live.media.sources.live_source import Metronome
from stylize_live.system.clock import monotonic

PHOTO = Path(__file__).parent.parent / "samples" / "desert.jpg"
PATCHES = {
    "red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255),
    "cyan": (0, 255, 255), "magenta": (255, 0, 255), "yellow": (255, 255, 0),
    "white": (255, 255, 255), "grey": (128, 128, 128), "black": (0, 0, 0),
}  # fmt: skip
_COLUMNS, _ROWS = 12, 2  # of bits
_BITS = 20  # of the moment in milliseconds, which comes round after 17 minutes; the rest is a check
_CHECK = 0b1010


class Stamper:
    """Makes frames of one size, (width, height) in pixels, at least 320x180."""

    def __init__(self, size: tuple[int, int]) -> None:
        self.size = width, height = size
        photo = read_image(PHOTO).pixels
        self._photo = cv2.resize(photo, (width, height), interpolation=cv2.INTER_AREA)
        self._shift = 0

    def draw(self, moment: float) -> Pixels:
        """A frame, (H, W, 3) uint8 RGB, made at this moment in monotonic seconds."""
        width, height = self.size
        self._shift += 2
        pixels = np.ascontiguousarray(np.roll(self._photo, self._shift, axis=1))
        number = int(moment * 1000) % (1 << _BITS)
        word = number << 4 | (_sum(number) ^ _CHECK)
        for bit, (top, bottom, left, right) in enumerate(_blocks(width, height)):
            pixels[top:bottom, left:right] = 255 if word >> bit & 1 else 0
        for colour, (top, bottom, left, right) in zip(PATCHES.values(), _patches(width, height), strict=True):
            pixels[top:bottom, left:right] = colour
        return pixels


def age(pixels: Pixels, now: float) -> float | None:
    """Seconds from the moment a frame was made until `now`; None where it carries none."""
    height, width = pixels.shape[:2]
    word = 0
    for bit, box in enumerate(_blocks(width, height)):
        word |= int(_middle(pixels, box).mean() > 127) << bit
    number = word >> 4
    if word & 15 != _sum(number) ^ _CHECK:
        return None
    return (now * 1000 - number) % (1 << _BITS) / 1000


def patch_errors(pixels: Pixels) -> dict[str, int]:
    """How far each patch's middle is from its colour, in levels of 255, at its worst pixel."""
    height, width = pixels.shape[:2]
    boxes = _patches(width, height)
    return {
        name: int(np.abs(_middle(pixels, box).astype(int) - colour).max())
        for (name, colour), box in zip(PATCHES.items(), boxes, strict=True)
    }


def stamped_options(description: str | None, *, seconds: float) -> argparse.ArgumentParser:
    """What every measurement with such frames can be told; `seconds` is how long it usually takes."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", default="640x360")
    parser.add_argument("--fps", type=int, default=30)
    parser.add_argument("--seconds", type=float, default=seconds)
    parser.add_argument("--style", default="starry-night")
    return parser


@contextmanager
def stamped_stream(size: tuple[int, int], fps: int) -> Iterator[StreamServer]:
    """Serve stamped frames from this machine, in a thread."""
    stamper, ending = Stamper(size), threading.Event()

    def feed(server: StreamServer) -> None:
        for index in Metronome(fps, ending):
            now = monotonic()
            server.write(Frame(stamper.draw(now), Fraction(index, fps), now, index))

    with StreamServer("0", size, Fraction(fps)) as server:
        thread = threading.Thread(target=feed, args=(server,), name="stylize-stamps")
        thread.start()
        try:
            yield server
        finally:
            ending.set()
            thread.join()


def in_words(ages: Sequence[float]) -> str:
    """Percentiles of seconds, as milliseconds."""
    if not ages:
        return "nothing was read"
    p50, p95, p99 = np.percentile(ages, (50, 95, 99)) * 1000
    return f"{p50:.0f} ms median, {p95:.0f} ms p95, {p99:.0f} ms p99 of {len(ages)}"


def _sum(number: int) -> int:
    return sum(number >> shift & 15 for shift in range(0, _BITS, 4)) & 15


def _blocks(width: int, height: int) -> list[tuple[int, int, int, int]]:
    return _grid(width // 2 - 8, 0, height // 4, _COLUMNS, _ROWS)


def _patches(width: int, height: int) -> list[tuple[int, int, int, int]]:
    return _grid(width // 2 - 8, height // 4, height, 3, 3)


def _grid(width: int, top: int, bottom: int, columns: int, rows: int) -> list[tuple[int, int, int, int]]:
    """(top, bottom, left, right) of cells."""
    across = [round(width * column / columns) for column in range(columns + 1)]
    down = [top + round((bottom - top) * row / rows) for row in range(rows + 1)]
    return [
        (down[row], down[row + 1], across[column], across[column + 1])
        for row in range(rows)
        for column in range(columns)
    ]


def _middle(pixels: Pixels, box: tuple[int, int, int, int]) -> Pixels:
    top, bottom, left, right = box
    high, wide = (bottom - top) // 4, (right - left) // 4
    return pixels[top + high : bottom - high, left + wide : right - wide]
