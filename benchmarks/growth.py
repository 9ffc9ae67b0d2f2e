"""How time and memory grow with the size of pictures and the length of films: `python benchmarks/growth.py`.

Pictures from 160p to 4K, painted with smoothing as in a film; films from a second to an hour, tiny ones
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

from stylize_live.bench.film import RATE, make_film
from stylize_live.bench.programs import Commands, run_python
from stylize_live.bench.timing import Spread, shown
from stylize_live.config import BenchSettings
from stylize_live.quantities import fitted
from stylize_live.reports.charts import curves
from stylize_live.reports.plots import write_plot

LINES = (160, 240, 360, 480, 720, 1080, 1440, 2160)
SECONDS = (1, 10, 100, 1000, 3600)
FILM_SIZE = (64, 48)
# Paints enough pictures for a median; in a process of its own.
PICTURES = """
import sys, json, time
from stylize_live.cli.machine import tune_process
tune_process()
from stylize_live.engine import Stylizer
from stylize_live.media.pattern import PatternSource
size = tuple(map(int, sys.argv[1:]))
pattern, times = PatternSource(size, 30), []
with Stylizer(steadiness=0.8) as stylizer:
    for tick in range(27):
        picture = pattern.picture(tick)
        started = time.perf_counter()
        stylizer(picture)
        times.append(1e3 * (time.perf_counter() - started))
print(json.dumps(times[2:]))
"""


def measure_sizes() -> list[tuple[float, Spread, float]]:
    """Megapixels, milliseconds a picture and MB, by size."""
    found = []
    print("| size | ms a picture | 10-90 % | memory, MB |\n|---|---|---|---|")
    for lines in LINES:
        width, height = fitted(f"{lines}p", (16, 9))
        ended = run_python(["-c", PICTURES, str(width), str(height)])
        spread = Spread.of(json.loads(ended.line))
        found.append((width * height / 1e6, spread, ended.peak_mb or 0.0))
        print(f"| {width}x{height} | {' | '.join(spread.words())} | {ended.peak_mb:.0f} |", flush=True)
    return found


def measure_lengths(longest: float) -> list[tuple[float, float, float]]:
    """Seconds of film, seconds of conversion and MB, by length."""
    found = []
    print("\n| film, s | pictures | convert, s | pictures a second | memory, MB |\n|---|---|---|---|---|")
    for seconds in SECONDS:
        if seconds > longest:
            break
        with tempfile.TemporaryDirectory() as folder:
            film = Path(folder) / "film.mp4"
            make_film(film, FILM_SIZE, seconds * RATE)
            report, ended = Commands(film, BenchSettings(), Path(folder)).convert(Fraction(seconds))
        found.append((float(seconds), float(report["seconds"]), ended.peak_mb or 0.0))
        figures = f"{report['frames']} | {shown(report['seconds'])} | {shown(report['fps'])}"
        print(f"| {seconds} | {figures} | {ended.peak_mb:.0f} |", flush=True)
    return found


def draw(
    path: Path, sizes: list[tuple[float, Spread, float]], lengths: list[tuple[float, float, float]]
) -> None:
    """Four curves, each from zero."""
    drawn = [
        ("A picture's time", "megapixels", "ms", [(size, spread.median) for size, spread, _ in sizes]),
        ("A picture's memory", "megapixels", "MB", [(size, memory) for size, _, memory in sizes]),
        (
            "A film's time",
            "minutes of film",
            "minutes",
            [(film / 60, taken / 60) for film, taken, _ in lengths],
        ),
        ("A film's memory", "minutes of film", "MB", [(film / 60, memory) for film, _, memory in lengths]),
    ]
    charts = [(title, curves({up: points}, across, up, marked=True)) for title, across, up, points in drawn]
    write_plot(path, "Growth", charts, about="")


def main() -> None:
    """Measure, print and draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--longest", type=float, default=SECONDS[-1], help="seconds of the longest film")
    parser.add_argument("--plot", type=Path)
    options = parser.parse_args()
    sizes, lengths = measure_sizes(), measure_lengths(options.longest)
    if options.plot is not None:
        draw(options.plot, sizes, lengths)


if __name__ == "__main__":
    main()
