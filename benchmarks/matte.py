"""What the person matte costs, how calm it is, and how it looks.

    python benchmarks/matte.py cost VIDEO            # time of each step, at 640x360 and 1280x720
    python benchmarks/held_back.py -- python benchmarks/matte.py cost VIDEO     # with AVX2 only
    python benchmarks/matte.py flicker VIDEO...      # how much it changes where nothing does
    python benchmarks/matte.py sheet matte.jpg FILE...   # images, and the middle of videos, before magenta

`--runtime tensors` is what a GPU computes, by torch on the processor, for flicker and sheets; what it takes
on a GPU says `matte_gpu.py`.

Times are what a frame takes longer, and behind the stroke those of the processor, all cores together, threads
of OpenCV that wait awake for a tenth of a millisecond included: medians over the frames, and in parentheses
the tenth percentiles, which other programs disturb least. Flicker is the mean change of the matte, in levels
of 255 from one frame to the next, along the motion: on edges (one of the two mattes is neither 0 nor 255)
whose image the motion explains within two levels. Still are those that did not move.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from stylize_live.cli.machine import tune_process

tune_process()  # as the program does

from stylize_live.engine.cpu.features import instruction_set, processor_name
from stylize_live.engine.cpu.optical_flow import FlowEstimator, Motion, shrink, warp
from stylize_live.engine.matting import matte as steps
from stylize_live.engine.matting.matte import PersonMatte
from stylize_live.engine.matting.sizes import network_size
from stylize_live.frame import Pixels
from stylize_live.media.libraries import cv2

SIZES = ((640, 360), (1280, 720))
MAGENTA = (200, 60, 200)
_FRAMES = 60
_FITS = 2.0  # levels


def read(path: Path, most: int = _FRAMES) -> Iterator[Pixels]:
    """The first frames of a video, (H, W, 3) uint8 RGB."""
    video = cv2.VideoCapture(str(path))
    for _ in range(most):
        there, frame = video.read()
        if not there:
            break
        yield cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)
    video.release()


def timed(function: Callable[..., Any], times: list[tuple[float, float]]) -> Callable[..., Any]:
    """The function, which adds its milliseconds, and those of processor time, to a list."""

    def call(*arguments: Any) -> Any:
        begun, used = time.perf_counter(), time.process_time()
        found = function(*arguments)
        times.append((1000 * (time.perf_counter() - begun), 1000 * (time.process_time() - used)))
        return found

    return call


def describe(times: list[tuple[float, float]]) -> str:
    """Medians and tenth percentiles, before the stroke of the time and behind it of the processor's."""
    return " / ".join(
        f"{np.median(kind):.2f} ({np.percentile(kind, 10):.2f})" for kind in zip(*times, strict=True)
    )


def measure_cost(path: Path, runtime: str) -> None:
    """Print what each step takes."""
    print(f"{processor_name()}, {instruction_set()}, {runtime}")
    frames = list(read(path))
    for size in SIZES:
        scaled = [cv2.resize(frame, size, interpolation=cv2.INTER_AREA) for frame in frames]
        times: dict[str, list[tuple[float, float]]] = defaultdict(list)
        with PersonMatte(runtime=runtime) as matte:
            matte.measure(scaled[0], True)
            inner = network_size(size)
            network, smoother = matte._network(inner), matte._smoother
            matte._networks[inner] = timed(network, times["network"])
            matte._smoother = timed(smoother, times["smoothing"])  # type: ignore[assignment]
            blobs, reduction = steps.remove_weak_blobs, steps.reduce_to
            steps.reduce_to = timed(reduction, times["reduction (three times)"])
            matte._follow_edges = timed(matte._follow_edges, times["edges"])
            steps.remove_weak_blobs = timed(blobs, times["blobs"])
            whole = timed(matte.measure, times["all"])
            for frame in scaled:
                whole(frame, False)
            steps.remove_weak_blobs, steps.reduce_to = blobs, reduction
            matte._smoother = smoother
        print(f"{size[0]}x{size[1]}, network at {inner[0]}x{inner[1]}, ms:")
        for name, one in times.items():
            print(f"    {name} {describe(one)}")


