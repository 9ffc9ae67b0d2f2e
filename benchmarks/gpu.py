"""Time the engine on a GPU: `python benchmarks/gpu.py [--frames 600] [--runs 3]`.

First the network alone, at the picture's full size: with our kernels, and with torch's; and motion and
smoothing at that size. Then pictures with transfers, painted as by default: one by one as `live` does (median
and 95th percentile), and several in flight as `convert` does. Then whole films, 1920x1080: conversions by the
processor, by the GPU's own chips, and by one of each. Beside them PyAV alone, which decodes what came out and
encodes it again, by the processor: what conversions are to come near to.
"""

from __future__ import annotations

from stylize_live.cli.machine import tune_process

tune_process()

import argparse
import itertools
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from queue import Queue

import torch

from stylize_live.bench.film import make_film
from stylize_live.config import CodecKind, ConvertSettings
from stylize_live.engine import Stylizer
from stylize_live.engine.backend import prepare_network
from stylize_live.engine.cuda_graphs import Graphed
from stylize_live.engine.cuda_motion import quickest_follow
from stylize_live.engine.cuda_network import TorchNetwork, quickest
from stylize_live.engine.motion_torch import reduced
from stylize_live.errors import StylizeError
from stylize_live.frame import Frame
from stylize_live.media.codecs import encoder_options
from stylize_live.media.libraries import av
from stylize_live.media.pattern import PatternSource
from stylize_live.nets.catalogue import load_style
from stylize_live.pipeline.convert import convert
from stylize_live.pipeline.painter import FramePainter

SIZES = ((640, 360), (1280, 720), (1920, 1080), (3840, 2160))
COUNT = 100
FILM_SIZE = (1920, 1080)
SETTINGS = ConvertSettings(preset="veryfast")
WAYS: tuple[tuple[CodecKind, CodecKind], ...] = (
    ("software", "software"),
    ("hardware", "software"),
    ("hardware", "hardware"),
)


def network_table() -> Iterator[str]:
    """Lines of a Markdown table: the network alone, on the device's own clock."""
    yield "| size | our kernels, ms | pictures/s | torch's kernels, ms | motion and smoothing, ms |"
    yield "|---|---|---|---|---|"
    device, stream = torch.device("cuda"), torch.cuda.Stream()
    with torch.inference_mode(), torch.cuda.stream(stream):
        network = prepare_network(load_style("starry-night"), device, torch.float16)
        ways = [Graphed(kernels) for kernels in (quickest(network), TorchNetwork(network))]
        follow, share = quickest_follow(device), torch.tensor(0.04, device=device)
        for width, height in SIZES:
            picture = 255 * torch.rand((1, 3, height, width), device=device)
            picture = picture.contiguous(memory_format=torch.channels_last)
            ours, torchs = (device_time(way, picture) for way in ways)
            inputs = torch.stack((reduced(picture), reduced(255 - picture)))
            following = device_time(follow, picture, picture, inputs, share)
            yield f"| {width}x{height} | {ours:.3f} | {1e3 / ours:.0f} | {torchs:.3f} | {following:.3f} |"


def device_time(work: Callable[..., torch.Tensor], *given: torch.Tensor) -> float:
    """Median milliseconds on the device."""
    times = []
    for _ in range(COUNT):
        begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        begin.record()
        work(*given)
        end.record()
        end.synchronize()
        times.append(begin.elapsed_time(end))
    return statistics.median(times)


def picture_table() -> Iterator[str]:
    """Lines of a Markdown table: pictures from the host's memory into it."""
    yield "| size | one by one, ms | p95 | smoothed, ms | p95 | in flight, pictures/s | smoothed |"
    yield "|---|---|---|---|---|---|---|"
    for size in SIZES:
        pattern = PatternSource(size, 30)
        pixels = [pattern.picture(index) for index in range(6)]
        frames = [
            Frame(picture, Fraction(index, 30), 0.0, index)
            for index, picture in zip(range(COUNT), itertools.cycle(pixels), strict=False)
        ]
        single, rates = [], []
        for steadiness in (0.0, 0.8):
            with Stylizer(device="cuda", steadiness=steadiness) as stylizer:
                stylizer.warm_up(size)
                times = single_times(stylizer, frames)
                single += [statistics.median(times), statistics.quantiles(times, n=20)[-1]]
                rates.append(stream_rate(stylizer, frames))
        cells = [f"{ms:.2f}" for ms in single] + [f"{rate:.0f}" for rate in rates]
        yield f"| {size[0]}x{size[1]} | {' | '.join(cells)} |"


