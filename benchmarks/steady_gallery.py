"""How steady every style is: `python benchmarks/steady_gallery.py CLIP...`, a table for docs/steadiness.md.

Videos are scaled to 360 lines, and each style paints the first frames of each at its usual boldness. For
each video stand the warp error that smoothing leaves of the network's own, and the same in still places;
below 0.5 and 0.3 is wanted. Motion is measured once for all styles. Some 12 s for a style and four videos.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from stylize_live import Stylizer, VideoReader
from stylize_live.engine.cpu.optical_flow import FlowEstimator, Motion, shrink
from stylize_live.engine.cpu.smoothing import least_share, smooth
from stylize_live.evaluation.temporal_metrics import FlowEvaluator, MetricAccumulator, TrueMotion
from stylize_live.frame import Pixels
from stylize_live.media.libraries import cv2
from stylize_live.nets.style_folders import shipped_names

_LINES = 360
_SHARE = least_share(0.8)


class Video:
    """The first frames of a video, and how they move: as the smoother sees it, and as the evaluator does."""

    def __init__(self, path: Path, frames: int) -> None:
        with VideoReader(path) as video:
            self.seen = [_small(frame.pixels) for frame in itertools.islice(video, frames)]
        evaluator, estimator = FlowEvaluator(), FlowEstimator()
        self.moves: list[tuple[Motion, TrueMotion] | None] = [None]
        for before, now in itertools.pairwise(self.seen):
            self.moves.append((estimator(shrink(before), shrink(now)), evaluator(before, now)))

    def left(self, paint: Stylizer) -> tuple[float, float]:
        """Shares of the network's warp error and of its error in still places that smoothing leaves."""
        alone, shown = MetricAccumulator(), MetricAccumulator()
        previous = None
        for pixels, moves in zip(map(paint, self.seen), self.moves, strict=True):
            fresh = pixels.astype(np.float32)
            previous = fresh if moves is None else smooth(previous, fresh, moves[0], _SHARE)
            truth = None if moves is None else moves[1]
            alone.add(pixels, truth)
            shown.add(np.round(previous).astype(np.uint8), truth)
        return shown.warp_error / alone.warp_error, shown.still_error / alone.still_error


def _small(pixels: Pixels) -> Pixels:
    height, width = pixels.shape[:2]
    if height <= _LINES:
        return pixels
    size = round(width * _LINES / height) // 2 * 2, _LINES
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)


def rows(videos: list[Video], styles: list[str]) -> Iterator[str]:
    """Lines of the table, one for each style."""
    for style in styles:
        with Stylizer(style) as paint:
            cells = ["{:.2f}, {:.2f}".format(*video.left(paint)) for video in videos]
        yield f"| `{style}` | " + " | ".join(cells) + " |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("clips", nargs="+", type=Path)
    parser.add_argument("--frames", type=int, default=24)
    parser.add_argument("--styles", nargs="*", default=shipped_names())
    options = parser.parse_args()
    print("| style | " + " | ".join(clip.stem for clip in options.clips) + " |")
    print("|---" * (len(options.clips) + 1) + "|")
    videos = [Video(clip, options.frames) for clip in options.clips]
    for row in rows(videos, options.styles):
        print(row, flush=True)


if __name__ == "__main__":
    main()
