"""`--size auto`: which step is taken when, by a clock and a stylizer that the test controls."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from live_fakes import SIZE, FakeDisplay, FakeSource, FakeStylizer, keys
from paced_stylizers import HD, PERIOD, RATE, PacedStylizer
from tiny import random_pixels

from stylize_live.cli.app import main
from stylize_live.engine import Stylizer
from stylize_live.engine.core.economy import Economy
from stylize_live.engine.core.render_options import RenderOptions
from stylize_live.errors import UsageError
from stylize_live.live import captions
from stylize_live.live.adaptive_resolution import AdaptiveResolution, adapt_resolution
from stylize_live.live.pipeline import run_live
from stylize_live.live.quality_ladder import LADDER, LINES_ONLY, Step, build_ladder, describe_step


class Show:
    """A stylizer with adaptive resolution; frames come thirty times a second, the newest of which wins."""

    def __init__(self, stylizer: PacedStylizer, size: tuple[int, int] = HD, held: int | None = None) -> None:
        self.stylizer = stylizer
        self.resolution = AdaptiveResolution(stylizer, stylizer.clock, held=held)
        self.resolution.start(size, RATE)
        self.begin = stylizer.now
        self.taken = -1  # number of the newest frame that was painted
        self.painted = 0

    @property
    def dropped(self) -> int:
        """Frames that were replaced by newer ones, while one was painted or before."""
        newest = int((self.stylizer.now - self.begin) / PERIOD + 1e-6)
        waiting = 1 if newest > self.taken else 0
        return newest + 1 - waiting - self.painted

    @property
    def chosen(self) -> list[Step]:
        return [step for step, _ in self.resolution.chosen]

    def run(self, seconds: float) -> list[Step]:
        """Go on for so long; the steps that were taken meanwhile."""
        stylizer, before = self.stylizer, len(self.resolution.chosen)
        end = stylizer.now + seconds
        while stylizer.now < end:
            newest = int((stylizer.now - self.begin) / PERIOD)
            if newest <= self.taken:  # wait for the next one
                newest = self.taken + 1
                stylizer.now = max(stylizer.now, self.begin + newest * PERIOD)
            self.taken, self.painted = newest, self.painted + 1
            took = stylizer.paint()
            stylizer.now += took
            self.resolution.note(took, self.dropped)
        return self.chosen[before:]


def show(seconds_at_480: float, size: tuple[int, int] = HD, **how: float) -> Show:
    return Show(PacedStylizer(seconds_at_480, **how), size)  # type: ignore[arg-type]


def test_the_order_in_which_quality_is_given_up() -> None:
    """Lines down to 288, then frames, then lines; each step costs less than the one before."""
    assert [(step.lines, step.every) for step in LADDER[4:9]] == [
        (288, 1),
        (288, 2),
        (288, 3),
        (288, 4),
        (240, 4),
    ]
    for steps in (LADDER, LINES_ONLY):
        for better, less in pairwise(steps):
            assert less.lines <= better.lines
            assert less.every >= better.every
            assert less != better
            if less.lines < 288:
                assert steps is LINES_ONLY or less.every == 4


@pytest.mark.parametrize(
    ("shorter", "first"),
    [(360, [Step(360), Step(336)]), (80, [Step(80), Step(80, 2)]), (240, [Step(240), Step(240, 2)])],
)
def test_small_frames_are_not_enlarged(shorter: int, first: list[Step]) -> None:
    assert build_ladder(shorter, can_save=True)[:2] == first
    assert all(step.every == 1 for step in build_ladder(shorter, can_save=False))


def test_steps_in_words() -> None:
    best = Step(480)
    assert describe_step(Step(480), best, 720, "cpu") == "painted at 480 of 720 lines"
    assert describe_step(Step(288), best, 720, "cuda") == "painted at 288 of 720 lines: the GPU is full"
    assert (
        describe_step(Step(288, 2), best, 720, "cpu")
        == "painted at 288 of 720 lines, every 2nd frame: the processor is full"
    )
    assert "every 3rd frame" in describe_step(Step(288, 3), best, 1080, "cpu")
    assert "every 4th frame" in describe_step(Step(144, 4), best, 1080, "cpu")


def test_the_usual_size_is_kept_where_it_is_fast_enough() -> None:
    fast = show(0.020)
    assert fast.chosen == [Step(480)]
    assert set(fast.stylizer.asked) == {480, 432}  # the next one is made ready, too
    assert (fast.stylizer.lines, fast.stylizer.economy) == (480, Economy(1))
    assert fast.stylizer.resets > 0
    assert fast.run(600) == []
    assert fast.dropped == 0


def test_the_largest_size_that_leaves_room_is_chosen() -> None:
    middling = show(0.048)  # 26.7 ms are allowed: 384 lines take 30.7, 336 take 23.5
    assert middling.chosen == [Step(336)]
    # 480 lines take 48 ms, from which follows that 432 and 384 take too long; 288 is made ready.
    assert set(middling.stylizer.asked) == {480, 336, 288}
    assert middling.run(300) == []


def test_a_fast_machine_is_not_kept_waiting() -> None:
    fast = show(0.010)
    assert fast.stylizer.asked == [480] * 3


def test_a_slow_machine_paints_every_second_frame() -> None:
    slow = show(0.110)  # 288 lines take 39.6 ms, moving them 7.9: 23.8 on average
    assert slow.chosen == [Step(288, 2)]
    assert len(slow.stylizer.asked) == 6  # three at 480 lines, three at 288
    assert slow.run(300) == []
    assert slow.dropped == 0


def test_a_very_slow_machine_gets_the_last_step() -> None:
    slow = show(2.0)
    assert slow.chosen == [LADDER[-1]]
    slow.run(60)
    assert slow.chosen == [LADDER[-1]]


def test_a_gpu_paints_every_frame() -> None:
    slow = show(1.0, device="cuda")  # type: ignore[arg-type]
    assert slow.chosen == [LINES_ONLY[-1]]


def test_a_busy_machine_costs_quality_and_an_idle_one_gives_it_back() -> None:
    busy = show(0.023)
    assert busy.chosen == [Step(480)]
    busy.stylizer.load = lambda now: 2.0  # something else wants the machine: 46 ms a frame
    assert busy.run(30) == [Step(336)]  # 22.5 ms, at once
    assert busy.dropped < 15
    busy.stylizer.load = lambda now: 1.0
    assert busy.run(60) == [Step(384), Step(432), Step(480)]
    assert busy.run(300) == []


def test_one_frame_that_was_held_up_changes_nothing() -> None:
    """A change of style takes half a second, and drops fifteen frames."""
    steady = show(0.020)
    steady.run(3.0)
    until = steady.stylizer.now + 0.04
    steady.stylizer.load = lambda now: 25.0 if now < until else 1.0
    assert steady.run(20) == []
    assert steady.dropped > 10


def test_a_step_waits_until_its_lines_are_ready() -> None:
    busy = show(0.023)
    busy.stylizer.unready = {336}
    busy.stylizer.load = lambda now: 2.0
    assert busy.run(5) == []
    assert busy.resolution.wanted == Step(336)
    busy.resolution.make_ready(336)
    assert busy.run(0.1) == [Step(336)]
    assert busy.resolution.wanted is None


def test_tries_that_fail_become_rare() -> None:
    restless = show(0.034)
    assert restless.chosen == [Step(384)]  # 21.8 ms; 432 would take 27.5
    # 384 lines seem to leave much room, 432 never do.
    restless.stylizer.load = lambda now: 1.4 if restless.stylizer.lines == 432 else 0.8
    tries = [restless.stylizer.now for _ in range(400) if Step(432) in restless.run(1.0)]
    gaps = [later - earlier for earlier, later in pairwise(tries)]
    assert len(gaps) >= 3
    assert all(later > 1.5 * earlier for earlier, later in pairwise(gaps))


def wave(now: float) -> float:
    return 1.3 + 0.5 * math.sin(now / 9)


def bursts(now: float) -> float:
    return 2.0 if now % 40 < 12 else 1.0


@pytest.mark.parametrize("load", [lambda now: 1.0, wave, bursts], ids=["even", "wave", "bursts"])
@pytest.mark.parametrize(
    ("seconds", "fixed"),
    [(0.060, 0.002), (0.125, 0.003), (0.125, 0.008), (0.250, 0.003), (0.250, 0.006)],
    ids=["laptop", "AVX2", "AVX2, 1080p", "half of it", "half of it, 720p"],
)
def test_the_rate_is_kept_and_nothing_pumps(
    seconds: float, fixed: float, load: Callable[[float], float]
) -> None:
    """Four minutes with noise: at most 1 % dropped after two seconds, 2 % beside others; few changes."""
    governed = show(seconds, fixed=fixed)
    governed.stylizer.noise = 0.12
    governed.stylizer.load = load
    governed.run(2.0)
    before, captured = governed.dropped, governed.taken
    changes = governed.run(240.0)
    share = (governed.dropped - before) / (governed.taken - captured)
    even = governed.stylizer.load(0.0) == governed.stylizer.load(15.0)
    assert share <= (0.01 if even else 0.02)
    assert len(changes) <= (8 if even else 30)  # the load itself rises and falls five times, by some steps


def test_a_show_that_rests_is_not_a_slow_one() -> None:
    resting = show(0.020)
    for _ in range(10):
        resting.stylizer.now += 30.0  # frozen: nothing painted, nothing dropped
        resting.begin += 30.0
        assert resting.run(0.1) == []


def test_lines_that_are_asked_for_are_held_whatever_the_machine_says() -> None:
    slow = Show(PacedStylizer(0.2), held=360)
    assert slow.stylizer.asked == [360]  # nothing is measured
    assert slow.stylizer.economy is None  # and nothing saved
    assert slow.run(30) == []
    assert slow.resolution.describe(720) == "painted at 360 of 720 lines"
    slow.resolution.held = 240
    assert slow.run(10) == [Step(240)]
    assert slow.resolution.describe(720) == "painted at 240 of 720 lines"


def test_lines_that_are_let_go_are_chosen_again() -> None:
    quick = Show(PacedStylizer(0.018), held=240)
    quick.resolution.held = None
    steps = quick.run(60)
    assert quick.stylizer.economy == Economy(1)
    assert (steps[0], steps[-1]) == (Step(240, 4), Step(480))  # as good as it gets, step by step
    slow = Show(PacedStylizer(0.2), held=480)
    slow.resolution.held = None
    assert slow.run(30)[-1] in LADDER[7:]
    assert slow.resolution.describe(720).endswith("the processor is full")


def test_lines_asked_for_while_they_are_chosen() -> None:
    shown = show(0.02)
    shown.stylizer.unready = {720}
    shown.resolution.held = 720
    assert shown.run(1) == []  # goes on as before until they are ready
    assert shown.resolution.wanted == Step(720)
    shown.resolution.make_ready(720)
    assert shown.run(1) == [Step(720)]
    assert (shown.stylizer.lines, shown.stylizer.economy) == (720, None)


def test_another_size_of_the_source() -> None:
    shown = show(0.012, (640, 360))
    assert shown.chosen[-1] == Step(360)
    shown.resolution.resize((640, 360), RATE)
    assert shown.chosen[1:] == []
    shown.resolution.resize(HD, RATE)  # with a ladder of its own
    assert shown.chosen[-1] == Step(336)
    assert shown.run(60)[-1] == Step(480)
    shown.resolution.resize((320, 180), RATE)
    assert shown.chosen[-1] == Step(180)
    held = Show(PacedStylizer(0.02), held=360)
    held.resolution.resize((320, 180), RATE)
    assert held.chosen == [Step(360)]


def test_lines_bound_what_is_painted() -> None:
    assert RenderOptions(lines=360).working_size(HD) == (640, 360)
    assert RenderOptions(lines=360).working_size((640, 360)) == (640, 360)
    assert RenderOptions(lines=240, stroke=0.5).working_size(HD) == (856, 480)
    with Stylizer() as stylizer:
        with pytest.raises(UsageError, match="lines must be positive"):
            stylizer.lines = 0
        assert stylizer.lines == 480
        assert adapt_resolution(stylizer, "48p") is None
        painted = stylizer(random_pixels(120, 90))
        assert painted.shape == (90, 120, 3)
        assert stylizer.lines == 48
        assert isinstance(adapt_resolution(stylizer, "auto"), AdaptiveResolution)
        assert isinstance(adapt_resolution(stylizer, "96p", changeable=True), AdaptiveResolution)
        assert stylizer.lines == 96
        with pytest.raises(UsageError, match="lines must be positive"):
            adapt_resolution(stylizer, "00", changeable=True)


def test_live_shows_and_reports_what_was_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(captions, "_SECONDS", 0.0)
    stylizer = ResizableFake()
    display = FakeDisplay(keys(*[None] * 40))
    report = run_live(FakeSource(30), stylizer, display, adaptive_resolution=AdaptiveResolution(stylizer))
    assert report.painting == f"painted at {SIZE[1]} of {SIZE[1]} lines"
    assert [(step["lines"], step["every"], step["at"]) for step in report.as_dict()["steps"]] == [
        (SIZE[1], 1, 0)
    ]
    assert stylizer.warmed == []  # measuring has warmed it up
    assert any(f"{SIZE[1]} lines" in caption.right for caption in display.captions)


class ResizableFake(FakeStylizer):
    lines = 480
    economy: Economy | None = None
    device, can_save, carried = "cpu", True, False

    def __call__(self, image):  # type: ignore[no-untyped-def]
        return image if isinstance(image, type(random_pixels(2, 2))) else super().__call__(image)

    def reset(self) -> None:
        pass

    def is_ready(self, lines: int) -> bool:
        return True

    def make_ready(self, lines: int) -> None:
        pass


def test_lines_are_changed_while_a_show_runs() -> None:
    stylizer = ResizableFake()

    class Hand:
        watched = shows = True

        def attend(self, session: Any) -> None:
            session.lines = 16
            if session.painting == f"painted at 16 of {SIZE[1]} lines":
                session.view.ended = True

    resolution = adapt_resolution(stylizer, "auto", changeable=True)
    report = run_live(
        FakeSource(100_000), stylizer, FakeDisplay(), adaptive_resolution=resolution, remote=Hand()
    )
    assert [step["lines"] for step in report.as_dict()["steps"]] == [SIZE[1], 16]
    assert stylizer.lines == 16


def test_a_size_that_is_none_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["live", "--source", "test", "--size", "large"]) == 2
    assert "--size" in capsys.readouterr().err
