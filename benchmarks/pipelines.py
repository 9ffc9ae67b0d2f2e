"""Measure both journeys end to end: `python benchmarks/pipelines.py`.

Live: a 640x360 clip of 30 frames a second, played in real time, without a window: frame rate, drops
and latency percentiles. Convert: the sample clip, its wall time as a share of the ideal, which is
the larger of its slowest part alone and the processor time of all parts divided by the cores.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

from stylize_live.cli.machine import tune_process

tune_process()  # as the program does: before torch is loaded

from stylize_live.config import ConvertSettings
from stylize_live.engine import Stylizer
from stylize_live.frame import Frame
from stylize_live.media.reader import VideoReader
from stylize_live.media.still import resized
from stylize_live.media.writer import VideoWriter

SAMPLE = Path(__file__).parent.parent / "samples" / "flower.mp4"
PROGRAM = [sys.executable, "-m", "stylize_live.cli.app"]
LIVE_SECONDS = 20
LIVE_RATE = 30


def make_live_clip(path: Path) -> None:
    """The sample at 640x360 and exactly 30 frames a second, repeated."""
    with VideoReader(SAMPLE) as reader:
        pictures = [resized(frame.pixels, 360) for frame in reader]
    with VideoWriter(path, (640, 360), rate=Fraction(LIVE_RATE)) as writer:
        for index in range(LIVE_SECONDS * LIVE_RATE):
            pixels = pictures[index % len(pictures)]
            writer.write(Frame(pixels, Fraction(index, LIVE_RATE), 0.0, index))
        writer.finish()


def run_live(clip: Path) -> dict[str, object]:
    """The JSON that `live` prints."""
    command = [*PROGRAM, "live", "--source", str(clip), "--no-window", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    report: dict[str, object] = json.loads(done.stdout.strip().splitlines()[-1])
    return report


def timed(work: Callable[[], object]) -> tuple[object, float, float]:
    """Result, wall seconds and processor seconds of a call."""
    wall, processor = time.perf_counter(), time.process_time()
    result = work()
    return result, time.perf_counter() - wall, time.process_time() - processor


def measure_parts(target: Path) -> dict[str, tuple[float, float]]:
    """(wall, processor) seconds of decoding, painting and encoding the sample, each alone."""
    with VideoReader(SAMPLE) as reader:
        frames, *decode = timed(lambda: list(reader))
    assert isinstance(frames, list)
    stylizer = Stylizer(steadiness=ConvertSettings().steadiness)
    stylizer.warm_up(frames[0].size)
    painted, *paint = timed(lambda: list(stylizer.stream(frames)))
    assert isinstance(painted, list)

    def encode_all() -> None:
        with VideoWriter(target, painted[0].size) as writer:
            for frame in painted:
                writer.write(frame)
            writer.finish()

    _, *encode = timed(encode_all)
    parts = {"decode": decode, "paint": paint, "encode": encode}
    return {name: (wall, processor) for name, (wall, processor) in parts.items()}


def run_convert(target: Path) -> tuple[str, float]:
    """What `convert` says, and the peak memory of its process in MB."""
    command = [*PROGRAM, "convert", str(SAMPLE), str(target), "--overwrite"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    return done.stdout.strip().splitlines()[-1], peak


def main() -> None:
    """Run and print."""
    with tempfile.TemporaryDirectory() as folder:
        clip, target = Path(folder) / "live.mp4", Path(folder) / "out.mp4"
        # First, while this process is small: a program's peak counts what it was started from.
        said, peak = run_convert(target)
        make_live_clip(clip)
        live = run_live(clip)
        print("live, 640x360 at 30 fps, no window:")
        print(json.dumps(live, indent=2))
        parts = measure_parts(target)
    cores = os.cpu_count() or 1
    slowest = max(wall for wall, _ in parts.values())
    ideal = max(slowest, sum(processor for _, processor in parts.values()) / cores)
    seconds = float(said.split(" in ")[1].split()[0])
    print(f"\nconvert of {SAMPLE.name}: {said}, peak memory {peak:.0f} MB")
    for name, (wall, processor) in parts.items():
        print(f"  {name:7} alone {wall:5.1f} s, {processor:5.1f} s of processor time")
    print(f"  ideal {ideal:.1f} s on {cores} cores, reached {ideal / seconds:.0%}")


if __name__ == "__main__":
    main()