def make_matte(runtime: str) -> PersonMatte:
    """A matte, perhaps with the arithmetic of a GPU."""
    if runtime != "tensors":
        return PersonMatte(runtime=runtime)
    import torch

    from stylize_live.engine.matting.tensor_matte import DeviceMatte

    torch.set_num_threads(1)  # all is small: several would mostly wait for each other
    matte = PersonMatte("a GPU, as it were")
    matte._on_gpu = DeviceMatte("cpu")
    return matte


def measure_flicker(path: Path, runtime: str) -> None:
    """Print it with smoothing and without."""
    frames = list(read(path))
    small = [shrink(frame) for frame in frames]
    follow = FlowEstimator()
    motions = [follow(*both) for both in pairwise(small)]
    for name, begins in (("each by itself", True), ("smoothed", False)):
        with make_matte(runtime) as matte:
            mattes = [matte.measure(frame, begins) for frame in frames]
        changes = [change(*one) for one in zip(motions, pairwise(mattes), strict=True)]
        still, moving = (float(np.concatenate(one).mean()) for one in zip(*changes, strict=True))
        print(f"{path.name}, {name}: {still:.2f} levels where it is still, {moving:.2f} where it moves")


def change(motion: Motion, mattes: tuple[Pixels, Pixels]) -> tuple[Pixels, Pixels]:
    """Of one matte to the next, where the image stays what it was: of what is still, and of what moves."""
    size = motion.mismatch.shape[::-1]
    old, new = (cv2.resize(matte, size, interpolation=cv2.INTER_AREA) for matte in mattes)
    moved = warp(old, motion.flow)
    edge = ((new > 0) & (new < 255)) | ((moved > 0) & (moved < 255))
    counted, moves = edge & (motion.mismatch < _FITS), motion.flow.any(axis=2)
    changed = cv2.absdiff(new, moved)
    return changed[counted & ~moves], changed[counted & moves]


def make_sheet(target: Path, paths: list[Path], runtime: str) -> None:
    """Write images with their mattes: as they are, and before one colour."""
    rows = []
    with make_matte(runtime) as matte:
        for path in paths:
            pixels = middle(path)
            share = matte.measure(pixels, True)[..., None] / np.float32(255)
            shown = pixels * share + np.array(MAGENTA, np.float32) * (1 - share)
            pair = np.hstack([pixels, shown.round().astype(np.uint8)])
            rows.append(letterbox(pair, (960, 360)))
    rows += [np.zeros_like(rows[0])] * (len(rows) % 2)
    sheet = np.vstack([np.hstack(both) for both in zip(rows[::2], rows[1::2], strict=True)])
    cv2.imwrite(str(target), cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR))


def middle(path: Path) -> Pixels:
    """An image, or the frame in the middle of a video's first sixty."""
    image = cv2.imread(str(path))
    if image is not None:
        return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), np.uint8)
    frames = list(read(path))
    return frames[len(frames) // 2]


def letterbox(image: Pixels, size: tuple[int, int]) -> Pixels:
    """Reduced to fit, black around it."""
    factor = min(size[0] / image.shape[1], size[1] / image.shape[0])
    small = cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    more = size[1] - small.shape[0], size[0] - small.shape[1]
    return np.pad(small, ((0, more[0]), (0, more[1]), (0, 0)))


def main() -> None:
    """Do as asked."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=("cost", "flicker", "sheet"))
    parser.add_argument("paths", nargs="+", type=Path)
    parser.add_argument("--runtime", default="auto")
    options = parser.parse_args()
    if options.what == "sheet":
        make_sheet(options.paths[0], options.paths[1:], options.runtime)
        return
    for path in options.paths:
        (measure_cost if options.what == "cost" else measure_flicker)(path, options.runtime)


if __name__ == "__main__":
    main()
