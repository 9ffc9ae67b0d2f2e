"""Time the engine on a GPU, transfers included: medians in milliseconds, and pictures a second.

`stream` keeps several pictures in flight, as `convert` does; `single` waits for each, as `live` does.
"""

from __future__ import annotations

import statistics
import time
from fractions import Fraction

import numpy as np
import torch

from stylize_live.engine import Stylizer
from stylize_live.frame import Frame

SIZES = ((640, 360), (1280, 720), (1920, 1080), (3840, 2160))
COUNT = 200


def single_times(stylizer: Stylizer, frame: Frame) -> list[float]:
    """Milliseconds of each of `COUNT` pictures, one after the other."""
    times = []
    for _ in range(COUNT):
        started = time.perf_counter()
        stylizer(frame)
        times.append((time.perf_counter() - started) * 1e3)
    return times


def stream_rate(stylizer: Stylizer, frame: Frame) -> float:
    """Pictures a second with several in flight."""
    started = time.perf_counter()
    for _ in stylizer.stream(frame for _ in range(COUNT)):
        pass
    return COUNT / (time.perf_counter() - started)


def main() -> None:
    """Measure and print a Markdown table."""
    print(f"{torch.cuda.get_device_name()}, torch {torch.__version__}\n")
    print("| size | precision | single, median ms | p95 ms | stream, pictures/s |")
    print("|---|---|---|---|---|")
    for width, height in SIZES:
        pixels = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
        frame = Frame(pixels, Fraction(0), 0.0, 0)
        for precision in ("float32", "float16"):
            stylizer = Stylizer(device="cuda", precision=precision)
            stylizer.warm_up((width, height))
            times = single_times(stylizer, frame)
            median, p95 = statistics.median(times), statistics.quantiles(times, n=20)[-1]
            rate = stream_rate(stylizer, frame)
            print(f"| {width}x{height} | {precision} | {median:.2f} | {p95:.2f} | {rate:.0f} |", flush=True)


if __name__ == "__main__":
    main()
