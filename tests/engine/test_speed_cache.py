"""Speeds are measured once for each machine and kept; a cache that is of no use is no error."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from stylize_live.engine import speed_cache


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of this test alone; it does not exist yet."""
    path = tmp_path / "cache" / "speeds.json"
    monkeypatch.setattr(speed_cache, "cache_file", lambda: path)
    monkeypatch.setattr(speed_cache, "_known", {})
    return path


class Machine:
    """Work that takes as long as it is told, by a clock of its own."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now, self.made = 0.0, 0
        monkeypatch.setattr(speed_cache, "monotonic", lambda: self.now)

    def trial(self, *milliseconds: float) -> speed_cache.Trial:
        """Takes so long one time after the other, the last one for ever."""
        left = list(milliseconds)

        def work() -> None:
            self.now += (left.pop(0) if len(left) > 1 else left[0]) / 1e3

        def ready() -> Callable[[], object]:
            self.made += 1
            return work

        return ready


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(monkeypatch)


def fail() -> Callable[[], object]:
    raise RuntimeError("object is not initialized")


def test_the_shortest_time_counts_and_the_first_does_not(machine: Machine) -> None:
    found = speed_cache.measure_once("x", {"a": machine.trial(1, 30, 20, 50), "b": machine.trial(25)})
    assert found == {"a": pytest.approx(20), "b": pytest.approx(25)}


def test_measured_once_in_this_process_and_the_next(machine: Machine, cache: Path) -> None:
    trials = {"a": machine.trial(20), "b": machine.trial(30)}
    first = speed_cache.measure_once("x", trials)
    assert speed_cache.measure_once("x", trials) == first
    speed_cache._known.clear()  # another process
    assert speed_cache.measure_once("x", trials) == first
    assert speed_cache.measure_once("x", {"b": trials["b"]}) == {"b": first["b"]}
    assert machine.made == 2
    speed_cache.forget()
    assert not cache.exists()
    speed_cache.measure_once("x", trials)
    assert machine.made == 4


def test_kept_for_this_machine_alone(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    trials = {"a": machine.trial(20)}
    monkeypatch.delenv("ONEDNN_MAX_CPU_ISA", raising=False)
    speed_cache.measure_once("x", trials)
    for count, limit in enumerate(("AVX2", "AVX2_VNNI"), 2):
        monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", limit)
        speed_cache.measure_once("x", trials)
        assert machine.made == count
    monkeypatch.setattr(speed_cache.features, "processor_name", lambda: "another processor")
    speed_cache.measure_once("x", trials)
    assert machine.made == 4


def test_what_fails_is_left_out_and_not_tried_again(machine: Machine) -> None:
    trials = {"a": machine.trial(20), "b": fail}
    assert speed_cache.measure_once("x", trials) == {"a": pytest.approx(20)}
    speed_cache._known.clear()
    assert speed_cache.measure_once("x", trials) == {"a": pytest.approx(20)}
    assert machine.made == 1


@pytest.mark.parametrize("content", ["", "{", "[]", '{"a": 1}', '{"a": {"b": {"c": "d"}}}', "\x00\xff"])
def test_a_damaged_cache_is_made_anew(machine: Machine, cache: Path, content: str) -> None:
    cache.parent.mkdir()
    cache.write_bytes(content.encode("latin-1"))
    assert speed_cache.measure_once("x", {"a": machine.trial(20)}) == {"a": pytest.approx(20)}
    assert json.loads(cache.read_text())[speed_cache.name_machine()]["x"] == {"a": pytest.approx(20)}


def test_a_cache_that_cannot_be_written_is_no_error(machine: Machine, cache: Path) -> None:
    cache.parent.write_text("a file where the folder would be")
    trials = {"a": machine.trial(20)}
    assert speed_cache.measure_once("x", trials) == {"a": pytest.approx(20)}
    assert speed_cache.measure_once("x", trials) == {"a": pytest.approx(20)}
    assert machine.made == 1  # in this process at least
    assert cache.parent.is_file()


def test_slow_machines_do_not_wait_for_many_rounds(machine: Machine) -> None:
    speed_cache.measure_once("x", {"a": machine.trial(600), "b": machine.trial(900)})
    assert machine.now == pytest.approx(3 * 1.5)  # one to warm up, and two


def test_only_the_newest_machines_are_kept(
    machine: Machine, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(20):
        monkeypatch.setattr(
            speed_cache.features, "processor_name", lambda number=number: f"processor {number}"
        )
        speed_cache.measure_once("x", {"a": machine.trial(20)})
    kept = [name.partition(",")[0] for name in json.loads(cache.read_text())]
    assert kept == [f"processor {number}" for number in range(4, 20)]
