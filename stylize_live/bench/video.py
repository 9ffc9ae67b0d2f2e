"""A video to measure with, made on the spot: the package carries none."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from stylize_live.frame import Frame
from stylize_live.media.encode.writer import VideoWriter
from stylize_live.media.sources.test_pattern import PatternSource

RATE = 30  # frames a second


def make_video(path: Path, size: tuple[int, int], frames: int) -> None:
    """Write the moving test pattern as a video of `RATE` frames a second.

    Args:
        path: a .mp4 to write.
        size: (width, height) in pixels.
        frames: how many.

    Raises:
        SinkError: it cannot be written.
    """
    pattern = PatternSource(size, RATE)
    with VideoWriter(path, size, rate=Fraction(RATE)) as writer:
        for index in range(frames):
            writer.write(Frame(pattern.image(index), Fraction(index, RATE), 0.0, index))
        writer.finish()
