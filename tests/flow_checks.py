"""Optical flow with the GPU's own kernels, run by Triton's interpreter on the CPU. See test_kernels.py."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from textures import noisy, texture
from torch import Tensor

from stylize_live.engine.cpu.optical_flow import FlowEstimator
from stylize_live.engine.cuda import optical_flow
from stylize_live.engine.cuda.motion import make_gpu_measure
from stylize_live.engine.cuda.motion_tensors import TensorMotion, fit_motion
from stylize_live.engine.cuda.triton import flow_refinement
from stylize_live.frame import Pixels

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def few_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    """The interpreter takes milliseconds for each."""
    monkeypatch.setattr(optical_flow, "_BLOCK", 4096)
    monkeypatch.setattr(optical_flow, "_PATCHES", 256)


def grey(height: int, width: int, seed: int, grain: float = 3) -> Pixels:
    return np.ascontiguousarray(texture(height, width, seed, grain)[..., 0])


def pair_of(before: Pixels, now: Pixels) -> Tensor:
    return torch.from_numpy(np.stack((before, now))).float()


def median(flow: Tensor, margin: int = 8) -> list[float]:
    inner = flow[:, margin:-margin, margin:-margin]
    return [float(direction.median()) for direction in inner]


@pytest.mark.parametrize(("size", "shift"), [((30, 41), (3, -2)), ((65, 71), (-9, 7))])
def test_finds_a_shift(size: tuple[int, int], shift: tuple[int, int]) -> None:
    height, width = size
    across, down = shift
    scene = grey(height + 40, width + 40, 0)
    now = scene[20 : 20 + height, 20 : 20 + width]
    # What is now at (x, y) was at (x, y) + shift.
    before = scene[20 - down : 20 - down + height, 20 - across : 20 - across + width]
    flow = optical_flow.flow_between(pair_of(before, now))
    assert median(flow) == pytest.approx(shift, abs=0.1)


def test_finds_parts_of_a_pixel() -> None:
    scene = torch.from_numpy(grey(70, 90, 0, 6)).float()[None, None]
    halves = [torch.nn.functional.avg_pool2d(scene[..., i:, i:], 2)[0, 0, :31, :40] for i in (0, 1)]
    assert median(optical_flow.flow_between(torch.stack(halves))) == pytest.approx([0.5, 0.5], abs=0.07)


def test_finds_it_in_other_light() -> None:
    scene = grey(40, 60, 0)
    before, now = scene[:31, :45], scene[2:33, 3:48]
    assert median(optical_flow.flow_between(pair_of(before, now + 9))) == pytest.approx([3, 2], abs=0.2)


def test_a_small_thing_before_a_still_wall() -> None:
    wall, thing = grey(60, 100, 0), grey(30, 30, 1)
    before, now = wall.copy(), wall.copy()
    before[16:46, 60:90] = thing
    now[18:48, 55:85] = thing
    motion = make_gpu_measure(CPU)(pair_of(noisy(before, 0, 1), noisy(now, 1, 1)))
    inner = motion.flow[0, :, 24:42, 62:78].flatten(1)
    assert inner.median(1).values.tolist() == pytest.approx([5, -2], abs=0.2)
    assert (motion.flow[0, :, :, :36] == 0).float().mean() > 0.98


@pytest.mark.parametrize("size", [(16, 16), (2, 2), (5, 40)])
def test_small_images(size: tuple[int, int]) -> None:
    images = pair_of(grey(*size, 0), grey(*size, 0))
    flow = optical_flow.flow_between(images)
    assert flow.shape == images.shape
    assert flow.abs().max() < 0.01


def test_an_image_without_anything_stays() -> None:
    flow = optical_flow.flow_between(torch.full((2, 24, 30), 100.0))
    assert (flow == 0).all()


def test_the_same_images_give_the_same_flow() -> None:
    images = pair_of(grey(20, 24, 0), grey(20, 24, 1))
    assert (optical_flow.flow_between(images) == optical_flow.flow_between(images)).all()


def test_what_explains_nothing_is_dropped_as_on_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    scene, thing = grey(31, 64, 0), grey(24, 24, 1)
    before, now = noisy(scene[:, :64], 0, 3), noisy(scene[:, :64], 1, 3)
    before[4:28, 20:44], now[4:28, 23:47] = thing, thing
    images = pair_of(before, now)
    flow = optical_flow.flow_between(images)
    found = fit_motion(images, flow, optical_flow.compare_patches(images, flow)[1])
    estimate = FlowEstimator()
    estimate.everywhere = True
    monkeypatch.setattr(
        estimate, "_search_part", lambda before, now: flow.permute(1, 2, 0).contiguous().numpy()
    )
    wanted = TensorMotion.of(estimate(before, now), CPU)
    # OpenCV rounds what was moved, which is to the 32nd of a pixel, to whole levels.
    assert ((found.flow == 0) == (wanted.flow == 0)).float().mean() > 0.95
    assert (found.mismatch - wanted.mismatch).abs().mean() < 0.1
    torch.testing.assert_close(found.texture, wanted.texture, atol=0.01, rtol=0)
    assert float(found.light) == pytest.approx(float(wanted.light), abs=0.02)


def test_relaxation_solves_the_equations() -> None:
    """Enough of it; against what the system says, written down once more."""
    images = pair_of(grey(12, 17, 0), grey(12, 17, 1))
    height, width = images.shape[1:]
    base = torch.rand((2, height, width), generator=torch.Generator().manual_seed(0))
    both = optical_flow.compare_patches(images, base)
    first = optical_flow._slopes(both)
    flow, system = base.clone(), torch.empty((7, height, width))
    size = {"height": height, "width": width, "block": 256}
    flow_refinement.equations[(1,)](
        both, first, optical_flow._slopes(first[0]), base, flow, system, **size,
        levels_weight=2.0, slopes_weight=3.0, smoothness=0.2,
    )  # fmt: skip
    for step in range(80):
        flow_refinement.relax[(1,)](flow, system, **size, parity=step % 2, omega=1.5)
    a, b, c, side_u, side_v, right, below = system
    pull = torch.zeros_like(flow)
    pull[:, :, :-1] += right[:, :-1] * flow[:, :, 1:]
    pull[:, :, 1:] += right[:, :-1] * flow[:, :, :-1]
    pull[:, :-1] += below[:-1] * flow[:, 1:]
    pull[:, 1:] += below[:-1] * flow[:, :-1]
    u, v = side_u + pull[0], side_v + pull[1]
    torch.testing.assert_close(flow, torch.stack((a * u + b * v, b * u + c * v)), atol=1e-3, rtol=1e-3)
    assert not right[:, -1].any()
    assert not below[-1].any()


def test_slopes_are_central_differences() -> None:
    planes = torch.rand((2, 7, 9), generator=torch.Generator().manual_seed(0))
    found = optical_flow._slopes(planes)
    edged = torch.nn.functional.pad(planes[None], (1, 1, 1, 1), "replicate")[0]
    torch.testing.assert_close(found[:, 0], (edged[:, 1:-1, 2:] - edged[:, 1:-1, :-2]) / 2)
    torch.testing.assert_close(found[:, 1], (edged[:, 2:, 1:-1] - edged[:, :-2, 1:-1]) / 2)
