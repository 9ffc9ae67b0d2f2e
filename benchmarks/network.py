"""Time our network beside the usual one, alternating in one run: `make bench`.

Prints medians in milliseconds per picture, with the 10th and 90th percentile, and the ratio.
"""

from __future__ import annotations

import platform
import statistics
import time
from collections.abc import Callable

import torch
from reference import usual_network

from stylize_live.engine.device import fast_bfloat16
from stylize_live.nets.transformer import ResidualTransformer

SIZES = ((640, 360), (1280, 720))
ROUNDS = 7


def milliseconds(work: Callable[[], object]) -> float:
    """Wall time of one call."""
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) * 1e3


def alternate(jobs: dict[str, Callable[[], object]]) -> dict[str, list[float]]:
    """Run all jobs once to warm up, then in turn, so that a slow moment hits all alike."""
    for work in jobs.values():
        work()
    times: dict[str, list[float]] = {name: [] for name in jobs}
    for _ in range(ROUNDS):
        for name, work in jobs.items():
            times[name].append(milliseconds(work))
    return times


def runner(network: torch.nn.Module, dtype: torch.dtype, size: tuple[int, int]) -> Callable[[], object]:
    """A network and a random picture, ready to run. Ours takes float32 pictures in any precision."""
    network = network.eval().to(dtype, memory_format=torch.channels_last)
    picture = torch.rand(1, 3, size[1], size[0]).to(memory_format=torch.channels_last)
    if not isinstance(network, ResidualTransformer):
        picture = picture.to(dtype)

    def run() -> object:
        with torch.inference_mode():
            return network(picture)

    return run


def main() -> None:
    """Measure and print a Markdown table."""
    cores = torch.get_num_threads()
    print(f"{platform.processor() or platform.machine()}, {cores} threads, torch {torch.__version__}\n")
    print("| size | precision | usual 1.68 M network, ms | ours, ms (10-90 %) | times faster |")
    print("|---|---|---|---|---|")
    precisions = [torch.float32] + ([torch.bfloat16] if fast_bfloat16() else [])
    for size in SIZES:
        for dtype in precisions:
            torch.manual_seed(0)
            jobs = {
                "usual": runner(usual_network(), dtype, size),
                "ours": runner(ResidualTransformer(), dtype, size),
            }
            times = alternate(jobs)
            usual, ours = (statistics.median(times[name]) for name in ("usual", "ours"))
            low, *_, high = statistics.quantiles(times["ours"], n=10)
            name = str(dtype).removeprefix("torch.")
            row = f"{usual:.0f} | {ours:.1f} ({low:.1f}-{high:.1f}) | {usual / ours:.1f}"
            print(f"| {size[0]}x{size[1]} | {name} | {row} |", flush=True)


if __name__ == "__main__":
    main()
