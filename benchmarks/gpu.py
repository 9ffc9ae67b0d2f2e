"""Time the engine on a GPU, transfers included: medians in milliseconds, and pictures a second.

`stream` keeps several pictures in flight, as `convert` does; `single` waits for each, as `live` does. Then
whole films, 1920x1080, beside what only decodes and encodes them: on the GPU's own chips without leaving
it, on those chips with pictures through the machine's memory, and by the processor.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import torch

from stylize_live.bench.film import make_film
from stylize_live.config import CodecKind, ConvertSettings
from stylize_live.engine import Stylizer
from stylize_live.errors import StylizeError
from stylize_live.frame import Frame
from stylize_live.pipeline.convert import convert
from stylize_live.pipeline.painter import FramePainter

SIZES = ((640, 360), (1280, 720), (1920, 1080), (3840, 2160))
COUNT = 200
FILM_SIZE, FILM_FRAMES = (1920, 1080), 600


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


class Nobody:
    """Gives every frame back as it came: what then is left is decoding and encoding.

    Args:
        device: "cuda" takes frames that stay on the GPU, too.
    """

    fingerprint = "nobody"

    def __init__(self, device: str) -> None:
        self.device = device

    def warm_up(self, size: tuple[int, int]) -> None:
        """Nothing is slow."""

    def stream(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        """See `FramePainter.stream`."""
        return iter(frames)


class ThroughMemory:
    """A painter that does not say that it could take surfaces.

    Args:
        painter: who really paints.
    """

    def __init__(self, painter: FramePainter) -> None:
        self.stream, self.warm_up, self.fingerprint = painter.stream, painter.warm_up, painter.fingerprint


def film_rate(film: Path, painter: FramePainter, kind: CodecKind) -> str:
    """Pictures a second of a conversion, the median of three; or why there is none."""
    settings = ConvertSettings(decoder=kind, encoder=kind, preset="veryfast")
    try:
        rates = [
            convert(film, film.with_stem("out"), painter, settings, overwrite=True).fps for _ in range(3)
        ]
    except StylizeError as error:
        return str(error)
    return f"{statistics.median(rates):.0f}"


def film_table(device: str) -> Iterator[str]:
    """Lines of a Markdown table."""
    yield "| film | decode and encode only | painted | painted, smoothed |"
    yield "|---|---|---|---|"
    with tempfile.TemporaryDirectory() as folder:
        film = Path(folder) / "in.mp4"
        make_film(film, FILM_SIZE, FILM_FRAMES)
        plain, smoothed = Stylizer(device=device), Stylizer(device=device, steadiness=0.8)  # type: ignore[arg-type]
        painters = (Nobody(device), plain, smoothed)
        ways: tuple[tuple[str, CodecKind, bool], ...] = (
            ("chips, on the GPU", "hardware", True),
            ("chips, through memory", "hardware", False),
            ("processor", "software", False),
        )
        for name, kind, stays in ways:
            cells = [film_rate(film, p if stays else ThroughMemory(p), kind) for p in painters]
            yield f"| {name} | {' | '.join(cells)} |"


def main() -> None:
    """Measure and print Markdown tables."""
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
    print()
    for line in film_table("cuda"):
        print(line, flush=True)


if __name__ == "__main__":
    main()
