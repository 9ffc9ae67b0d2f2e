"""`--size auto`: which size is chosen when, by a clock and a painter that do as they are told."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import pytest
from conftest import random_pixels
from live_fakes import SIZE, FakeDisplay, FakeSource, FakeStylizer, keys

from stylize_live.cli.app import main
from stylize_live.engine import Stylizer
from stylize_live.engine.look import Look
from stylize_live.errors import UsageError
from stylize_live.frame import Pixels
from stylize_live.pipeline import live
from stylize_live.pipeline.governor import LADDER, Governor, govern
from stylize_live.pipeline.live import run_live

RATE = Fraction(30)
HD = (1280, 720)


class Painter:
    """Takes time by its lines, on a clock of its own; everything takes `load` times longer."""

    def __init__(self, seconds_at_480: float) -> None:
        self.lines = 480
        self.now = 100.0
        self.load = 1.0
        self.asked: list[int] = []
        self.resets = 0
        self._seconds = seconds_at_480

    @property
    def cost(self) -> float:
        return self._seconds * self.load * (self.lines / 480) ** 2

    def __call__(self, picture: Pixels, /) -> Pixels:
        first = self.lines not in self.asked
        self.asked.append(self.lines)
        self.now += self.cost + (0.5 if first else 0.0)  # a graph is made
        return picture

    def reset(self) -> None:
        self.resets += 1

    def clock(self) -> float:
        return self.now


class Show:
    """A painter, governed, with pictures that come thirty times a second."""

    def __init__(self, seconds_at_480: float, size: tuple[int, int] = HD) -> None:
        self.painter = Painter(seconds_at_480)
        self.governor = Governor(self.painter, self.painter.clock)
        self.governor.start(size, RATE)
        self.dropped = 0

    def run(self, seconds: float) -> list[int]:
        """Go on for so long; the lines that were chosen meanwhile."""
        end = self.painter.now + seconds
        chosen = len(self.governor.chosen)
        while self.painter.now < end:
            took, period = self.painter.cost, float(1 / RATE)
            # Pictures that came while this one was painted, the newest of which is next.
            self.owed = getattr(self, "owed", 0.0) + max(0.0, took / period - 1)
            self.dropped += int(self.owed)
            self.owed %= 1
            self.painter.now += max(took, period)
            self.governor.note(took, self.dropped)
        return self.governor.chosen[chosen:]


def test_the_usual_size_is_kept_where_it_is_fast_enough() -> None:
    show = Show(0.020)
    assert show.governor.chosen == [480]
    assert set(show.painter.asked) == {480, 432}  # the next one is made ready, too
    assert show.painter.lines == 480
    assert show.painter.resets == 1
    assert show.run(600) == []
    assert show.dropped == 0


def test_the_largest_size_that_leaves_room_is_chosen() -> None:
    show = Show(0.048)  # 26.7 ms are allowed: 384 lines take 30.7, 336 take 23.5
    assert show.governor.chosen == [336]
    # 480 lines take 48 ms, from which follows that 432 and 384 take too long; 288 is made ready.
    assert set(show.painter.asked) == {480, 336, 288}
    assert show.run(300) == []


def test_a_fast_machine_is_not_kept_waiting() -> None:
    assert set(Show(0.010).painter.asked) == {480}


def test_a_slow_machine_gets_the_smallest_size() -> None:
    show = Show(1.0)
    assert show.governor.chosen == [LADDER[-1]]
    assert set(show.painter.asked) == {480, LADDER[-1]}
    show.run(60)
    assert show.governor.chosen == [LADDER[-1]]


@pytest.mark.parametrize(("size", "first"), [((640, 360), 360), ((360, 640), 360), ((100, 80), 80)])
def test_small_pictures_are_not_enlarged(size: tuple[int, int], first: int) -> None:
    assert Show(0.001, size).governor.chosen == [first]


def test_a_busy_machine_costs_size_and_an_idle_one_gives_it_back() -> None:
    show = Show(0.025)
    assert show.governor.chosen == [480]
    show.painter.load = 2.0  # something else wants the machine: 50 ms a picture
    down = show.run(30)
    assert down == [432, 384]  # 40.5 ms, then 32 ms: no more drops
    show.painter.load = 1.0
    up = show.run(60)
    assert up == [432, 480]
    assert show.run(300) == []


def test_drops_that_pass_change_nothing() -> None:
    show = Show(0.020)
    show.painter.load = 3.0
    assert show.run(1.0) == []
    show.painter.load = 1.0
    assert show.run(20) == []


def test_tries_that_fail_become_rare() -> None:
    show = Show(0.034)
    assert show.governor.chosen == [384]  # 21.8 ms; 432 would take 27.5
    show.painter.load = 0.9  # 24.8 ms at 432: tried
    tries = []
    for _ in range(400):
        chosen = show.run(1.0)
        if 432 in chosen:
            tries.append(show.painter.now)
            show.painter.load = 1.4  # and fails each time
        elif 384 in chosen:
            show.painter.load = 0.9
    gaps = [later - earlier for earlier, later in pairwise(tries)]
    assert len(gaps) >= 3
    assert all(later > 1.5 * earlier for earlier, later in pairwise(gaps))


def test_a_show_that_rests_is_not_a_slow_one() -> None:
    show = Show(0.020)
    for _ in range(10):
        show.painter.now += 30.0  # frozen: nothing painted, nothing dropped
        assert show.run(0.1) == []


def test_lines_bound_what_is_painted() -> None:
    assert Look(lines=360).working_size(HD) == (640, 360)
    assert Look(lines=360).working_size((640, 360)) == (640, 360)
    assert Look(lines=240, stroke=0.5).working_size(HD) == (856, 480)
    with Stylizer() as stylizer:
        with pytest.raises(UsageError, match="lines must be positive"):
            stylizer.lines = 0
        assert stylizer.lines == 480
        assert govern(stylizer, "48p") is None
        painted = stylizer(random_pixels(120, 90))
        assert painted.shape == (90, 120, 3)
        assert stylizer.lines == 48
        assert isinstance(govern(stylizer, "auto"), Governor)


def test_live_shows_and_reports_what_was_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "_CAPTION_SECONDS", 0.0)
    stylizer = GovernedStylizer()
    display = FakeDisplay(keys(*[None] * 40))
    report = run_live(FakeSource(30), stylizer, display, governor=Governor(stylizer))
    assert report.lines == [SIZE[1]]
    assert report.as_dict()["lines"] == [SIZE[1]]
    assert stylizer.warmed == []  # measuring has warmed it up
    assert any(f"at {SIZE[1]}p" in caption.right for caption in display.captions)


class GovernedStylizer(FakeStylizer):
    lines = 480

    def __call__(self, picture):  # type: ignore[no-untyped-def]
        return picture if isinstance(picture, type(random_pixels(2, 2))) else super().__call__(picture)

    def reset(self) -> None:
        pass


def test_a_size_that_is_none_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["live", "--source", "test", "--size", "large"]) == 2
    assert "--size" in capsys.readouterr().err
