"""Whether an image is complete. Decoders fill what a file lacks with grey or black, and report
nothing where it ends as a complete one does."""

from __future__ import annotations

import zlib
from typing import IO

import numpy as np
from PIL import Image

from stylize_live.media.image.formats import MOST_PIXELS, samples_per_pixel
from stylize_live.media.libraries import av

_BLOCK = 1 << 16  # bytes
_MOST_CHECKED = 1 << 26  # pixels: it takes as much memory again
_CORNER = 4  # pixels; all of a kind where a JPEG decoder ran out of data
_SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # of a PNG's kinds of color
# Adam7: first column and row, steps to the next.
_PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


def is_truncated(file: IO[bytes], image: Image.Image) -> bool:
    """Whether a file holds less than its image needs. To be asked before decoding, which takes its size.

    Args:
        file: the content; is left anywhere.
        image: opened from it.
    """
    if image.format == "PNG":
        return _png_is_short(file)
    if image.format in ("JPEG", "MPO"):
        # Each block of 8x8 takes a bit at least.
        blocks = image.width * image.height / 64 * samples_per_pixel(image)
        return not _is_arithmetic(file) and file.seek(0, 2) < blocks / 8
    return False


def ran_out(file: IO[bytes], image: Image.Image) -> bool:
    """Whether a JPEG's data ended before its image did. To be asked after decoding.

    Args:
        file: the content; is left anywhere.
        image: decoded from it.
    """
    if image.format not in ("JPEG", "MPO") or image.width * image.height > _MOST_CHECKED:
        return False
    width, height = image.size
    corner = np.asarray(image.crop((max(0, width - _CORNER), max(0, height - _CORNER), width, height)))
    return not np.ptp(corner, axis=(0, 1)).any() and _ffmpeg_finds_damage(file)


def _ffmpeg_finds_damage(file: IO[bytes]) -> bool:
    """Unlike Pillow's decoder, it can be told to mind."""
    file.seek(0)
    decoder = av.CodecContext.create("mjpeg", "r")
    decoder.options = {"err_detect": "explode", "max_pixels": str(MOST_PIXELS)}
    try:
        images = [*decoder.decode(av.Packet(file.read())), *decoder.decode(None)]
    except av.FFmpegError:
        return True
    return any(getattr(image, "is_corrupt", False) for image in images)


def _is_arithmetic(file: IO[bytes]) -> bool:
    """Whether a JPEG is of the rare kind that has no least number of bits for a block."""
    file.seek(2)
    while (mark := file.read(4)) and len(mark) == 4 and mark[0] == 0xFF:
        if 0xC9 <= mark[1] <= 0xCF and mark[1] != 0xCC:
            return True
        if mark[1] == 0xDA:
            return False
        file.seek(int.from_bytes(mark[2:], "big") - 2, 1)
    return False


def _png_is_short(file: IO[bytes]) -> bool:
    """Whether a PNG unpacks to fewer bytes than its image has; three milliseconds a megapixel."""
    file.seek(16)
    header = file.read(13)
    needed = _png_bytes(header)
    unpacker, file_at = zlib.decompressobj(), 33
    file.seek(file_at)
    while needed > 0 and len(head := file.read(8)) == 8:
        left = int.from_bytes(head[:4], "big")
        if head[4:] != b"IDAT":
            file.seek(left + 4, 1)
            continue
        while left > 0 and (block := file.read(min(left, _BLOCK))):
            left -= len(block)
            while block and needed > 0:
                try:
                    needed -= len(unpacker.decompress(block, _BLOCK))
                except zlib.error:
                    return True
                block = unpacker.unconsumed_tail
        file.seek(4, 1)
    return needed > 0


def _png_bytes(header: bytes) -> int:
    """How many bytes a PNG's image has: each row begins with one that says how it is filtered."""
    width, height = int.from_bytes(header[:4], "big"), int.from_bytes(header[4:8], "big")
    bits = header[8] * _SAMPLES.get(header[9], 0)
    if not header[12]:
        return height * (1 + (width * bits + 7) // 8)
    total = 0
    for left, top, across, down in _PASSES:
        columns, rows = -(-(width - left) // across), -(-(height - top) // down)
        total += max(0, rows) * (1 + (columns * bits + 7) // 8) if columns > 0 else 0
    return total
