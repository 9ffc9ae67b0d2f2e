"""Live images that are not all painted: what is moved along instead, and what is shown where that fails."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from textures import texture

from stylize_live.engine.core.economy import Economy
from stylize_live.engine.core.protocols import TemporalContext
from stylize_live.engine.core.render_options import RenderOptions
from stylize_live.engine.cpu import compositing, frame_skipping
from stylize_live.engine.cpu.base import CpuBackend, quantize
from stylize_live.engine.cpu.optical_flow import Motion
from stylize_live.engine.cpu.patching import Palette
from stylize_live.frame import Pixels
from stylize_live.media.libraries import cv2
from stylize_live.media.scene_cuts import CutDetector

SIZE = (192, 108)


class Run(CpuBackend):
    """Paints negatives, and counts them."""

    def __init__(
        self, every: int, share: float = 0.04, paint: Callable[[Pixels], Pixels] = lambda p: 255 - p
    ):
        super().__init__()
        self.cuts, self.every, self.share, self.options = CutDetector(), every, share, RenderOptions()
        self.sizes: list[tuple[int, ...]] = []
        self._paint = paint

    def __call__(self, seen: Pixels) -> Pixels:
        return self.run(
            seen, self.options, TemporalContext(self.cuts.is_cut(seen), self.share, Economy(self.every))
        )

    def run_network(self, pixels: Pixels) -> np.ndarray:
        """See `CpuBackend.run_network`."""
        self.sizes.append(pixels.shape)
        return self._paint(pixels).astype(np.float32)


def pan(count: int, step: int = 2) -> list[Pixels]:
    """A camera that turns: the same scene, `step` pixels farther in each image."""
    width, height = SIZE
    scene = texture(height, width + count * step, 1)
    return [np.ascontiguousarray(scene[:, i * step : i * step + width]) for i in range(count)]


def inner(pixels: Pixels) -> np.ndarray:
    return pixels[12:-12, 16:-16].astype(np.float32)


@pytest.mark.parametrize("every", [1, 2, 3, 4])
def test_every_so_manieth_image_is_painted(every: int) -> None:
    run, carried = Run(every), []
    for seen in pan(9):
        run(seen)
        carried.append(run.carried)
    assert carried == [number % every != 0 for number in range(9)]
    assert len(run.sizes) == carried.count(False)


@pytest.mark.parametrize("every", [2, 4])
def test_paint_moves_with_what_it_shows(every: int) -> None:
    run = Run(every)
    for seen in pan(9):
        shown = run(seen)
        assert np.abs(inner(shown) - inner(255 - seen)).mean() < 6
    standing = np.abs(inner(255 - pan(9)[0]) - inner(255 - pan(9)[3])).mean()
    assert standing > 25  # what it would be off by if it stayed


def test_paint_of_a_still_scene_does_not_change_at_all() -> None:
    run, seen = Run(3), texture(108, 192, 2)
    first = run(seen)
    assert all(np.array_equal(run(seen), first) for _ in range(2))


def test_a_cut_is_painted_at_once() -> None:
    run = Run(4)
    for seen in pan(6):
        run(seen)
    before = len(run.sizes)
    other = np.clip(texture(108, 192, 9).astype(np.int16) // 3 + np.array([160, 20, 0]), 0, 255).astype(
        np.uint8
    )
    shown = run(other)
    assert not run.carried
    assert len(run.sizes) == before + 1
    assert np.array_equal(shown, 255 - other)


def test_one_painting_smooths_for_all_images_before_it() -> None:
    """A stylizer that changes its mind is followed as fast as if it painted all images."""
    seen = texture(108, 192, 3)
    shown = {}
    for every in (1, 4):
        level = [100]
        run = Run(every, paint=lambda p, level=level: np.full(p.shape, level[0], np.uint8))  # type: ignore[misc]
        run(seen)
        level[0] = 106  # less than what counts as another thing
        shown[every] = [run(seen) for _ in range(8)][-1].mean()
    assert shown[4] == pytest.approx(shown[1], abs=1)  # of whole levels
    assert 100 < shown[4] < 106


def test_without_smoothing_what_is_painted_is_shown() -> None:
    run = Run(2, share=1.0)
    for seen in pan(6):
        shown = run(seen)
        if not run.carried:
            assert np.array_equal(shown, 255 - seen)
        else:
            assert np.abs(inner(shown) - inner(255 - seen)).mean() < 6


def test_what_cannot_be_followed_is_shown_in_the_paintings_colours() -> None:
    """A ball that is elsewhere in the next frame: no smear, and neither the photo's nor no colour."""
    scene = np.clip(texture(144, 256, 4).astype(np.int16) // 3 + 40, 0, 255).astype(np.uint8)

    def ball(x: int) -> Pixels:
        image = scene.copy()
        cv2.circle(image, (x, 72), 16, (250, 250, 250), -1)
        return image

    def paint(pixels: Pixels) -> Pixels:
        white = pixels.min(-1, keepdims=True) > 200
        return np.where(white, np.array([220, 120, 10]), pixels // 2).astype(np.uint8)

    run = Run(2, paint=paint)
    run(ball(60))
    shown = run(ball(190))
    assert run.carried
    here, gone = shown[64:80, 182:198].mean((0, 1)), shown[64:80, 52:68].mean((0, 1))
    assert here == pytest.approx([220, 120, 10], abs=25)
    assert gone == pytest.approx(paint(scene)[64:80, 52:68].mean((0, 1)), abs=25)


def test_other_lines_go_on_with_the_same_paint() -> None:
    run = Run(2)
    images = pan(8)
    for lines in (108, 72, 96):
        run.options = RenderOptions(lines=lines)
        for seen in images[:2]:
            shown = run(seen)
            assert shown.shape == seen.shape
            assert np.abs(inner(shown) - inner(255 - seen)).mean() < 14
    assert [shape[0] for shape in run.sizes] == [108, 72, 96]


def test_another_shape_of_images_begins_anew() -> None:
    run = Run(4)
    run(texture(108, 192, 5))
    tall = texture(192, 108, 5)
    assert np.array_equal(run(tall), 255 - tall)


def test_motions_add_up() -> None:
    flow = np.zeros((20, 30, 2), np.float32)
    flow[..., 0] = 1.5
    zero = np.zeros((20, 30), np.float32)
    first = Motion(flow, zero + 2, zero, 0.5)
    both = frame_skipping.follow_motion(first, Motion(2 * flow, zero + 1, zero + 7, 0.25))
    assert np.allclose(both.flow[..., 0], 4.5)
    assert np.allclose(both.mismatch, 2)  # the worst on the way
    assert np.allclose(both.texture, 7)
    assert both.light == 0.75
    assert frame_skipping.follow_motion(None, first) is first


def test_a_palette_knows_colours_it_has_not_seen() -> None:
    photo = np.full((16, 16, 3), 100, np.uint8)
    palette = Palette(np.full((16, 16, 3), 140, np.float32), photo)
    assert np.allclose(palette(photo), 140, atol=1)
    assert palette(np.full((16, 16, 3), 10, np.uint8)).mean() == pytest.approx(40, abs=20)


@pytest.mark.parametrize(
    "options", [RenderOptions(), RenderOptions(strength=0.4), RenderOptions(keep_colors=True)], ids=str
)
@pytest.mark.parametrize("small", [(108, 192), (72, 128)])
def test_compositing_in_eight_bits_is_close(options: RenderOptions, small: tuple[int, int]) -> None:
    seen, painted = texture(108, 192, 6), texture(*small, 7).astype(np.float32)
    quick = compositing.composite_fast(painted, seen, options)
    usual = quantize(compositing.composite(painted, seen, options), seen.dtype)
    assert quick.dtype == np.uint8
    difference = np.abs(quick.astype(np.int16) - usual)
    assert difference.mean() < 1.0
    assert np.percentile(difference, 99) <= 4


@pytest.mark.parametrize("size", [(96, 54), (50, 28), (384, 216), (192, 108)])
def test_reducing_by_halves_is_close(size: tuple[int, int]) -> None:
    seen = texture(108, 192, 8)
    quick = compositing.shrink_fast(seen, size)
    assert quick.shape == (size[1], size[0], 3)
    assert np.abs(quick.astype(np.int16) - compositing.shrink_to(seen, size)).mean() < 2
