"""Strength, colours and the size of strokes."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from tiny import random_pixels

from stylize_live.engine import Stylizer
from stylize_live.engine.core.render_options import NATURAL_SIDE, RenderOptions, sharpening
from stylize_live.engine.cpu import compositing as cpu_compositing
from stylize_live.engine.cuda import compositing as cuda_compositing
from stylize_live.errors import UsageError
from stylize_live.frame import Pixels

pytestmark = pytest.mark.usefixtures("few_graphs")

SMOOTH = cv2.GaussianBlur(random_pixels(800, 600), (0, 0), 9)


def planes(pixels: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.asarray(pixels, np.float32)).permute(2, 0, 1)[None]


def test_small_images_are_painted_as_they_are() -> None:
    for size in ((640, 360), (853, 480), (1, 1), (33, 480)):
        assert RenderOptions().working_size(size) == size


@pytest.mark.parametrize("size", [(1280, 720), (1920, 1080), (1080, 1920), (3840, 2160)])
def test_strokes_keep_their_share_of_large_images(size: tuple[int, int]) -> None:
    width, height = RenderOptions().working_size(size)
    assert min(width, height) == NATURAL_SIDE
    assert width / height == pytest.approx(size[0] / size[1], rel=0.01)


def test_larger_strokes_are_painted_smaller() -> None:
    assert RenderOptions(stroke=2).working_size((640, 360)) == (320, 176)
    assert RenderOptions(stroke=0.5).working_size((640, 360)) == (1280, 720)
    assert RenderOptions(stroke=4).working_size((3, 5)) == (8, 8)


def small_of(pixels: Pixels) -> Pixels:
    return cpu_compositing.shrink_to(pixels, (400, 304))


def test_an_enlarged_painting_is_as_crisp_as_it_was_painted() -> None:
    """Its strokes, and nothing of the photo's own fine light."""
    painted = small_of(cv2.GaussianBlur(random_pixels(800, 600), (0, 0), 1.5)).astype(np.float32)
    noise = np.random.default_rng(0).integers(0, 256, (600, 800, 3)).astype(np.uint8)
    shown = cpu_compositing.composite(painted, noise, RenderOptions())
    enlarged = cv2.resize(painted, (800, 600), interpolation=cv2.INTER_CUBIC)
    steepest, plain, wanted = (
        np.percentile(np.abs(np.diff(p, axis=1)), 99.9) for p in (shown, enlarged, painted)
    )
    assert plain < 0.7 * wanted
    assert steepest > 1.2 * plain
    assert (
        np.corrcoef((shown - enlarged).ravel(), (noise - cv2.GaussianBlur(noise, (0, 0), 2)).ravel())[0, 1]
        < 0.02
    )


