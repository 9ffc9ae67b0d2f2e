"""How time and memory grow with the size of frames and the length of videos: `python benchmarks/growth.py`.

Frames from 160p to 4K, painted with smoothing as in a video; videos from a second to an hour, tiny ones
of a pattern that repeats itself, through `convert`. Each in a process of its own, whose peak of memory
counts. Prints tables and, with --plot FILE, draws them. The hour alone takes a few minutes; --longest
leaves out what is longer.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from fractions import Fraction
from pathlib import Path

from stylize_live.bench.programs import Commands, run_python
from stylize_live.bench.timing import Spread, format_figure
from stylize_live.bench.video import RATE, make_video
from stylize_live.config import BenchSettings
from stylize_live.reports.charts import curves
from stylize_live.reports.plots import write_plot
from stylize_live.units import fit_size

LINES = (160, 240, 360, 480, 720, 1080, 1440, 2160)
SECONDS = (1, 10, 100, 1000, 3600)
VIDEO_SIZE = (64, 48)
# Paints enough frames for a median; in a process of its own.
IMAGES = """
import sys, json, time
from stylize_live.cli.machine import tune_process
tune_process()
from stylize_live.engine import Stylizer
from stylize_live.media.sources.test_pattern import PatternSource
size = tuple(map(int, sys.argv[1:]))
pattern, times = PatternSource(size, 30), []
with Stylizer(steadiness=0.8) as stylizer:
    for tick in range(27):
        frame = pattern.frame(tick)
        started = time.perf_counter()
        stylizer(frame)
        times.append(1e3 * (time.perf_counter() - started))
print(json.dumps(times[2:]))
"""


def measure_sizes() -> list[tuple[float, Spread, float]]:
    """Megapixels, milliseconds a frame and MB, by size."""
    found = []
    print("| size | ms a frame | 10-90 % | memory, MB |\n|---|---|---|---|")
    for lines in LINES:
        width, height = fit_size(f"{lines}p", (16, 9))
        ended = run_python(["-c", IMAGES, str(width), str(height)])
        spread = Spread.of(json.loads(ended.line))
        found.append((width * height / 1e6, spread, ended.peak_mb or 0.0))
        print(f"| {width}x{height} | {' | '.join(spread.words())} | {ended.peak_mb:.0f} |", flush=True)
    return found


def measure_lengths(longest: float) -> list[tuple[float, float, float]]:
    """Seconds of video, seconds of conversion and MB, by length."""
    found = []
    print("\n| video, s | frames | convert, s | frames a second | memory, MB |\n|---|---|---|---|---|")
    for seconds in SECONDS:
        if seconds > longest:
            break
        with tempfile.TemporaryDirectory() as folder:
            video = Path(folder) / "video.mp4"
            make_video(video, VIDEO_SIZE, seconds * RATE)
            report, ended = Commands(video, BenchSettings(), Path(folder)).convert(Fraction(seconds))
        found.append((float(seconds), float(report["seconds"]), ended.peak_mb or 0.0))
        figures = f"{report['frames']} | {format_figure(report['seconds'])} | {format_figure(report['fps'])}"
        print(f"| {seconds} | {figures} | {ended.peak_mb:.0f} |", flush=True)
    return found


def draw(
    path: Path, sizes: list[tuple[float, Spread, float]], lengths: list[tuple[float, float, float]]
) -> None:
    """Four curves, each from zero."""
    drawn = [
        ("A frame's time", "megapixels", "ms", [(size, spread.median) for size, spread, _ in sizes]),
        ("A frame's memory", "megapixels", "MB", [(size, memory) for size, _, memory in sizes]),
        (
            "A video's time",
            "minutes of video",
            "minutes",
            [(video / 60, taken / 60) for video, taken, _ in lengths],
        ),
        (
            "A video's memory",
            "minutes of video",
            "MB",
            [(video / 60, memory) for video, _, memory in lengths],
        ),
    ]
    charts = [(title, curves({up: points}, across, up, marked=True)) for title, across, up, points in drawn]
    write_plot(path, "Growth", charts, about="")


def main() -> None:
    """Measure, print and draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--longest", type=float, default=SECONDS[-1], help="seconds of the longest video")
    parser.add_argument("--plot", type=Path)
    options = parser.parse_args()
    sizes, lengths = measure_sizes(), measure_lengths(options.longest)
    if options.plot is not None:
        draw(options.plot, sizes, lengths)


if __name__ == "__main__":
    main()
