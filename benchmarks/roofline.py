"""How far each backend is from what this machine can do: `python benchmarks/roofline.py`.

The ceilings are measured here and now: arithmetic by a large matrix product and by wide convolutions,
memory by copying far more, and far less, than the caches hold. Then the network: what it has to compute
and to move (`counting.py`), how long that takes at the ceilings, how long it really takes, and which
operations take it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from typing import Any

from stylize_live.cli.machine import tune_process

tune_process()  # as the program does: before torch is loaded

import numpy as np
import torch
from counting import Work, work_of
from network import ours, ours_in_eight_bits

from stylize_live.bench.timing import Spread, alternate
from stylize_live.config import DEFAULT_STYLE
from stylize_live.engine.cpu.features import floating_precision, multiplies_bfloat16
from stylize_live.engine.speed_trials import Way, available_ways
from stylize_live.engine.style_loading import load_style
from stylize_live.nets.transformer import ResidualTransformer

SIZES = ((640, 360), (1280, 720))
SIDE = 2048  # of the matrices
CHANNELS, PLACES = 256, 64  # of the wide convolution: channels in and out, height and width
LARGE, SMALL = 256 << 20, 1 << 20  # bytes to copy: beyond every cache, and within the cores' own
SHOWN = 6  # kinds of operations
INT8 = "int8"
HINTS = {"float32": "f32", "bfloat16": "bf16"}  # as OpenVINO calls them


def floating(precision: str) -> str:
    """In what a network of that precision computes what it does not compute in eight bits."""
    return floating_precision() if precision == INT8 else precision


def product(dtype: torch.dtype) -> tuple[Callable[[], object], int]:
    """A matrix product under torch, and its multiply-adds."""
    a, b = torch.rand(SIDE, SIDE).to(dtype), torch.rand(SIDE, SIDE).to(dtype)
    return lambda: a @ b, SIDE**3


def wide_convolution(dtype: torch.dtype) -> tuple[Callable[[], object], int]:
    """A 3x3 convolution under torch, and its multiply-adds."""
    layer = torch.nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1).to(dtype, memory_format=torch.channels_last)
    x = torch.rand(1, CHANNELS, PLACES, PLACES).to(dtype, memory_format=torch.channels_last)

    def run() -> object:
        with torch.inference_mode():
            return layer(x)

    return run, (CHANNELS * PLACES) ** 2 * 9


def wide_openvino(precision: str) -> tuple[Callable[[], object], int]:
    """Four such convolutions under OpenVINO, and their multiply-adds."""
    import openvino
    from openvino import opset13 as ops

    from stylize_live.engine.cpu.int8 import quantize_weight

    x = ops.parameter([1, CHANNELS, PLACES, PLACES], np.float32)
    y, count = x, 4
    for seed in range(count):
        weight = np.random.default_rng(seed).normal(0, 0.02, (CHANNELS, CHANNELS, 3, 3)).astype(np.float32)
        kernel = ops.constant(weight)
        if precision == INT8:
            low, high = (ops.constant(np.full((1, 1, 1, 1), value, np.float32)) for value in (-4, 4))
            y = ops.fake_quantize(y, low, high, low, high, 256)
            steps, size = quantize_weight(weight)
            kernel = ops.multiply(ops.convert(ops.constant(steps), "f32"), ops.constant(size))
        y = ops.convolution(y, kernel, [1, 1], [1, 1], [1, 1], [1, 1])
    how = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": HINTS[floating(precision)]}
    request = openvino.Core().compile_model(openvino.Model([y], [x]), "CPU", how).create_infer_request()
    given = {0: np.random.default_rng(0).random((1, CHANNELS, PLACES, PLACES), np.float32)}
    work = partial(request.infer, given, share_inputs=True, share_outputs=True)
    return work, count * (CHANNELS * PLACES) ** 2 * 9


def arithmetic(precisions: list[str]) -> dict[str, float]:
    """Measure and print multiply-adds a second; the most for each precision."""
    jobs, counts = {}, {}
    for precision in precisions:
        makers: dict[str, Callable[[], tuple[Callable[[], object], int]]] = {}
        if precision != INT8:
            dtype = getattr(torch, precision)
            makers["torch, matrix product"] = partial(product, dtype)
            makers["torch, convolution"] = partial(wide_convolution, dtype)
        if find_spec("openvino"):
            makers["OpenVINO, convolution"] = partial(wide_openvino, precision)
        for name, make in makers.items():
            jobs[name, precision], counts[name, precision] = make()
    print("\n| arithmetic | precision | billion multiply-adds a second |\n|---|---|---|")
    best = dict.fromkeys(precisions, 0.0)
    for (name, precision), times in alternate(jobs, seconds=8).items():
        rate = counts[name, precision] / (Spread.of(times).low / 1e3)
        print(f"| {name} | {precision} | {rate / 1e9:.0f} |")
        best[precision] = max(best[precision], rate)
    return best


def bandwidth() -> float:
    """Measure and print bytes a second, read and written, of a large and of a small copy; the large one's."""
    rates = []
    print("\n| copying | GB a second, read and written |\n|---|---|")
    for size in (LARGE, SMALL):
        source = torch.ones(size // 4)
        target = torch.empty_like(source)
        repeats = LARGE // size

        def copy(source: torch.Tensor = source, target: torch.Tensor = target, n: int = repeats) -> None:
            for _ in range(n):
                target.copy_(source)

        times = alternate({"copy": copy}, seconds=2)["copy"]
        rates.append(2 * size * repeats / (Spread.of(times).low / 1e3))
        print(f"| {size >> 20} MB | {rates[-1] / 1e9:.0f} |")
    return rates[0]


def print_work(size: tuple[int, int], precision: str, work: Work) -> None:
    """What there is to do."""
    megabytes = " | ".join(
        f"{count / 1e6:.1f}" for count in (work.least_bytes, work.layer_bytes, work.all_bytes)
    )
    count = f"{work.multiply_adds / 1e9:.2f}"
    print(f"| {size[0]}x{size[1]} | {precision} | {count} | {megabytes} |")


def compare(size: tuple[int, int], works: dict[str, Work], peaks: dict[str, float], memory: float) -> None:
    """Print how far the backends are from the ceilings."""
    dtypes = [getattr(torch, name) for name in works if name != INT8]
    peers = ours(size, dtypes) + (ours_in_eight_bits(size) if INT8 in works else [])
    times = alternate({f"{p.runtime} {p.precision}": p.run for p in peers}, seconds=8)
    for peer, taken in zip(peers, times.values(), strict=True):
        work, spread = works[peer.precision], Spread.of(taken)
        ceilings = 1e3 * work.multiply_adds / peaks[peer.precision], 1e3 * work.layer_bytes / memory
        figures = " | ".join(f"{ms:.1f}" for ms in (*ceilings, spread.median))
        share = max(ceilings) / spread.median
        name = f"{size[0]}x{size[1]} | {peer.runtime} | {peer.precision}"
        print(f"| {name} | {figures} | {share:.0%} |", flush=True)


def where_torch(size: tuple[int, int], precision: str) -> Counter[str]:
    """Milliseconds by operation under torch."""
    peer = next(p for p in ours(size, [getattr(torch, precision)]) if p.runtime == "torch")
    peer.run()
    with torch.profiler.profile() as profile:
        for _ in range(10):
            peer.run()
    times: Counter[str] = Counter()
    for event in profile.key_averages():
        times[event.key.removeprefix("aten::")] += event.self_cpu_time_total / 1e4
    return times


def where_openvino(size: tuple[int, int], precision: str) -> Counter[str]:
    """Milliseconds by operation under OpenVINO."""
    import openvino

    from stylize_live.engine.cpu.int8 import input_ranges
    from stylize_live.engine.cpu.openvino_backend import Graph

    pixels = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), np.uint8)
    how: dict[str, Any] = {
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": HINTS[floating(precision)],
        "PERF_COUNT": True,
    }
    style = load_style(DEFAULT_STYLE)
    model = Graph(style, input_ranges(style) if precision == INT8 else {}).model(pixels)
    request = openvino.Core().compile_model(model, "CPU", how).create_infer_request()
    times: Counter[str] = Counter()
    for number in range(11):
        request.infer({0: pixels[None]}, share_inputs=True)
        if number:
            for node in request.get_profiling_info():
                times[node.node_type] += node.real_time.total_seconds() * 1e2
    return times


