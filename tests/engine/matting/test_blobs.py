"""Places that are taken for people by mistake."""

from __future__ import annotations

import numpy as np
import pytest

from stylize_live.engine.cpu.optical_flow import Plane
from stylize_live.engine.matting.blobs import remove_weak_blobs


def blob(level: float, side: int) -> Plane:
    plane = np.zeros((96, 128), np.float32)
    plane[20 : 20 + side, 20 : 20 + side] = level
    return plane


@pytest.mark.parametrize(("level", "side"), [(0.6, 40), (0.3, 60), (1.0, 2)])
def test_weak_or_tiny_ones_vanish(level: float, side: int) -> None:
    assert not remove_weak_blobs(blob(level, side)).any()


@pytest.mark.parametrize("side", [6, 40])
def test_sure_ones_stay(side: int) -> None:
    np.testing.assert_array_equal(remove_weak_blobs(blob(0.95, side)), blob(0.95, side))


def test_nothing_pops_up() -> None:
    peaks = [float(remove_weak_blobs(blob(level, 40)).max()) for level in np.arange(0.5, 1, 0.01)]
    assert peaks == sorted(peaks)
    assert np.diff(peaks).max() < 0.1


def test_each_is_judged_by_itself() -> None:
    person, ghost = blob(1.0, 20), np.zeros((96, 128), np.float32)
    ghost[60:80, 80:110] = 0.5
    np.testing.assert_array_equal(remove_weak_blobs(person + ghost), person)


def test_doubtful_parts_of_a_person_stay() -> None:
    plane = blob(1.0, 20)
    plane[20:40, 40:50] = 0.4
    np.testing.assert_array_equal(remove_weak_blobs(plane), plane)
