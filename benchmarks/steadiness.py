"""What smoothing costs: `python benchmarks/steadiness.py`. Alternating runs, medians, on the sample clip."""

from __future__ import annotations

import statistics
import time
from pathlib import Path

from stylize_live.cli.machine import tune_process

tune_process()  # as the program does: before torch is loaded

from stylize_live.engine import Stylizer
from stylize_live.frame import Pixels
from stylize_live.media.decode.reader import VideoReader
from stylize_live.media.image.io import resize

SAMPLE = Path(__file__).parent.parent / "samples" / "flower.mp4"
ROUNDS, IMAGES = 4, 40


def times(stylizer: Stylizer, images: list[Pixels]) -> list[float]:
    """Milliseconds of each frame."""
    found = []
    for pixels in images:
        began = time.perf_counter()
        stylizer(pixels)
        found.append(1000 * (time.perf_counter() - began))
    return found


def main() -> None:
    """Print a table."""
    with VideoReader(SAMPLE) as reader:
        video = [frame.pixels for frame in reader][:IMAGES]
    print("| height | network, ms | smoothed, ms | more |\n|---|---|---|---|")
    for height in (360, 540):
        images = [resize(pixels, height) for pixels in video]
        plain_times: list[float] = []
        steady_times: list[float] = []
        with Stylizer() as plain, Stylizer(steadiness=0.8) as steady:
            plain.warm_up(images[0].shape[1::-1])
            steady.warm_up(images[0].shape[1::-1])
            for _ in range(ROUNDS):
                plain_times += times(plain, images)
                steady_times += times(steady, images)
        alone, smoothed = statistics.median(plain_times), statistics.median(steady_times)
        print(f"| {height} | {alone:.1f} | {smoothed:.1f} | {smoothed / alone - 1:.0%} |")


if __name__ == "__main__":
    main()
