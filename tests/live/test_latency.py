"""Latency figures against numpy, and rates against arithmetic."""

from __future__ import annotations

import numpy as np
import pytest

from stylize_live.live.latency import STAGES, Durations, LatencyClock, Percentiles


def test_nothing_measured() -> None:
    assert Durations().total() == Durations().recent() == Percentiles(None, None, None)


def test_percentiles_of_all_are_within_one_percent() -> None:
    values = np.random.default_rng(1).lognormal(-3, 0.7, 20_000)
    durations = Durations()
    for value in values:
        durations.add(float(value))
    found = durations.total()
    expected = np.percentile(values, (50, 95, 99)) * 1e3
    assert (found.p50, found.p95, found.p99) == pytest.approx(tuple(expected), rel=0.01)


def test_recent_forgets() -> None:
    durations = Durations()
    for _ in range(500):
        durations.add(1.0)
    for _ in range(120):
        durations.add(0.010)
    assert durations.recent().p99 == pytest.approx(10)
    assert durations.total().p50 == pytest.approx(1000, rel=0.01)


@pytest.mark.parametrize("seconds", [-1.0, 0.0, 1e-9, 1e9])
def test_absurd_durations_are_counted(seconds: float) -> None:
    durations = Durations()
    durations.add(seconds)
    assert durations.total().p50 is not None


def record(
    clock: LatencyClock, captured_at: float, ages: tuple[float, ...] = (0.01, 0.02, 0.03, 0.04)
) -> None:
    clock.record(captured_at, {name: captured_at + age for name, age in zip(STAGES, ages, strict=True)})


def test_ages_count_from_capture() -> None:
    clock = LatencyClock()
    record(clock, 100.0)
    medians = [stage.p50 for stage in clock.latency().values()]
    assert medians == pytest.approx([10, 20, 30, 40], rel=0.01)
    assert list(clock.latency()) == list(STAGES)
    assert clock.recent()["total"].p50 == pytest.approx(40)


def test_fps_of_the_whole_run() -> None:
    clock = LatencyClock()
    assert clock.fps() == 0
    for number in range(301):
        record(clock, number / 25)
    assert clock.fps() == pytest.approx(25)
    assert clock.shown == 301


def test_recent_fps_falls_when_frames_stop() -> None:
    clock = LatencyClock()
    for number in range(90):
        record(clock, number / 30, (0, 0, 0, 0))
    last = 89 / 30
    assert clock.recent_fps(last) == pytest.approx(30, rel=0.02)
    assert clock.recent_fps(last + 1) < 20
    assert clock.recent_fps(last + 3) == 0
