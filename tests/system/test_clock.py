"""The clock that everything goes by, and what becomes of a show where it is a coarse one."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from types import SimpleNamespace

import pytest
from live_fakes import FakeDisplay, FakeSource, FakeStylizer
from paced_stylizers import HD, PERIOD, RATE, PacedStylizer

from stylize_live.live.adaptive_resolution import AdaptiveResolution
from stylize_live.live.pipeline import run_live
from stylize_live.system import clock

STEP = 1 / 64  # seconds: what Windows' usual clock goes by


def coarse(fine: Callable[[], float]) -> Callable[[], float]:
    return lambda: math.floor(fine() / STEP) * STEP


def test_it_is_finer_than_what_is_measured() -> None:
    assert time.get_clock_info("perf_counter").resolution < 1e-5
    assert clock.monotonic() <= clock.monotonic()


@pytest.mark.skipif(time.get_clock_info("monotonic").resolution > 1e-3, reason="that is the coarse one")
def test_it_is_as_fine_where_python_has_two(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the usual one stands still, ours goes on."""
    monkeypatch.setattr(time, "monotonic", lambda: 0.0)
    began = clock.monotonic()
    assert any(clock.monotonic() > began for _ in range(1_000_000))
    assert clock.monotonic() - began < 5


@pytest.mark.parametrize("seconds_at_480", [0.0, 0.0004, 0.005, 0.02])
def test_a_quick_stylizer_keeps_all_its_lines_by_a_coarse_clock(seconds_at_480: float) -> None:
    stylizer = PacedStylizer(seconds_at_480)
    resolution = AdaptiveResolution(stylizer, coarse(stylizer.clock))
    resolution.start(HD, RATE)
    for number in range(900):
        stylizer.now = 200 + number * PERIOD
        began = resolution._clock()
        stylizer.now += stylizer.paint()
        resolution.note(resolution._clock() - began, 0)
    assert [step.lines for step, _ in resolution.chosen] == [480]


def test_what_cannot_be_measured_costs_a_little_all_the_same() -> None:
    """Nothing is how a coarse clock sees it; from nothing, no other size can be told."""
    stylizer = PacedStylizer(0.0)
    resolution = AdaptiveResolution(stylizer, stylizer.clock)
    resolution.start(HD, RATE)
    assert resolution._cost(480).painted == pytest.approx(clock.LEAST)
    for _ in range(40):
        stylizer.now += PERIOD
        resolution.note(0.0, 0)
    assert resolution._cost(480).painted == pytest.approx(clock.LEAST)


def test_a_show_by_a_coarse_clock_ends_as_any(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "time", SimpleNamespace(perf_counter=coarse(time.perf_counter)))
    report = run_live(
        FakeSource(20),
        FakeStylizer(),
        FakeDisplay(),
        adaptive_resolution=AdaptiveResolution(PacedStylizer(0.0)),
    )
    assert report.shown + report.dropped == report.captured == 20
    assert report.latency_ms["total"].p50 is not None
