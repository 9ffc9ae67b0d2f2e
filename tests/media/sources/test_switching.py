"""A source that is changed while it runs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from fractions import Fraction

import numpy as np
import pytest
from waiting import eventually

from stylize_live.errors import SourceError
from stylize_live.frame import Frame
from stylize_live.media.sources.live_source import LiveSource
from stylize_live.media.sources.switching import SourceChoice, SwitchingSource
from stylize_live.system.clock import monotonic


class Level(LiveSource):
    """Frames of one grey level: `count` of them, or until it is interrupted."""

    def __init__(self, level: int, count: int | None = None, size: tuple[int, int] = (8, 6)) -> None:
        super().__init__(size, Fraction(100))
        self.level, self.count = level, count
        self.released = 0

    def __iter__(self) -> Iterator[Frame]:
        index = 0
        while self._wait(0.002) and index != self.count:
            pixels = np.full((self.size[1], self.size[0], 3), self.level, np.uint8)
            yield Frame(pixels, Fraction(index, 100), monotonic(), index)
            index += 1

    def _release(self) -> None:
        self.released += 1


class Breaking(Level):
    def __iter__(self) -> Iterator[Frame]:
        yield from super().__iter__()
        raise SourceError("the cable was pulled")


def fail() -> LiveSource:
    raise SourceError("no such camera")


def take(frames: Iterator[Frame], until: Callable[[Frame], bool], most: int = 400) -> list[Frame]:
    """Frames up to the first one that fits."""
    taken = []
    for frame in frames:
        taken.append(frame)
        if until(frame):
            return taken
        assert len(taken) < most, "never came"
    raise AssertionError("the source ended")


def level(value: int) -> Callable[[Frame], bool]:
    return lambda frame: bool(frame.pixels[0, 0, 0] == value)


@pytest.fixture
def first() -> Level:
    return Level(1)


def test_it_becomes_another_source_and_goes_on_counting(first: Level) -> None:
    second = Level(2, size=(16, 4))
    with SwitchingSource(first, SourceChoice("one", lambda: first)) as source:
        frames = iter(source)
        taken = take(frames, lambda frame: frame.index == 3)
        source.switch(SourceChoice("two", lambda: second))
        assert source.name == "two"
        taken += take(frames, level(2))
        assert source.size == taken[-1].size == (16, 4)
        assert source.trouble is None
    assert [frame.index for frame in taken] == list(range(len(taken)))
    assert (first.released, second.released) == (1, 1)


def test_what_cannot_be_opened_is_said_until_something_else_is_chosen(first: Level) -> None:
    with SwitchingSource(first, SourceChoice("one", lambda: first)) as source:
        frames = iter(source)
        take(frames, level(1))
        source.switch(SourceChoice("broken", fail))
        said = []

        def choose_again() -> None:
            eventually(lambda: source.trouble == "no such camera")
            said.append(source.name)
            source.switch(SourceChoice("three", lambda: Level(3)))

        person = threading.Thread(target=choose_again)
        person.start()
        take(frames, level(3))
        person.join(5)
        assert said == ["broken"]
        assert source.name == "three"
        assert source.trouble is None


def test_a_source_that_breaks_is_named_and_can_be_chosen_again() -> None:
    again = SourceChoice("camera", lambda: Level(2))
    with SwitchingSource(Breaking(1, count=3), again) as source:
        frames = iter(source)

        def choose_again() -> None:
            eventually(lambda: source.trouble == "the cable was pulled")
            source.switch(again)

        person = threading.Thread(target=choose_again)
        person.start()
        assert len(take(frames, level(2))) == 4
        person.join(5)


def test_a_video_that_ends_begins_anew() -> None:
    opened = [Level(2, count=2), Level(3, count=2)]
    with SwitchingSource(Level(1, count=2), SourceChoice("video", lambda: opened.pop(0))) as source:
        levels = [int(frame.pixels[0, 0, 0]) for frame in take(iter(source), lambda frame: frame.index == 5)]
    assert levels == [1, 1, 2, 2, 3, 3]


@pytest.mark.parametrize("waiting", [False, True])
def test_it_ends_when_interrupted_whatever_it_does(first: Level, waiting: bool) -> None:
    source = SwitchingSource(first, SourceChoice("one", lambda: first))
    if waiting:
        source.switch(SourceChoice("broken", fail))
    taken: list[Frame] = []
    thread = threading.Thread(target=lambda: [taken.append(frame) for frame in source])
    thread.start()
    eventually(lambda: source.trouble if waiting else taken)
    source.interrupt()
    thread.join(5)
    assert not thread.is_alive()
    source.close()
    assert first.released == 1


def test_one_that_is_opened_too_late_is_closed_at_once(first: Level) -> None:
    entered, release, late = threading.Event(), threading.Event(), Level(2)

    def slow() -> LiveSource:
        entered.set()
        release.wait(5)
        return late

    source = SwitchingSource(first, SourceChoice("one", lambda: first))
    thread = threading.Thread(target=lambda: [None for _ in source])
    thread.start()
    source.switch(SourceChoice("slow", slow))
    assert entered.wait(5)
    source.close()
    release.set()
    thread.join(5)
    assert late.released == 1