def test_sharpening_grows_with_enlargement_from_nothing() -> None:
    amounts = [sharpening((480, 640), (480 * n // 4, 640 * n // 4)) for n in (2, 4, 5, 6, 12)]
    assert amounts == [0, 0, 0.5, 1, 1]


def test_kept_colours_change_in_light_only() -> None:
    painted = random_pixels(800, 600, 3).astype(np.float32) / 4 + 96
    pixels = SMOOTH // 2 + 64
    shown = cpu_compositing.composite(painted, pixels, RenderOptions(keep_colors=True))
    change = shown - pixels
    assert np.abs(change - change[..., :1]).max() < 0.01  # the same for red, green and blue
    ours, theirs = (cv2.cvtColor(p.astype(np.float32), cv2.COLOR_RGB2GRAY) for p in (shown, painted))
    assert np.abs(ours - theirs).max() < 1.1  # the painting's light, to the image's rounding


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize(
    ("keep", "strength", "same_size"), list(product((False, True), (1.0, 0.4), (False, True)))
)
def test_torch_finishes_like_opencv(
    dtype: type[np.unsignedinteger], keep: bool, strength: float, same_size: bool
) -> None:
    options = RenderOptions(strength=strength, keep_colors=keep)
    pixels = SMOOTH.astype(dtype) * (257 if dtype is np.uint16 else 1)
    small = pixels if same_size else small_of(pixels)
    painted = 255 - cpu_compositing.shrink_to(SMOOTH, small.shape[1::-1]).astype(np.float32)
    expected = cpu_compositing.composite(painted, pixels, options)
    scale = 255 / np.iinfo(dtype).max
    found = cuda_compositing.composite(planes(painted), planes(pixels * scale), options)
    assert np.abs(found[0].permute(1, 2, 0).numpy() - expected).max() < 1.5


@pytest.mark.parametrize("contrast", [0.0, 1.0, 3.0, 20.0])
@pytest.mark.parametrize("scale", [1, 257])
def test_little_contrast_is_painted_with_little(contrast: float, scale: int) -> None:
    noise = np.random.default_rng(0).normal(0, contrast, (304, 400, 3))
    small = (np.clip(100 + noise, 0, 255) * scale).astype(np.uint8 if scale == 1 else np.uint16)
    painted = random_pixels(400, 304).astype(np.float32)
    found = cpu_compositing.attenuate_low_contrast(painted, small).astype(float)  # sums of float32 round
    wanted = min(1, contrast / 4) * painted.std((0, 1))
    assert found.std((0, 1)) == pytest.approx(wanted, rel=0.1, abs=0.01)
    assert found.mean((0, 1)) == pytest.approx(painted.mean((0, 1)), abs=0.05)
    theirs = cuda_compositing.attenuate_low_contrast(planes(painted), planes(small / scale))
    assert np.abs(theirs[0].permute(1, 2, 0).numpy() - found).max() < 0.1


@pytest.mark.parametrize("size", [(640, 360), (5, 3)])
def test_a_black_image_is_painted_in_one_colour(size: tuple[int, int]) -> None:
    """Networks make a mesh of it, out of rounding errors."""
    black = np.zeros((size[1], size[0], 3), np.uint8)
    with Stylizer(device="cpu", steadiness=0.8) as stylizer:
        for painted in (stylizer(black), stylizer(black)):
            assert (painted == painted[0, 0]).all()


@pytest.mark.parametrize("size", [(400, 304), (1200, 904)])
def test_torch_resizes_like_opencv(size: tuple[int, int]) -> None:
    found = cuda_compositing.shrink_to(planes(SMOOTH), size)[0].permute(1, 2, 0).numpy()
    assert np.abs(found - cpu_compositing.shrink_to(SMOOTH, size)).max() < 2


@pytest.mark.parametrize("stroke", [0.5, 2.0])
def test_every_stroke_gives_an_image_of_the_same_size(tiny_style: Path, stroke: float) -> None:
    with Stylizer(tiny_style, device="cpu", stroke=stroke, steadiness=0.8) as stylizer:
        images = [stylizer(random_pixels(83, 61, i)) for i in range(3)]
        stylizer.stroke = 1.0
        images.append(stylizer(random_pixels(83, 61, 4)))
    assert all(image.shape == (61, 83, 3) and image.std() > 1 for image in images)


def test_large_images_are_painted_small(tiny_style: Path) -> None:
    large = cv2.resize(SMOOTH, (1280, 960))
    with Stylizer(tiny_style, device="cpu", precision="float32") as stylizer:
        found = stylizer(large)
        painting = stylizer(cpu_compositing.shrink_to(large, (640, 480)))
    assert np.abs(cpu_compositing.shrink_to(found, (640, 480)).astype(int) - painting).mean() < 2


@pytest.mark.parametrize("stroke", [0.0, 0.2, 5.0, float("nan")])
def test_stroke_out_of_range(tiny_style: Path, stroke: float) -> None:
    with pytest.raises(UsageError, match="stroke"):
        Stylizer(tiny_style, device="cpu", stroke=stroke)
