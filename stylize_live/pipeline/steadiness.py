"""Judges temporal smoothing on a film: the input, the network alone, and the smoothed result."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from stylize_live.engine.steadiness import Referee, Tally, TrueMotion
from stylize_live.engine.stylizer import Stylizer
from stylize_live.frame import Frame, eight_bit
from stylize_live.media.cut_detector import CutDetector
from stylize_live.media.reader import VideoReader
from stylize_live.media.writer import VideoWriter

NAMES = ("input", "network", "smoothed")


@dataclass(frozen=True, slots=True)
class SteadinessReport:
    """Figures of a film.

    Attributes:
        clip: the film's name.
        frames: judged pictures.
        tallies: by name, see `NAMES`.
    """

    clip: str
    frames: int
    tallies: dict[str, Tally]

    def ratio(self, figure: str) -> float:
        """A figure of the smoothed film over that of the network alone, such as "warp_error"."""
        alone = float(getattr(self.tallies["network"], figure))
        smoothed = float(getattr(self.tallies["smoothed"], figure))
        return smoothed / alone if alone else float("nan")


def judge(
    clip: Path,
    network: Stylizer,
    smoothed: Stylizer,
    *,
    most_frames: int | None = None,
    compare: Path | None = None,
    on_frame: Callable[[int], None] | None = None,
) -> SteadinessReport:
    """Paint a film twice and measure.

    Args:
        clip: any video.
        network: with steadiness 0.
        smoothed: the same style with steadiness.
        most_frames: stop after so many.
        compare: write a film of input, network and smoothed side by side.
        on_frame: called with the number of each finished picture.

    Raises:
        SourceError: not a video.
        SinkError: the comparison cannot be written.
    """
    tallies = {name: Tally() for name in NAMES}
    referee, cuts, before = Referee(), CutDetector(), None
    smoothed.reset()
    with ExitStack() as stack:
        reader = stack.enter_context(VideoReader(clip))
        writer = None
        if compare is not None:
            width, height = reader.size
            writer = stack.enter_context(VideoWriter(compare, (3 * width, height), rate=reader.average_rate))
        count = 0
        for frame in _first(reader, most_frames):
            pixels = eight_bit(frame.pixels)
            cut = cuts.is_cut(pixels)
            motion: TrueMotion | None = None
            if before is not None and not cut:
                motion = referee(before, pixels)
            shown = (pixels, network(pixels), smoothed(pixels))
            for tally, picture in zip(tallies.values(), shown, strict=True):
                tally.add(picture, motion)
            if writer is not None:
                writer.write(frame.with_picture(np.ascontiguousarray(np.concatenate(shown, axis=1))))
            before = pixels
            count += 1
            if on_frame is not None:
                on_frame(count)
    return SteadinessReport(clip.name, count, tallies)


def _first(reader: VideoReader, most: int | None) -> Iterator[Frame]:
    for index, frame in enumerate(reader):
        if most is not None and index >= most:
            return
        yield frame
