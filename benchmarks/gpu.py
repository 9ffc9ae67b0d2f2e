"""Time the engine on a GPU: `python benchmarks/gpu.py [--frames 600] [--runs 3]`.

First the network alone, at the frame's full size: with our kernels, and with torch's; and motion and
smoothing at that size. Then frames with transfers, painted as by default: one by one as `live` does (median
and 95th percentile), and several in flight as `convert` does. Then whole videos, 1920x1080: conversions by
the processor, by the GPU's own chips, and by one of each. Beside them PyAV alone, which decodes what came
out and encodes it again, by the processor: what conversions are to come near to.
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

from stylize_live.bench.video import make_video
from stylize_live.config import CodecKind, ConvertSettings
from stylize_live.conversion.convert import convert
from stylize_live.conversion.stylizers import FrameStylizer
from stylize_live.engine import Stylizer
from stylize_live.engine.cpu.torch_backend import prepare_network
from stylize_live.engine.cuda.graphs import Graphed
from stylize_live.engine.cuda.motion import select_motion
from stylize_live.engine.cuda.motion_tensors import shrink
from stylize_live.engine.cuda.network import TorchNetwork, select_network
from stylize_live.engine.style_loading import load_style
from stylize_live.errors import StylizeError
from stylize_live.frame import Frame
from stylize_live.media.formats.codecs import encoder_options
from stylize_live.media.libraries import av
from stylize_live.media.sources.test_pattern import PatternSource

SIZES = ((640, 360), (1280, 720), (1920, 1080), (3840, 2160))
COUNT = 100
VIDEO_SIZE = (1920, 1080)
SETTINGS = ConvertSettings(preset="veryfast")
WAYS: tuple[tuple[CodecKind, CodecKind], ...] = (
    ("software", "software"),
    ("hardware", "software"),
    ("hardware", "hardware"),
)


def network_table() -> Iterator[str]:
    """Lines of a Markdown table: the network alone, on the device's own clock."""
    yield "| size | our kernels, ms | frames/s | torch's kernels, ms | motion and smoothing, ms |"
    yield "|---|---|---|---|---|"
    device, stream = torch.device("cuda"), torch.cuda.Stream()
    with torch.inference_mode(), torch.cuda.stream(stream):
        network = prepare_network(load_style("starry-night"), device, torch.float16)
        ways = [Graphed(kernels) for kernels in (select_network(network), TorchNetwork(network))]
        follow, share = select_motion(device), torch.tensor(0.04, device=device)
        for width, height in SIZES:
            image = 255 * torch.rand((1, 3, height, width), device=device)
            image = image.contiguous(memory_format=torch.channels_last)
            ours, torchs = (device_time(way, image) for way in ways)
            inputs = torch.stack((shrink(image), shrink(255 - image)))
            following = device_time(follow, image, image, inputs, share)
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


def image_table() -> Iterator[str]:
    """Lines of a Markdown table: frames from the host's memory into it."""
    yield "| size | one by one, ms | p95 | smoothed, ms | p95 | in flight, frames/s | smoothed |"
    yield "|---|---|---|---|---|---|---|"
    for size in SIZES:
        pattern = PatternSource(size, 30)
        pixels = [pattern.image(index) for index in range(6)]
        frames = [
            Frame(image, Fraction(index, 30), 0.0, index)
            for index, image in zip(range(COUNT), itertools.cycle(pixels), strict=False)
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
    """Milliseconds of each frame, one after the other."""
    times = []
    for frame in frames:
        started = time.perf_counter()
        stylizer(frame)
        times.append((time.perf_counter() - started) * 1e3)
    return times


def stream_rate(stylizer: Stylizer, frames: list[Frame]) -> float:
    """Frames a second with several in flight."""
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
        """See `FrameStylizer.stream`."""
        return iter(frames)


def decoded(video: Path) -> Iterator[av.VideoFrame]:
    """A video's frames, decoded in a thread of their own."""
    images: Queue[av.VideoFrame | None] = Queue(4)

    def decode() -> None:
        with av.open(str(video)) as container:
            container.streams.video[0].thread_type = "AUTO"
            for image in container.decode(video=0):
                images.put(image)
        images.put(None)

    threading.Thread(target=decode, daemon=True).start()
    return iter(images.get, None)


def raw_rate(video: Path, frames: int) -> float:
    """Frames a second of PyAV alone, with the encoder of conversions, but planes as they were decoded."""
    started = time.perf_counter()
    with av.open(str(video.with_stem("raw")), "w") as target:
        stream = target.add_stream(
            "libx264", rate=30, options=encoder_options("libx264", "h264", SETTINGS, alpha=False)
        )
        stream.width, stream.height = VIDEO_SIZE
        stream.codec_context.thread_type = "FRAME"
        for image in decoded(video):
            image.pict_type = 0  # the encoder's own choice
            target.mux(stream.encode(image))
        target.mux(stream.encode(None))
    return frames / (time.perf_counter() - started)


def video_rate(
    video: Path, target: Path, stylizer: FrameStylizer, decoder: CodecKind, encoder: CodecKind, runs: int
) -> str:
    """Frames a second of a conversion, the median; or why there is none."""
    settings = SETTINGS.model_copy(update={"decoder": decoder, "encoder": encoder})
    try:
        rates = [convert(video, target, stylizer, settings, overwrite=True).fps for _ in range(runs)]
    except StylizeError as error:
        return str(error).removeprefix(f"{video}: ")
    return f"{statistics.median(rates):.0f}"


def video_table(frames: int, runs: int) -> Iterator[str]:
    """Lines of a Markdown table: videos, frames a second."""
    yield "| video | decode and encode only | painted | painted, smoothed |"
    yield "|---|---|---|---|"
    with tempfile.TemporaryDirectory() as folder:
        video = Path(folder) / "in.mp4"
        make_video(video, VIDEO_SIZE, frames)
        stylizers = {
            video.with_stem("copied"): Nobody(takes_surfaces=True),
            video.with_stem("painted"): Stylizer(device="cuda"),
            video.with_stem("smoothed"): Stylizer(device="cuda", steadiness=0.8),
        }
        for decoder, encoder in WAYS:
            rates = [
                video_rate(video, to, stylizer, decoder, encoder, runs) for to, stylizer in stylizers.items()
            ]
            yield f"| {decoder} decoder, {encoder} encoder | {' | '.join(rates)} |"
        rates = [f"{statistics.median(raw_rate(to, frames) for _ in range(runs)):.0f}" for to in stylizers]
        yield f"| PyAV alone | {' | '.join(rates)} |"


def main() -> None:
    """Measure and print Markdown tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--frames", type=int, default=600, help="of the video")
    parser.add_argument("--runs", type=int, default=3, help="of each conversion")
    options = parser.parse_args()
    print(f"{torch.cuda.get_device_name()}, torch {torch.__version__}")
    for table in (network_table(), image_table(), video_table(options.frames, options.runs)):
        print()
        for line in table:
            print(line, flush=True)


if __name__ == "__main__":
    main()
