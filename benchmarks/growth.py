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
from typing import Any

from stylize_live.bench.film import RATE, make_film
from stylize_live.bench.programs import Commands, run_python
from stylize_live.bench.timing import Spread, shown
from stylize_live.config import BenchSettings
from stylize_live.quantities import fitted

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
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 5.2), layout="constrained")
    panels = figure.subplots(2, 2).ravel()
    megapixels = [size[0] for size in sizes]
    minutes = [length[0] / 60 for length in lengths]
    curve(panels[0], megapixels, [size[1].median for size in sizes], "megapixels", "ms a picture")
    curve(panels[1], megapixels, [size[2] for size in sizes], "megapixels", "MB")
    curve(panels[2], minutes, [length[1] / 60 for length in lengths], "minutes of film", "minutes to convert")
    curve(panels[3], minutes, [length[2] for length in lengths], "minutes of film", "MB")
    figure.savefig(path, dpi=80)


def curve(axes: Any, x: list[float], y: list[float], across: str, up: str) -> None:
    """One of them."""
    axes.plot(x, y, "o-", color="#4a7fb5", markersize=4)
    axes.set_xlabel(across, fontsize="small")
    axes.set_ylabel(up, fontsize="small")
    axes.set_xlim(left=0)
    axes.set_ylim(bottom=0, top=1.15 * max(y))
    axes.tick_params(labelsize="small")
    axes.grid(alpha=0.3)


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
