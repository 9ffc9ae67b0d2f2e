"""Sinks that are switched on and off while a show runs, and what becomes of those that cannot be."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from fractions import Fraction

import pytest
from live_fakes import SIZE, FakeDisplay, FakeSink, FakeSource, FakeStylizer, WakeableSource, fail, make_frame
from waiting import eventually

from stylize_live.concurrency.watchdog import Patience
from stylize_live.concurrency.workers import WorkerGroup
from stylize_live.errors import SinkError
from stylize_live.live.pipeline import USUAL_PATIENCE, run_live
from stylize_live.live.report import LiveReport
from stylize_live.live.session import LiveSession
from stylize_live.live.sink_group import SinkGroup
from stylize_live.live.sink_switches import SinkSwitches
from stylize_live.media.protocols import LiveSink
from stylize_live.media.sinks.stream_server import StreamServer

QUICK = Patience(note=0.05, end=0.6)


class ClosableSink(FakeSink):
    """Remembers that it was closed."""

    def __init__(self, before: Callable[..., None] = lambda frame: None) -> None:
        super().__init__("stream", before=before)
        self.closed = threading.Event()

    def close(self) -> None:
        self.closed.set()


class Hand:
    """Runs a show by a script: each step is taken once the one before was true, and then the show ends."""

    watched = shows = True

    def __init__(self, *steps: Callable[[LiveSession], object]) -> None:
        self.steps = list(steps)
        self.notes: list[str] = []
        self.ends = time.monotonic() + 8

    def attend(self, session: LiveSession) -> None:
        if session.view.note not in ("", *self.notes[-1:]):
            self.notes.append(session.view.note)
        assert time.monotonic() < self.ends, "a step never came true"
        if self.steps and self.steps[0](session):
            self.steps.pop(0)
        if not self.steps:
            session.view.ended = True


def turn(on: bool) -> Callable[[LiveSession], object]:
    def step(session: LiveSession) -> object:
        session.switches.turn("stream", on)
        return True

    return step


def stands(on: bool) -> Callable[[LiveSession], object]:
    return lambda session: session.switches.state("stream").on is on


def run(
    hand: Hand,
    opener: Callable[[], LiveSink],
    *,
    sinks: list[LiveSink] | None = None,
    patience: Patience = USUAL_PATIENCE,
    source: FakeSource | None = None,
) -> LiveReport:
    return run_live(
        source or FakeSource(10_000),
        FakeStylizer(),
        FakeDisplay(),
        sinks=sinks or [],
        remote=hand,
        openers={"stream": opener},
        patience=patience,
    )


def test_on_and_off_and_on_again() -> None:
    opened: list[ClosableSink] = []

    def opener() -> LiveSink:
        assert not opened or opened[-1].closed.is_set()  # its port would be taken
        opened.append(ClosableSink())
        return opened[-1]

    has_frames = lambda session: len(opened[-1].frames) > 3  # noqa: E731
    hand = Hand(turn(True), stands(True), has_frames, turn(False), turn(True), stands(True), has_frames)
    report = run(hand, opener)
    assert [output.error for output in report.outputs.values()] == [None, None]
    assert list(report.outputs) == ["stream", "stream 2"]
    assert [sink.closed.wait(2) for sink in opened] == [True, True]
    assert hand.notes == ["stream on", "stream off", "stream on"]


def test_one_of_the_beginning_is_switched_off_and_closed() -> None:
    given = ClosableSink()
    hand = Hand(
        stands(True), lambda session: given.frames, turn(False), lambda session: given.closed.is_set()
    )
    run(hand, ClosableSink, sinks=[given])
    assert hand.notes == ["stream off"]


def test_one_of_the_beginning_that_is_left_on_stays_open() -> None:
    given = ClosableSink()
    run(Hand(lambda session: given.frames), ClosableSink, sinks=[given])
    assert not given.closed.is_set()  # whoever opened it closes it


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (SinkError("the port is taken"), "the port is taken"),
        (OSError(24, "Too many open files"), "opening the stream: Too many open files"),
        (ZeroDivisionError("mistake"), "ZeroDivisionError: mistake"),
    ],
)
def test_what_cannot_be_opened_is_said_and_the_switch_goes_back(error: Exception, words: str) -> None:
    tries: list[int] = []

    def opener() -> LiveSink:
        tries.append(1)
        if len(tries) == 1:
            raise error
        return ClosableSink()

    def failed(session: LiveSession) -> object:
        state = session.switches.state("stream")
        return state.error == words and not state.on and not state.opening

    hand = Hand(turn(True), failed, turn(True), stands(True))
    run(hand, opener)
    assert hand.notes[0] == words


def test_one_that_fails_is_off_with_its_error_and_can_be_had_again() -> None:
    opened = [ClosableSink(fail), ClosableSink()]
    rest = iter(opened)

    def failed(session: LiveSession) -> object:
        return session.switches.state("stream").error == "stream: the disk is full" and session.trouble

    def well(session: LiveSession) -> object:
        return opened[1].frames and not session.trouble and not session.switches.state("stream").error

    run(Hand(turn(True), failed, turn(True), well), lambda: next(rest))
    assert opened[0].closed.is_set()


def test_opening_that_hangs_is_named_given_up_and_closed_when_it_comes_back() -> None:
    came_back = threading.Event()
    late = ClosableSink()

    def opener() -> LiveSink:
        came_back.wait(10)
        return late

    def named(session: LiveSession) -> object:
        return "opening the stream has not answered" in session.switches.trouble

    def given_up(session: LiveSession) -> object:
        state = session.switches.state("stream")
        return "has not answered" in state.error and not state.opening and not session.switches.trouble

    def let_go(session: LiveSession) -> object:
        came_back.set()
        return late.closed.is_set()

    waiting = WakeableSource(1)
    waiting.trouble = "waits, and says so"  # it is not what hangs
    run(Hand(turn(True), named, given_up, let_go), opener, patience=QUICK, source=waiting)
    assert late.frames == []


def test_switched_off_before_it_is_open() -> None:
    came_back = threading.Event()
    late = ClosableSink()

    def opener() -> LiveSink:
        came_back.wait(10)
        return late

    def let_go(session: LiveSession) -> object:
        came_back.set()
        return late.closed.is_set()

    hand = Hand(turn(True), lambda session: session.switches.state("stream").opening, turn(False), let_go)
    run(hand, opener)
    assert late.frames == []


def test_one_that_opens_when_the_show_has_ended_is_closed() -> None:
    came_back = threading.Event()
    late = ClosableSink()

    def opener() -> LiveSink:
        came_back.wait(0.5)
        return late

    hand = Hand(turn(True), lambda session: session.switches.state("stream").opening)
    run(hand, opener)
    assert late.closed.wait(2)


def test_one_that_is_open_and_not_yet_fed_is_closed() -> None:
    sink = ClosableSink()
    group = SinkGroup([])
    switches = SinkSwitches(group, {"stream": lambda: sink}, [], lambda sink: "", lambda text: None)
    with WorkerGroup(switches, group) as workers:
        group.start(workers)
        switches.start(workers)
        switches.turn("stream", True)
        eventually(lambda: not workers.running, "the workers end")
    assert sink.closed.is_set()


def test_a_sink_that_is_added_while_all_ends_ends_too() -> None:
    group = SinkGroup([])
    with WorkerGroup(group) as workers:
        group.start(workers)
        group.close()
        sink = ClosableSink()
        group.add(sink)
        assert sink.closed.wait(5)


def test_a_frozen_frame_comes_to_a_sink_that_is_new() -> None:
    sink = ClosableSink()

    def freeze(session: LiveSession) -> object:
        if session.shown is None:
            return False
        session.view.switch("frozen", True)
        return True

    hand = Hand(freeze, turn(True), lambda session: sink.frames)
    run(hand, lambda: sink, source=WakeableSource(1))
    assert sink.frames[0].index == 0


def test_names_that_are_not_there_are_passed_over() -> None:
    def other(session: LiveSession) -> object:
        session.switches.turn("recording", True)
        return True

    run(Hand(other), ClosableSink)


def test_a_real_stream_frees_its_port_and_takes_it_again() -> None:
    first = StreamServer("0", SIZE, Fraction(30))
    port = first.url.rpartition(":")[2]

    def opener() -> LiveSink:
        return StreamServer(port, SIZE, Fraction(30))

    def same_place(session: LiveSession) -> object:
        return session.switches.state("stream").place == first.url

    with first:
        first.write(make_frame(0))
        run(Hand(stands(True), turn(False), turn(True), same_place), opener, sinks=[first])
