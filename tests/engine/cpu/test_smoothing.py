"""Temporal smoothing against scenes whose true motion is known."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch
from textures import noisy, texture

from stylize_live.engine.core.protocols import TemporalContext
from stylize_live.engine.core.render_options import RenderOptions
from stylize_live.engine.cpu.base import CpuBackend
from stylize_live.engine.cpu.optical_flow import FlowEstimator, shrink
from stylize_live.engine.cpu.smoothing import Tuning, least_share, smooth
from stylize_live.engine.cuda import smoothing
from stylize_live.engine.cuda.motion_tensors import TensorMotion
from stylize_live.frame import Pixels
from stylize_live.media.scene_cuts import CutDetector

SHARE = least_share(0.8)


class Run(CpuBackend):
    """Smooths a stream as the engine does; what is painted is given, too."""

    def __init__(self, share: float = SHARE) -> None:
        super().__init__()
        self.cuts, self._share = CutDetector(), share

    def __call__(self, seen: Pixels, painted: Pixels) -> Pixels:
        self._painted = painted.astype(np.float32)
        return self.run(seen, RenderOptions(), TemporalContext(self.cuts.is_cut(seen), self._share))

    def run_network(self, pixels: Pixels) -> np.ndarray:
        """See `CpuBackend.run_network`."""
        return self._painted


@pytest.fixture
def run() -> Run:
    return Run()


def flicker(images: list[Pixels]) -> float:
    """Mean RMS difference of consecutive images, after the first few."""
    return float(np.mean([rms(a, b) for a, b in pairwise(images[4:])]))


def rms(a: Pixels, b: Pixels) -> float:
    """Root mean square difference in levels."""
    return float(np.sqrt(np.square(a.astype(float) - b).mean()))


def test_flow_finds_a_shift() -> None:
    scene = texture(190, 260, 0)
    before, now = scene[20:164, 30:222], scene[26:170, 21:213]
    motion = FlowEstimator()(shrink(before), shrink(now))
    # What is now at (x, y) was 6 lower and 9 further left: half of it in the small image.
    inner = motion.flow[8:-8, 8:-8].reshape(-1, 2)
    assert np.median(inner, 0) == pytest.approx([-4.5, 3.0], abs=0.1)


def test_a_small_thing_is_followed_before_a_still_wall() -> None:
    wall, thing = texture(360, 640, 0), texture(60, 60, 1)
    before, now = wall.copy(), wall.copy()
    before[100:160, 300:360] = thing
    now[104:164, 290:350] = thing
    flow = FlowEstimator()(shrink(before), shrink(now)).flow
    inner = flow[57:77, 150:170].reshape(-1, 2)
    assert np.median(inner, 0) == pytest.approx([5, -2], abs=0.2)
    assert np.quantile(np.abs(inner - [5, -2]), 0.9) < 0.5
    assert not flow[:20].any()
    assert not flow[120:].any()


def test_a_large_image_is_followed_as_a_whole() -> None:
    """More moves than is searched carefully."""
    scene = texture(560, 1000, 0, 6)
    before, now = scene[:540, :960], scene[12:552, 20:980]
    flow = FlowEstimator()(shrink(before.copy()), shrink(now.copy())).flow
    inner = flow[20:-20, 20:-20].reshape(-1, 2)
    assert np.median(inner, 0) == pytest.approx([10, 6], abs=0.2)


def test_a_pan_is_searched_without_a_glance_and_its_end_is_seen() -> None:
    scene = texture(190, 400, 0)
    views = [shrink(scene[:144, 6 * i : 6 * i + 192].copy()) for i in range(5)]
    estimate = FlowEstimator()
    assert not estimate.everywhere
    for before, now in pairwise(views):
        flow = estimate(before, now).flow
        assert np.median(flow[8:-8, 8:-8].reshape(-1, 2), 0) == pytest.approx([3, 0], abs=0.1)
        assert estimate.everywhere
    assert not estimate(views[-1], views[-1]).flow.any()
    assert not estimate.everywhere


def test_memory_is_all_that_the_next_image_needs() -> None:
    """In a pan, where the search goes another way when the image before moved everywhere, too."""
    scene, painting = texture(190, 400, 0), texture(190, 400, 1)
    views = [np.s_[:144, 6 * i : 6 * i + 192] for i in range(4)]
    one, other = Run(), Run()
    assert not one.memory
    for view in views[:3]:
        one(scene[view], painting[view])
    assert one.memory["everywhere"]
    other.memory = other.cuts.memory = {**one.memory, **one.cuts.memory}
    assert (one(scene[views[3]], painting[views[3]]) == other(scene[views[3]], painting[views[3]])).all()
    one.close()
    assert not one.memory
    assert (one(scene[views[0]], painting[views[0]]) == painting[views[0]]).all()
    assert not one.memory["everywhere"]


def test_noise_is_no_motion() -> None:
    scene = texture(144, 192, 0)
    motion = FlowEstimator()(shrink(noisy(scene, 1, 4)), shrink(noisy(scene, 2, 4)))
    assert np.mean(motion.flow == 0) > 0.98


def test_a_still_camera_stops_flickering(run: Run) -> None:
    scene, painting = texture(144, 192, 0), texture(144, 192, 1)
    painted = [noisy(painting, 100 + i, 12) for i in range(20)]
    result = [run(noisy(scene, i, 3), p) for i, p in enumerate(painted)]
    assert flicker(result) < 0.2 * flicker(painted)
    assert result[-1].std() > 0.95 * painting.std()


def test_moving_texture_is_followed(run: Run) -> None:
    """A pan: the painting moves with its scene, with new noise in every image."""
    scene, painting = texture(144, 400, 0, 6), texture(144, 400, 1)
    views = [slice(5 * i, 5 * i + 192) for i in range(20)]
    painted = [noisy(painting[:, v], 100 + i, 12) for i, v in enumerate(views)]
    result = [run(scene[:, v], p) for v, p in zip(views, painted, strict=True)]
    assert jumps(result[6:]) < 0.4 * jumps(painted[6:])
    assert sharpness(result[-1]) > 0.9 * sharpness(painting[:, views[-1]])


def jumps(images: list[Pixels]) -> float:
    """The same as `flicker`, seen by somebody who follows a pan of 5 pixels to the right."""
    return float(np.mean([rms(a[:, 5:-20], b[:, :-25]) for a, b in pairwise(images)]))


def test_uncovered_places_show_no_ghost(run: Run) -> None:
    """A block moves 8 pixels an image over another texture: nothing of it stays behind."""
    background, block = texture(144, 256, 0), texture(64, 64, 1)
    back_paint = np.full((144, 256, 3), 60, np.uint8)
    for i in range(14):
        left = 10 + 8 * i
        seen, painted = background.copy(), back_paint.copy()
        seen[40:104, left : left + 64] = block
        painted[40:104, left : left + 64] = 200
        result = run(seen, painted)
    ghost = np.abs(result[48:96, :left].astype(int) - 60).mean((0, 2))  # by column
    assert ghost[left - 16 : left].mean() < 16  # uncovered by this image and the one before
    assert ghost[left - 80 : left - 16].mean() < 0.025 * (200 - 60)


def test_a_cut_shows_the_new_image_at_once(run: Run) -> None:
    dark, light = texture(144, 192, 0) // 4, 255 - texture(144, 192, 5) // 4
    for i in range(4):
        run(noisy(dark, i, 2), dark)
    assert np.array_equal(run(light, light), light)


def test_another_size_starts_anew(run: Run) -> None:
    run(texture(144, 192, 0), texture(144, 192, 1))
    assert np.array_equal(run(texture(90, 120, 0), texture(90, 120, 1)), texture(90, 120, 1))


def test_a_fade_is_not_held_back(run: Run) -> None:
    scene, painting = texture(144, 192, 0), texture(144, 192, 1)
    for i in range(30):
        light = 1 - i / 40
        faded = (painting * light).astype(np.uint8)
        result = run((scene * light).astype(np.uint8), faded)
    assert abs(float(result.mean()) - float(faded.mean())) < 6


def test_no_drift_over_a_thousand_images(run: Run) -> None:
    """A scene swings to and fro; the last frame is as bright, rich and sharp as one from the middle."""
    scene, painting = texture(72, 140, 0, 4), texture(72, 140, 1, 2)
    painting = np.repeat(painting[..., :1], 3, 2)  # sharpness is kept in light and dark
    kept = {}
    for i in range(1008):
        left = 20 + round(18 * np.sin(i * 2 * np.pi / 56))  # 18 whole swings
        view = slice(left, left + 96)
        result = run(noisy(scene[:, view], i, 2), noisy(painting[:, view], 5000 + i, 6))
        kept[i] = result
    early, late, wanted = kept[503], kept[1007], painting[:, view]
    assert float(late.mean()) == pytest.approx(float(wanted.mean()), abs=1.5)
    assert float(late.std()) == pytest.approx(float(early.std()), rel=0.02)
    assert sharpness(late) == pytest.approx(sharpness(early), rel=0.05)
    # Between the painting and the painting with the noise that it was given.
    assert 0.95 * sharpness(wanted) < sharpness(late) < sharpness(noisy(wanted, 5000, 6))


def sharpness(pixels: Pixels) -> float:
    """Mean squared difference of neighbours."""
    return float(np.square(np.diff(pixels.astype(float), axis=1)).mean())


def test_steadiness_sets_the_share() -> None:
    shares = [least_share(s) for s in (0, 0.3, 0.8, 1)]
    assert shares[0] == 1
    assert shares == sorted(shares, reverse=True)
    assert shares[-1] > 0


@pytest.mark.parametrize("size", [(144, 192), (101, 77)])
def test_torch_smooths_like_opencv(size: tuple[int, int]) -> None:
    height, width = size
    scene, painting = texture(height, width + 12, 0), texture(height, width + 12, 1)
    motion = FlowEstimator()(shrink(scene[:, :width].copy()), shrink(scene[:, 7 : width + 7].copy()))
    previous = painting[:, :width].astype(np.float32)
    fresh = noisy(painting[:, 7 : width + 7], 3, 10)
    wanted = smooth(previous, fresh.astype(np.float32), motion, SHARE)

    def planes(pixels: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(np.ascontiguousarray(pixels)).permute(2, 0, 1)[None].float()

    there = TensorMotion.of(motion, torch.device("cpu"))
    found = smoothing.smooth(planes(previous), planes(fresh), there, torch.tensor(SHARE), Tuning())
    difference = np.abs(found[0].permute(1, 2, 0).numpy() - wanted)
    assert difference.mean() < 0.3
    assert np.quantile(difference, 0.999) < 3