def main() -> None:
    """Measure and print."""
    plain = ["float32"] + (["bfloat16"] if multiplies_bfloat16() else [])
    precisions = plain + ([INT8] if Way("openvino", "int8") in available_ways() else [])
    peaks = arithmetic(precisions)
    memory = bandwidth()
    print("\n| size | precision | billion multiply-adds | MB at least | MB by layers | MB, all |")
    print("|---|---|---|---|---|---|")
    works = {
        size: {p: work_of(ResidualTransformer(), size, getattr(torch, floating(p))) for p in precisions}
        for size in SIZES
    }
    for size in SIZES:
        for precision in plain:
            print_work(size, precision, works[size][precision])
    print("\n| size | runtime | precision | arithmetic, ms | memory, ms | measured, ms | share |")
    print("|---|---|---|---|---|---|---|")
    for size in SIZES:
        compare(size, works[size], peaks, memory)
    places = {"torch": where_torch} | ({"OpenVINO": where_openvino} if find_spec("openvino") else {})
    for name, where in places.items():
        for precision in precisions if name == "OpenVINO" else plain:
            times = where(SIZES[0], precision)
            shares = ", ".join(f"{kind} {ms:.1f}" for kind, ms in times.most_common(SHOWN))
            print(f"\n{name}, {precision}, ms of {times.total():.1f}: {shares}")


if __name__ == "__main__":
    main()
