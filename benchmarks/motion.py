"""Steadiness with motion measured by the processor and by a GPU: `python benchmarks/motion.py CLIP...`.

First a table of videos: what smoothing leaves of the network's warp error, of its trembling in still places,
and of its sharpness, see docs/steadiness.md. With `--settings`, then means over the videos with one setting
of the GPU's search after the other changed. Needs a GPU; Triton's interpreter (TRITON_INTERPRET=1) does
without, in minutes for each frame.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from stylize_live import Stylizer
from stylize_live.config import DEFAULT_STYLE
from stylize_live.engine.cpu.smoothing import least_share
from stylize_live.engine.cpu.torch_backend import quantize, to_levels
from stylize_live.engine.cuda import motion_tensors, optical_flow
from stylize_live.engine.cuda.motion import make_cpu_measure, make_gpu_measure, make_smoother
from stylize_live.engine.cuda.smoothing import Smoother
from stylize_live.evaluation.temporal_metrics import FlowEvaluator, MetricAccumulator, TrueMotion
from stylize_live.frame import Pixels
from stylize_live.media.decode.reader import VideoReader
from stylize_live.media.scene_cuts import CutDetector

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
SHARE = torch.tensor(least_share(0.8), device=DEVICE)
SETTINGS: dict[str, tuple[object, str, object]] = {
    "2 rounds of the search instead of 3": (optical_flow, "_ROUNDS", 2),
    "5 rounds": (optical_flow, "_ROUNDS", 5),
    "equations made once instead of twice": (optical_flow, "_FIXES", 1),
    "4 times": (optical_flow, "_FIXES", 4),
    "10 steps of relaxation instead of 5": (optical_flow, "_RELAXATIONS", 10),
    "flow half as smooth": (optical_flow, "_WEIGHTS", optical_flow._WEIGHTS | {"smoothness": 5.0}),
    "flow twice as smooth": (optical_flow, "_WEIGHTS", optical_flow._WEIGHTS | {"smoothness": 20.0}),
    "motion explains a frame better by 0.3 levels instead of 0.45": (motion_tensors, "STILL_MARGIN", 0.3),
    "by 0.7 levels": (motion_tensors, "STILL_MARGIN", 0.7),
}


@dataclass(frozen=True, slots=True)
class Video:
    """What is measured once.

    Attributes:
        seen, painted: frames of the input, and of the network alone.
        motions: the input's, None where a shot begins.
        alone: figures of the network alone.
    """

    seen: list[Pixels]
    painted: list[Pixels]
    motions: list[TrueMotion | None]
    alone: MetricAccumulator

    @classmethod
    def read(cls, clip: Path, stylizer: Stylizer, frames: int) -> Video:
        """The first frames of a video."""
        with VideoReader(clip) as reader:
            seen = [frame.pixels for frame, _ in zip(reader, range(frames), strict=False)]
        evaluator, cuts, alone = FlowEvaluator(), CutDetector(), MetricAccumulator()
        motions: list[TrueMotion | None] = []
        for index, pixels in enumerate(seen):
            begins = cuts.is_cut(pixels) or not index
            motions.append(None if begins else evaluator(seen[index - 1], pixels))
        painted = [stylizer(pixels) for pixels in seen]
        for pixels, motion in zip(painted, motions, strict=True):
            alone.add(pixels, motion)
        return cls(seen, painted, motions, alone)

    def figures(self, follow: Smoother) -> list[float]:
        """Warp error, error in still places, sharpness: smoothed, as a share of the network's alone."""
        accumulator, shown, before = MetricAccumulator(), None, None
        for seen, painted, motion in zip(self.seen, self.painted, self.motions, strict=True):
            fresh = to_levels(torch.from_numpy(painted).to(DEVICE))
            now = motion_tensors.shrink(to_levels(torch.from_numpy(seen).to(DEVICE)))
            if motion is None or shown is None or before is None:
                shown = fresh
            else:
                shown = follow(shown, fresh, torch.stack((before, now)), SHARE)
            before = now
            accumulator.add(quantize(shown, torch.uint8).cpu().numpy(), motion)
        names = "warp_error", "still_error", "energy"
        return [getattr(accumulator, name) / getattr(self.alone, name) for name in names]


def tables(clips: list[Path], style: str, frames: int, settings: bool) -> Iterator[str]:
    """Lines of two Markdown tables."""
    with Stylizer(style, device=DEVICE.type) as stylizer:  # type: ignore[arg-type]
        videos = [Video.read(clip, stylizer, frames) for clip in clips]
    yield "| video | ratio: processor | GPU | still: processor | GPU | sharpness: processor | GPU |"
    yield "|---|---|---|---|---|---|---|"
    ways = [make_smoother(measure(DEVICE)) for measure in (make_cpu_measure, make_gpu_measure)]
    rows = np.array([[video.figures(way) for way in ways] for video in videos])  # (videos, ways, figures)
    for name, row in zip([clip.stem for clip in clips], rows, strict=True):
        yield f"| {name} | " + " | ".join(f"{value:.2f}" for value in row.T.flat) + " |"
    yield "| mean | " + " | ".join(f"{value:.3f}" for value in np.nanmean(rows, 0).T.flat) + " |"
    if not settings:
        return
    yield "\n| changed | ratio | still | sharpness |\n|---|---|---|---|"
    for text, (module, name, value) in SETTINGS.items():
        usual = getattr(module, name)
        setattr(module, name, value)
        means = np.nanmean([video.figures(make_smoother(make_gpu_measure(DEVICE))) for video in videos], 0)
        setattr(module, name, usual)
        yield f"| {text} | " + " | ".join(f"{mean:.3f}" for mean in means) + " |"


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("clips", type=Path, nargs="+")
    parser.add_argument("--style", default=DEFAULT_STYLE)
    parser.add_argument("--frames", type=int, default=48)
    parser.add_argument("--settings", action="store_true")
    options = parser.parse_args()
    with torch.inference_mode():
        for line in tables(options.clips, options.style, options.frames, options.settings):
            print(line, flush=True)


if __name__ == "__main__":
    main()
