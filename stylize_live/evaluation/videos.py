"""Judges temporal smoothing on a video: the input, the network alone, and the smoothed result."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from stylize_live.engine.stylizer import Stylizer
from stylize_live.evaluation.temporal_metrics import FlowEvaluator, MetricAccumulator, TrueMotion
from stylize_live.frame import Frame, to_eight_bits
from stylize_live.media.decode.reader import VideoReader
from stylize_live.media.encode.writer import VideoWriter
from stylize_live.media.scene_cuts import CutDetector

NAMES = ("input", "network", "smoothed")


@dataclass(frozen=True, slots=True)
class SteadinessReport:
    """Figures of a video.

    Attributes:
        clip: the video's name.
        frames: how many were measured.
        metrics: by name, see `NAMES`.
    """

    clip: str
    frames: int
    metrics: dict[str, MetricAccumulator]

    def ratio(self, figure: str) -> float:
        """A figure of the smoothed video over that of the network alone, such as "warp_error"."""
        alone = float(getattr(self.metrics["network"], figure))
        smoothed = float(getattr(self.metrics["smoothed"], figure))
        return smoothed / alone if alone else float("nan")


def measure_steadiness(
    clip: Path,
    network: Stylizer,
    smoothed: Stylizer,
    *,
    most_frames: int | None = None,
    compare: Path | None = None,
    on_frame: Callable[[int], None] | None = None,
) -> SteadinessReport:
    """Paint a video twice and measure.

    Args:
        clip: any video.
        network: with steadiness 0.
        smoothed: the same style with steadiness.
        most_frames: stop after so many.
        compare: write a video of input, network and smoothed side by side.
        on_frame: called with the number of each finished image.

    Raises:
        SourceError: not a video.
        SinkError: the comparison cannot be written.
    """
    metrics = {name: MetricAccumulator() for name in NAMES}
    evaluator, cuts, before = FlowEvaluator(), CutDetector(), None
    smoothed.reset()
    with ExitStack() as stack:
        reader = stack.enter_context(VideoReader(clip))
        writer = None
        if compare is not None:
            width, height = reader.size
            writer = stack.enter_context(VideoWriter(compare, (3 * width, height), rate=reader.average_rate))
        count = 0
        for frame in _first(reader, most_frames):
            pixels = to_eight_bits(frame.pixels)
            cut = cuts.is_cut(pixels)
            motion: TrueMotion | None = None
            if before is not None and not cut:
                motion = evaluator(before, pixels)
            shown = (pixels, network(pixels), smoothed(pixels))
            for metric, image in zip(metrics.values(), shown, strict=True):
                metric.add(image, motion)
            if writer is not None:
                writer.write(frame.with_image(np.ascontiguousarray(np.concatenate(shown, axis=1))))
            before = pixels
            count += 1
            if on_frame is not None:
                on_frame(count)
    return SteadinessReport(clip.name, count, metrics)


def _first(reader: VideoReader, most: int | None) -> Iterator[Frame]:
    for index, frame in enumerate(reader):
        if most is not None and index >= most:
            return
        yield frame