def single_times(stylizer: Stylizer, frames: list[Frame]) -> list[float]:
    """Milliseconds of each picture, one after the other."""
    times = []
    for frame in frames:
        started = time.perf_counter()
        stylizer(frame)
        times.append((time.perf_counter() - started) * 1e3)
    return times


def stream_rate(stylizer: Stylizer, frames: list[Frame]) -> float:
    """Pictures a second with several in flight."""
    started = time.perf_counter()
    for _ in stylizer.stream(frames):
        pass
    return len(frames) / (time.perf_counter() - started)


class Nobody:
    """Gives every frame back as it came: what then is left is decoding and encoding.

    Args:
        takes_surfaces: takes frames that stay planes, too.
    """

    fingerprint = "nobody"

    def __init__(self, *, takes_surfaces: bool) -> None:
        self.takes_surfaces = takes_surfaces

    def warm_up(self, size: tuple[int, int]) -> None:
        """Nothing is slow."""

    def stream(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        """See `FramePainter.stream`."""
        return iter(frames)


def decoded(film: Path) -> Iterator[av.VideoFrame]:
    """A film's pictures, decoded in a thread of their own."""
    pictures: Queue[av.VideoFrame | None] = Queue(4)

    def decode() -> None:
        with av.open(str(film)) as container:
            container.streams.video[0].thread_type = "AUTO"
            for picture in container.decode(video=0):
                pictures.put(picture)
        pictures.put(None)

    threading.Thread(target=decode, daemon=True).start()
    return iter(pictures.get, None)


def raw_rate(film: Path, frames: int) -> float:
    """Pictures a second of PyAV alone, with the encoder of conversions, but planes as they were decoded."""
    started = time.perf_counter()
    with av.open(str(film.with_stem("raw")), "w") as target:
        stream = target.add_stream(
            "libx264", rate=30, options=encoder_options("libx264", "h264", SETTINGS, alpha=False)
        )
        stream.width, stream.height = FILM_SIZE
        stream.codec_context.thread_type = "FRAME"
        for picture in decoded(film):
            picture.pict_type = 0  # the encoder's own choice
            target.mux(stream.encode(picture))
        target.mux(stream.encode(None))
    return frames / (time.perf_counter() - started)


def film_rate(
    film: Path, target: Path, painter: FramePainter, decoder: CodecKind, encoder: CodecKind, runs: int
) -> str:
    """Pictures a second of a conversion, the median; or why there is none."""
    settings = SETTINGS.model_copy(update={"decoder": decoder, "encoder": encoder})
    try:
        rates = [convert(film, target, painter, settings, overwrite=True).fps for _ in range(runs)]
    except StylizeError as error:
        return str(error).removeprefix(f"{film}: ")
    return f"{statistics.median(rates):.0f}"


def film_table(frames: int, runs: int) -> Iterator[str]:
    """Lines of a Markdown table: films, pictures a second."""
    yield "| film | decode and encode only | painted | painted, smoothed |"
    yield "|---|---|---|---|"
    with tempfile.TemporaryDirectory() as folder:
        film = Path(folder) / "in.mp4"
        make_film(film, FILM_SIZE, frames)
        painters = {
            film.with_stem("copied"): Nobody(takes_surfaces=True),
            film.with_stem("painted"): Stylizer(device="cuda"),
            film.with_stem("smoothed"): Stylizer(device="cuda", steadiness=0.8),
        }
        for decoder, encoder in WAYS:
            rates = [film_rate(film, to, painter, decoder, encoder, runs) for to, painter in painters.items()]
            yield f"| {decoder} decoder, {encoder} encoder | {' | '.join(rates)} |"
        rates = [f"{statistics.median(raw_rate(to, frames) for _ in range(runs)):.0f}" for to in painters]
        yield f"| PyAV alone | {' | '.join(rates)} |"


def main() -> None:
    """Measure and print Markdown tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--frames", type=int, default=600, help="of the film")
    parser.add_argument("--runs", type=int, default=3, help="of each conversion")
    options = parser.parse_args()
    print(f"{torch.cuda.get_device_name()}, torch {torch.__version__}")
    for table in (network_table(), picture_table(), film_table(options.frames, options.runs)):
        print()
        for line in table:
            print(line, flush=True)


if __name__ == "__main__":
    main()
