"""Stages: whoever fails, all stop, the first error comes out, no thread stays."""

from __future__ import annotations

import os
import signal
import threading

import pytest
from waiting import promptly

from stylize_live.concurrency.channel import Bounded, Latest
from stylize_live.concurrency.workers import WorkerGroup


class BoomError(Exception):
    pass


def run_chain(fails: str, *, slow_sink: bool = False, count: int = 10_000) -> list[int]:
    """Three stages through two channels of each kind; the named one raises at the number 3."""
    first: Bounded[int] = Bounded(2)
    second: Latest[int] = Latest()
    seen: list[int] = []
    produced = threading.Event()

    def check(name: str, number: int) -> None:
        if name == fails and number >= 3:
            raise BoomError(name)

    def produce() -> None:
        for number in range(count):
            check("source", number)
            first.put(number)
        produced.set()

    def work() -> None:
        for number in first:
            check("worker", number)
            second.put(number)

    def consume() -> None:
        for number in second:
            check("sink", number)
            seen.append(number)
            if slow_sink:
                produced.wait(5)

    with WorkerGroup(first, second) as stages:
        stages.start("source", produce, closes=(first,))
        stages.start("worker", work, closes=(second,))
        stages.start("sink", consume)
        stages.join(5.0)
    return seen


@pytest.mark.parametrize("stage", ["source", "worker", "sink"])
def test_every_stage_may_raise(stage: str) -> None:
    with promptly(), pytest.raises(BoomError, match=stage):
        run_chain(stage)


def test_end_of_the_source_ends_all_and_the_last_one_arrives() -> None:
    seen = run_chain("nobody", count=100)
    assert seen == sorted(set(seen))
    assert seen[-1] == 99


def test_slow_sink_loses_but_ends() -> None:
    seen = run_chain("nobody", count=200, slow_sink=True)
    assert seen[-1] == 199
    assert len(seen) < 10


def test_stop_in_the_middle_of_a_frame() -> None:
    channel: Latest[int] = Latest()
    busy, go_on = threading.Event(), threading.Event()
    finished: list[int] = []

    def work() -> None:
        for number in channel:
            busy.set()
            go_on.wait(5)
            finished.append(number)

    with WorkerGroup(channel) as stages:
        stages.start("worker", work)
        channel.put(1)
        assert busy.wait(5)
        stages.stop()
        go_on.set()
        stages.join(5)
    assert finished == [1]
    assert not stages.running


def test_the_first_error_wins() -> None:
    failed = threading.Event()

    def first() -> None:
        raise BoomError("first")

    def second() -> None:
        failed.wait(5)
        raise BoomError("second")

    with WorkerGroup() as stages:
        stages.start("second", second)
        stages.start("first", first)
        assert stages.stopping.wait(5)
        failed.set()
        with pytest.raises(BoomError, match="first"):
            stages.join(5)


def test_a_hanging_stage_is_left_behind_in_time(caplog: pytest.LogCaptureFixture) -> None:
    release, hung = threading.Event(), []
    with promptly(), WorkerGroup() as stages:
        stages.start("hanging", lambda: hung.append(release.wait(30)))
    assert hung == []  # it still does
    assert "stylize-hanging did not stop in time" in caplog.text
    release.set()


def test_an_error_in_the_block_stops_the_stages() -> None:
    channel: Latest[int] = Latest()
    stages = WorkerGroup(channel)

    def fail_while_a_stage_waits() -> None:
        with stages:
            stages.start("reader", lambda: [None for _ in channel] and None)
            raise BoomError

    with pytest.raises(BoomError):
        fail_while_a_stage_waits()
    assert stages.stopping.is_set()
    assert not stages.running


def test_closed_is_a_normal_end() -> None:
    channel: Latest[int] = Latest()
    channel.close()
    with WorkerGroup(channel) as stages:
        stages.start("writer", lambda: channel.put(1))
        stages.join(5)
    assert not stages.stopping.is_set() or not stages.running


@pytest.mark.posix
def test_a_thread_is_waited_for_although_ctrl_c_came_while_it_was_waited_for() -> None:
    """Python's own `join` takes it for ended then."""
    started, go_on, ended = threading.Event(), threading.Event(), threading.Event()

    def work() -> None:
        assert started.wait(5)
        os.kill(os.getpid(), signal.SIGINT)
        assert go_on.wait(5)
        ended.set()

    def interrupted() -> None:
        with WorkerGroup() as stages:
            stages.start("worker", work)
            try:
                started.set()
                stages.join()
            except KeyboardInterrupt:
                assert stages.running
                threading.Timer(0.05, go_on.set).start()
                raise

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert ended.is_set()
