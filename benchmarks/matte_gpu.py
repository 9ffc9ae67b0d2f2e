"""Time the person matte on a GPU: `python benchmarks/matte_gpu.py VIDEO [--device cuda]`.

Of each size: operations that torch is asked for where nothing is recorded, and those that a frame launches
with a CUDA graph; milliseconds on the device's own clock, from the frame in its memory to the matte there;
and what a frame waits for, from the host's memory to the host's memory. Medians over the frames, and the
95th percentile of the last. With `--device cpu`, operations are counted and nothing is timed.
"""

from __future__ import annotations

from stylize_live.cli.machine import tune_process

tune_process()

import argparse
import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from matte import read
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from stylize_live.engine.cpu.torch_backend import to_levels
from stylize_live.engine.matting.tensor_matte import DeviceMatte, TensorMatte
from stylize_live.frame import Pixels
from stylize_live.media.libraries import cv2

SIZES = ((640, 360), (1280, 720), (1920, 1080))
# What only says how memory is seen, or gets some: no kernel runs for it.
FREE = {
    *("view", "_unsafe_view", "permute", "expand", "select", "slice", "unsqueeze", "squeeze", "alias", "t"),
    *(
        "unbind",
        "diagonal",
        "empty",
        "empty_like",
        "detach",
        "transpose",
        "split_with_sizes",
        "empty_strided",
    ),
    *("flatten", "view_as", "reshape", "lift_fresh"),
}


class Counting(TorchDispatchMode):
    """Counts what torch is asked for meanwhile, but for what is free."""

    def __init__(self) -> None:
        super().__init__()
        self.counts: Counter[str] = Counter()

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        name = func.overloadpacket.__name__
        if name not in FREE:
            self.counts[name] += 1
        return func(*args, **(kwargs or {}))


def count(work: Callable[[], object]) -> Counter[str]:
    """How often torch is asked for what."""
    counting = Counting()
    with counting:
        work()
    return counting.counts


def lines(path: Path, device: torch.device) -> Iterator[str]:
    """Of a Markdown table."""
    frames = list(read(path))
    yield "| size | operations | launched | on the device, ms | from host to host, ms | p95 |"
    yield "|---|---|---|---|---|---|"
    for size in SIZES:
        scaled = [cv2.resize(frame, size, interpolation=cv2.INTER_AREA) for frame in frames]
        yield f"| {size[0]}x{size[1]} | {' | '.join(measure(scaled, device))} |"


def measure(frames: list[Pixels], device: torch.device) -> list[str]:
    """Cells of a line."""
    with torch.inference_mode():
        matte = TensorMatte(device)
        images = [to_levels(torch.from_numpy(frame).to(device)) for frame in frames[:8]]
        matte(images[0], True)
        assert matte.past is not None
        past, least = matte.past, torch.zeros((), device=device)
        whole = count(lambda: matte.measure(images[1], *past, least))
        if device.type != "cuda":
            return [str(whole.total()), "", "", "", ""]
        launched = count(lambda: matte(images[1], False)).total() + 1  # the graph, which torch does not see
        inside = [device_time(matte, image) for image in images * 8]
        outside = host_times(DeviceMatte(str(device)), frames)
    return [
        str(whole.total()),
        str(launched),
        f"{statistics.median(inside):.3f}",
        f"{statistics.median(outside):.3f}",
        f"{statistics.quantiles(outside, n=20)[-1]:.3f}",
    ]


def device_time(matte: TensorMatte, image: Tensor) -> float:
    """Milliseconds of one frame, by the device's clock."""
    begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]
    begin.record()  # type: ignore[no-untyped-call]
    matte(image, False)
    end.record()  # type: ignore[no-untyped-call]
    end.synchronize()  # type: ignore[no-untyped-call]
    return float(begin.elapsed_time(end))  # type: ignore[no-untyped-call]


def host_times(matte: DeviceMatte, frames: list[Pixels]) -> list[float]:
    """Milliseconds of each frame, the first left out."""
    times = []
    for index, frame in enumerate(frames):
        begun = time.perf_counter()
        matte.measure(frame, index == 0)
        times.append(1000 * (time.perf_counter() - begun))
    return times[1:]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("video", type=Path)
    parser.add_argument("--device", default="cuda")
    options = parser.parse_args()
    device = torch.device(options.device)
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else "no GPU"
    print(f"{name}, torch {torch.__version__}\n")
    for line in lines(options.video, device):
        print(line, flush=True)


if __name__ == "__main__":
    main()
