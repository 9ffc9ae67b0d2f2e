"""A small matte at the size of its image: edges where the image has them."""

from __future__ import annotations

import numpy as np
import pytest
from textures import noisy

from stylize_live.engine.cpu.optical_flow import Plane
from stylize_live.engine.matting.edges import EdgeFollower
from stylize_live.engine.matting.reduction import halve, reduce_to
from stylize_live.frame import Pixels
from stylize_live.media.libraries import cv2

SMALL = (128, 96)


def scene(size: tuple[int, int], light: float = 1.0) -> tuple[Pixels, Plane]:
    """A disc before a wall, noisy, and how much of each pixel is the disc."""
    width, height = size
    disc = np.zeros((height, width), np.uint8)
    cv2.circle(disc, (width // 2, height // 2), height // 3, 255, -1, cv2.LINE_AA)
    share = (disc / np.float32(255))[..., None]
    shown = np.array([190, 120, 90], np.float32) * share + np.array([90, 130, 150], np.float32) * (1 - share)
    return noisy((shown * light).astype(np.uint8), seed=1, sigma=2 * light), share[..., 0]


def roughly(truth: Plane) -> Plane:
    """As a network sees it: small, soft, and some pixels beside where it is."""
    moved = np.roll(cv2.resize(truth, SMALL, interpolation=cv2.INTER_AREA), 1, axis=1)
    return np.asarray(cv2.GaussianBlur(moved, (0, 0), 1.0), np.float32)


@pytest.mark.parametrize("light", [1.0, 0.15])
@pytest.mark.parametrize("size", [(640, 360), (360, 640), (1280, 720), (1920, 1080)])
def test_edges_are_where_the_image_has_them(size: tuple[int, int], light: float) -> None:
    pixels, truth = scene(size, light)
    likelihood = roughly(truth)
    matte = EdgeFollower()(likelihood, reduce_to(pixels, SMALL), pixels)
    assert matte.dtype == np.uint8
    plain = cv2.resize(likelihood, size)
    ours, enlarged = (np.abs(found - truth).mean() for found in (matte / 255, plain))
    assert ours < 0.6 * enlarged
    assert (matte[0] == 0).all()
    assert matte[size[1] // 2, size[0] // 2] == 255


@pytest.mark.parametrize("size", [(1, 1), (16, 16), (33, 17), (17, 2000), (3840, 2160)])
def test_every_size(size: tuple[int, int]) -> None:
    pixels = np.full((size[1], size[0], 3), 90, np.uint8)
    for level in (0, 1):
        likelihood = np.full((24, 24), level, np.float32)
        matte = EdgeFollower()(likelihood, reduce_to(pixels, (24, 24)), pixels)
        assert matte.shape == (size[1], size[0])
        assert (matte == 255 * level).all()


def test_room_is_made_anew_for_another_size() -> None:
    follow = EdgeFollower()
    for size in ((64, 48), (48, 64), (64, 48)):
        pixels, truth = scene(size)
        likelihood, small = roughly(truth), reduce_to(pixels, SMALL)
        np.testing.assert_array_equal(
            follow(likelihood, small, pixels), EdgeFollower()(likelihood, small, pixels)
        )


def test_the_last_matte_is_not_written_over() -> None:
    follow = EdgeFollower()
    pixels, truth = scene((64, 48))
    first = follow(roughly(truth), reduce_to(pixels, SMALL), pixels)
    kept = first.copy()
    follow(np.zeros_like(roughly(truth)), reduce_to(pixels, SMALL), pixels)
    np.testing.assert_array_equal(first, kept)


@pytest.mark.parametrize("size", [(1280, 720), (640, 360), (257, 193), (100, 3000), (20, 30), (256, 192)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_reduced_images_keep_their_mean(size: tuple[int, int], dtype: type) -> None:
    pixels = np.zeros((size[1], size[0]), dtype)
    pixels[:, size[0] // 2 :] = 200
    small = reduce_to(pixels, (256, 192))
    assert small.shape == (192, 256)
    assert small.dtype == dtype
    assert small.mean() == pytest.approx(pixels.mean(), abs=3)


def test_halved_until_few_enough() -> None:
    pixels = np.full((101, 203, 3), 7, np.uint8)
    assert halve(pixels, 101 * 203) is pixels
    assert halve(pixels, 1500).shape == (25, 50, 3)
