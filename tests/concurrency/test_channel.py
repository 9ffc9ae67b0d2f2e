"""Channels: what is delivered, what is dropped, and that nobody waits for ever."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from stylize_live.concurrency.channel import Bounded, Closed, Latest

LONG = 5.0


def in_thread(work: Callable[[], object]) -> tuple[threading.Thread, list[object]]:
    """Run something that blocks; its result or exception lands in the list."""
    results: list[object] = []

    def body() -> None:
        try:
            results.append(work())
        except Exception as error:
            results.append(error)

    thread = threading.Thread(target=body, name="stylize-test")
    thread.start()
    return thread, results


def finish(thread: threading.Thread) -> None:
    thread.join(LONG)
    assert not thread.is_alive(), "still blocked"


def test_latest_keeps_only_the_newest() -> None:
    channel: Latest[int] = Latest()
    for number in range(4):
        channel.put(number)
    assert channel.get() == 3
    assert channel.dropped == 3


def test_latest_gives_nothing_twice() -> None:
    channel: Latest[int] = Latest()
    channel.put(1)
    assert channel.get() == 1
    with pytest.raises(TimeoutError):
        channel.get(timeout=0.01)
    assert channel.dropped == 0


def test_bounded_loses_nothing_and_keeps_order() -> None:
    channel: Bounded[int] = Bounded(2)

    def fill() -> None:
        for number in range(50):
            channel.put(number)
        channel.close()

    thread, _ = in_thread(fill)
    assert list(channel) == list(range(50))
    finish(thread)


def test_bounded_makes_a_fast_producer_wait() -> None:
    channel: Bounded[int] = Bounded(1)
    channel.put(1)
    thread, results = in_thread(lambda: channel.put(2))
    thread.join(0.05)
    assert thread.is_alive()
    assert channel.get() == 1
    finish(thread)
    assert results == [None]


@pytest.mark.parametrize("make", [Latest, lambda: Bounded(3)], ids=["latest", "bounded"])
class TestBothKinds:
    def test_close_delivers_what_was_put(self, make: Callable[[], Latest[int]]) -> None:
        channel = make()
        channel.put(1)
        channel.close()
        assert channel.get() == 1
        with pytest.raises(Closed):
            channel.get()

    def test_closed_refuses(self, make: Callable[[], Latest[int]]) -> None:
        channel = make()
        channel.close()
        channel.close()
        with pytest.raises(Closed):
            channel.put(1)

    def test_close_wakes_all_readers(self, make: Callable[[], Latest[int]]) -> None:
        channel = make()
        waiting = [in_thread(channel.get) for _ in range(3)]
        channel.close()
        for thread, results in waiting:
            finish(thread)
            assert isinstance(results[0], Closed)

    def test_iteration_ends_with_close(self, make: Callable[[], Latest[int]]) -> None:
        channel = make()
        thread, results = in_thread(lambda: list(channel))
        channel.put(7)
        channel.close()
        finish(thread)
        assert results == [[7]]

    def test_timeout(self, make: Callable[[], Latest[int]]) -> None:
        with pytest.raises(TimeoutError):
            make().get(timeout=0)


def test_close_wakes_a_waiting_writer() -> None:
    channel: Bounded[int] = Bounded(1)
    channel.put(1)
    thread, results = in_thread(lambda: channel.put(2))
    channel.close()
    finish(thread)
    assert isinstance(results[0], Closed)
    assert list(channel) == [1]
