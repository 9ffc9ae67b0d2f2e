"""The GPU path against the CPU. Run by `make gpu-test`; unverified where there is no GPU."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import torch
from conftest import random_pixels

from stylize_live.engine import Stylizer
from stylize_live.engine.cuda_graphs import GraphedNetwork
from stylize_live.frame import Frame

pytestmark = pytest.mark.gpu

# Stated tolerances against float32 on the CPU, in levels of 255: (mean, 99.9th percentile).
TOLERANCE = {"float32": (0.1, 2.0), "float16": (0.5, 6.0), "bfloat16": (1.5, 16.0)}


@pytest.mark.parametrize("precision", list(TOLERANCE))
@pytest.mark.parametrize("size", [(640, 360), (321, 243), (5, 3)])
def test_same_picture_as_the_cpu(cuda: torch.device, precision: str, size: tuple[int, int]) -> None:
    pixels = random_pixels(*size)
    wanted = Stylizer(device="cpu", precision="float32")(pixels).astype(int)
    found = Stylizer(device="cuda", precision=precision)(pixels).astype(int)  # type: ignore[arg-type]
    difference = np.abs(found - wanted)
    mean, tail = TOLERANCE[precision]
    assert difference.mean() <= mean
    assert np.percentile(difference, 99.9) <= tail


def test_stream_equals_single_pictures(cuda: torch.device) -> None:
    """Several in flight, size changing on the way: no slot is read before it is written."""
    stylizer = Stylizer(device="cuda")
    frames = [Frame(random_pixels(64 + 32 * (i // 7 % 2), 48, i), Fraction(i), 0.0, i) for i in range(40)]
    painted = list(stylizer.stream(frames))
    assert [f.index for f in painted] == list(range(40))
    for before, after in zip(frames, painted, strict=True):
        assert (after.pixels == stylizer(before.pixels)).all()


def test_results_do_not_share_memory(cuda: torch.device) -> None:
    stylizer = Stylizer(device="cuda")
    first = stylizer(random_pixels(64, 48, 1))
    copy = first.copy()
    for seed in range(5):
        stylizer(random_pixels(64, 48, seed + 2))
    assert (first == copy).all()


def test_style_change_between_pictures(cuda: torch.device) -> None:
    stylizer = Stylizer("starry-night", device="cuda")
    pixels = random_pixels(64, 48)
    stylizer(pixels)
    stylizer.style = "great-wave"
    assert (stylizer(pixels) == Stylizer("great-wave", device="cuda")(pixels)).all()


def test_strength_zero_is_the_original(cuda: torch.device) -> None:
    pixels = random_pixels(64, 48)
    assert (Stylizer(device="cuda", strength=0)(pixels) == pixels).all()


def test_steadiness_is_the_same_as_on_the_cpu(cuda: torch.device) -> None:
    scene = np.repeat(np.repeat(random_pixels(24, 16, 3), 8, 0), 8, 1)
    rng = np.random.default_rng(0)
    shaken = [np.roll(scene, 3 * i, 1) + rng.normal(0, 4, scene.shape) for i in range(8)]
    frames = [
        Frame(np.clip(pixels, 0, 255).astype(np.uint8), Fraction(i, 30), 0.0, i)
        for i, pixels in enumerate(shaken)
    ]
    options = {"precision": "float32", "steadiness": 0.8}
    with Stylizer(device="cpu", **options) as cpu, Stylizer(device="cuda", **options) as gpu:  # type: ignore[arg-type]
        wanted, found = list(cpu.stream(frames)), list(gpu.stream(frames))
        for a, b in zip(wanted, found, strict=True):
            difference = np.abs(a.pixels.astype(int) - b.pixels)
            assert difference.mean() < 0.6
            assert np.percentile(difference, 99.9) <= 8
        state = gpu.save_state()
        once = gpu(frames[1]).pixels
        gpu.restore_state(state)
        assert (gpu(frames[1]).pixels == once).all()


def test_timeline_with_several_pictures_under_way(cuda: torch.device) -> None:
    """Weights change in place on the stream: each picture is painted with its own."""
    style = "0:starry-night,10:great-wave,30:the-scream"
    frames = [Frame(random_pixels(64, 48, i), Fraction(i), 0.0, i) for i in range(40)]
    found = list(Stylizer(style, crossfade=8, device="cuda", precision="float32").stream(frames))
    wanted = Stylizer(style, crossfade=8, device="cpu", precision="float32")
    for before, after in zip(frames, found, strict=True):
        difference = np.abs(after.pixels.astype(int) - wanted(before).pixels)
        assert difference.mean() <= TOLERANCE["float32"][0]


@pytest.mark.parametrize("steadiness", [0.0, 0.8])
def test_nothing_waits_for_the_device_while_pictures_are_queued(
    cuda: torch.device, steadiness: float
) -> None:
    frames = [Frame(random_pixels(640, 360, i), Fraction(i, 30), 0.0, i) for i in range(6)]
    with Stylizer(device="cuda", steadiness=steadiness) as stylizer:
        list(stylizer.stream(frames))  # graphs are recorded
        torch.cuda.set_sync_debug_mode("error")
        try:
            assert len(list(stylizer.stream(frames))) == len(frames)
        finally:
            torch.cuda.set_sync_debug_mode("default")


def test_graphs_paint_what_kernels_one_by_one_paint(
    cuda: torch.device, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    sizes = [(64, 48), (96, 48), (64, 48), (33, 17), (64, 80), (80, 80), (96, 96), (64, 48)]
    pictures = [random_pixels(*size, seed) for seed, size in enumerate(sizes)]
    with Stylizer(device="cuda", precision="float32") as stylizer:
        found = [stylizer(pixels) for pixels in pictures]
    assert not caplog.records  # none of them had to do without
    monkeypatch.setattr(GraphedNetwork, "_record", lambda self, picture: None)
    with Stylizer(device="cuda", precision="float32") as stylizer:
        for pixels, graphed in zip(pictures, found, strict=True):
            assert np.abs(stylizer(pixels).astype(int) - graphed).max() <= 1
