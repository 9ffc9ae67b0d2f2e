"""Mattes over time: calm where nothing happens, and not late where something does."""

from __future__ import annotations

import numpy as np
from textures import texture

from stylize_live.engine.cpu.optical_flow import Plane
from stylize_live.engine.matting.smoothing import MatteSmoother
from stylize_live.frame import Pixels
from stylize_live.media.libraries import cv2

SHAPE = (96, 128)


def disc(x: float) -> Plane:
    """A matte with soft edges."""
    plane = np.zeros(SHAPE, np.float32)
    cv2.circle(plane, (round(8 * x), 48 * 8), 20 * 8, 1.0, -1, cv2.LINE_AA, 3)
    return np.asarray(cv2.GaussianBlur(plane, (0, 0), 2), np.float32)


def seen(x: float) -> Pixels:
    """A textured disc before a textured wall."""
    wall, cloth = texture(*SHAPE, 1), texture(*SHAPE, 2)
    moved = cv2.warpAffine(cloth, np.float32([[1, 0, x], [0, 1, 0]]), SHAPE[::-1], borderMode=cv2.BORDER_WRAP)
    share = disc(x)[..., None]
    return (moved * share + wall * (1 - share)).astype(np.uint8)


def trembling(seed: int) -> Plane:
    noise = np.random.default_rng(seed).normal(0, 0.2, SHAPE).astype(np.float32)
    doubt = 4 * disc(60) * (1 - disc(60))
    return np.clip(disc(60) + cv2.GaussianBlur(noise, (0, 0), 2) * 3 * doubt, 0, 1)


def test_still_edges_do_not_tremble() -> None:
    smooth, image = MatteSmoother(), seen(60)
    fresh = [trembling(seed) for seed in range(12)]
    smoothed = [smooth(one, image).copy() for one in fresh]
    assert tremble(smoothed) < 0.4 * tremble(fresh)


def tremble(mattes: list[Plane]) -> float:
    return float(np.abs(np.diff(np.stack(mattes[4:]), axis=0)).mean())


def test_what_moves_is_followed() -> None:
    smooth = MatteSmoother()
    for step in range(10):
        x = 40 + 3 * step
        result = smooth(disc(x), seen(x))
    assert np.abs(result - disc(67)).mean() < 0.25 * np.abs(disc(64) - disc(67)).mean()


def test_a_person_who_was_overlooked_is_there_soon() -> None:
    smooth, image = MatteSmoother(), seen(60)
    smooth(np.zeros(SHAPE, np.float32), image)
    results = [smooth(disc(60), image).copy() for _ in range(5)]
    assert results[-1][48, 60] > 0.95


def test_another_size_begins_anew() -> None:
    smooth = MatteSmoother()
    smooth(np.ones((32, 32), np.float32), np.zeros((32, 32, 3), np.uint8))
    np.testing.assert_array_equal(smooth(disc(60), seen(60)), disc(60))


def test_it_goes_on_from_its_memory() -> None:
    whole, first, second = MatteSmoother(), MatteSmoother(), MatteSmoother()
    steps = [(trembling(step), seen(60 + step)) for step in range(6)]
    expected = [whole(*step).copy() for step in steps]
    for step in steps[:3]:
        first(*step)
    second.memory = {name: array.copy() for name, array in first.memory.items()} | {"mix": np.zeros(3)}
    found = [second(*step).copy() for step in steps[3:]]
    np.testing.assert_array_equal(found, expected[3:])


def test_without_memory_it_begins() -> None:
    smooth = MatteSmoother()
    assert smooth.memory == {}
    smooth(disc(20), seen(20))
    smooth.memory = {}
    np.testing.assert_array_equal(smooth(disc(60), seen(60)), disc(60))
