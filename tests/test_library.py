"""The simulation of a library on a cluster, in cases that can be worked out by hand."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest
from places import ROOT

from stylize_live.cluster.video import MOST_FRAMES


@pytest.fixture(scope="module")
def library() -> ModuleType:
    """benchmarks/library.py."""
    spec = importlib.util.spec_from_file_location("library", ROOT / "benchmarks" / "library.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["library"] = module  # dataclasses look there
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def small(library: ModuleType) -> Any:
    """One video of 30 frames in three units, two machines, no chances, nothing to read or write."""
    return library.Library(
        hours=30 / 3600,
        video_hours=30 / 3600,
        rate=1.0,
        unit=10,
        machines=2,
        fps=1.0,
        source=0.0,
        result=0.0,
        start=1.0,
        head_tasks=2.0,
        slow_share=0.0,
        failures=0.0,
        price=3600.0,
    )


def test_three_units_on_two_machines(library: ModuleType, small: Any) -> None:
    """Handed out at 0.5, 1 and, when the first is done, 12; each takes 11 seconds."""
    outcome = library.simulate(small)
    assert outcome.units == 3
    assert outcome.seconds == pytest.approx(23)
    assert outcome.tail == pytest.approx(23 - 12)
    assert outcome.busy == pytest.approx(33 / 46)
    assert outcome.head == pytest.approx(1.5 / 23)
    assert outcome.dollars == pytest.approx(46)


def test_bytes_and_slow_units_take_their_time(library: ModuleType, small: Any) -> None:
    moving = replace(small, source=3.0, result=1.0, readers=0, machine_bandwidth=20.0)
    assert library.simulate(moving).seconds == pytest.approx(23 + 2 * 2)  # 40 bytes a unit
    assert library.simulate(replace(small, slow_share=1.0, slow_factor=2.0)).seconds == pytest.approx(43)


@pytest.mark.parametrize(("readers", "moved"), [(0, 120), (1, 120), (2, 210), (1000, 300)])
def test_a_storage_that_is_too_slow(library: ModuleType, small: Any, readers: int, moved: int) -> None:
    """The video has 90 bytes, the result 30; each machine that copies it reads 90 more."""
    slow = replace(small, source=3.0, result=1.0, readers=readers, storage_bandwidth=1.0)
    outcome = library.simulate(slow)
    assert outcome.seconds == pytest.approx(moved)
    assert outcome.storage == pytest.approx(1)


def test_the_last_unit_of_a_video_has_what_is_left(library: ModuleType, small: Any) -> None:
    assert library.units_of(replace(small, unit=12)) == [12, 12, 6]
    assert library.units_of(replace(small, unit=100)) == [30]


def test_chance_is_the_same_each_time(library: ModuleType, small: Any) -> None:
    failing = replace(small, failures=100.0, hours=3000 / 3600)
    assert library.simulate(failing) == library.simulate(failing)
    assert library.simulate(failing) != library.simulate(replace(failing, seed=2))
    assert library.simulate(failing).seconds > library.simulate(replace(failing, failures=0.0)).seconds


def test_the_usual_unit_is_what_clusters_hand_out(library: ModuleType) -> None:
    assert library.Library().unit == MOST_FRAMES
