"""Which workers a cluster has room for, and which of them paint alike."""

from __future__ import annotations

from dataclasses import replace

import pytest

from stylize_live.cluster.crew import WorkerSpec
from stylize_live.cluster.placing import (
    Machine,
    choose_spec,
    count_idle_gpus,
    find_unplaced,
    place_beside_others,
    place_workers,
)
from stylize_live.cluster.worker import WorkerFacts, explain_difference
from stylize_live.config import ConvertSettings
from stylize_live.conversion.stylizers import Fingerprints
from stylize_live.errors import DeviceError

CPU = ConvertSettings(device="cpu")


@pytest.mark.parametrize(
    ("cpus", "cores"),
    [([2], 2), ([1], 1), ([1, 8], 1), ([8], 4), ([6], 3), ([64, 64], 4), ([6, 8], 2), ([5], 4), ([3, 0], 3)],
)
def test_groups_of_cores_leave_few_over(cpus: list[int], cores: int) -> None:
    machines = [Machine(str(number), str(number), count, 0) for number, count in enumerate(cpus)]
    assert choose_spec(machines, ConvertSettings()) == WorkerSpec("cpu", cores)


def test_each_gpu_is_a_worker() -> None:
    machines = [Machine("a", "a", 32, 4), Machine("b", "b", 16, 0), Machine("c", "c", 12, 2)]
    spec = choose_spec(machines, ConvertSettings())
    assert spec == WorkerSpec("cuda", 6, 1)
    assert len(place_workers(machines, spec)) == 6
    assert choose_spec(machines, CPU) == WorkerSpec("cpu", 4)


def test_gpus_without_a_core_are_counted() -> None:
    machines = [Machine("0", "narrow", 2, 4), Machine("1", "wide", 8, 2), Machine("2", "none", 4, 0)]
    spec = choose_spec(machines, ConvertSettings())
    assert spec is not None
    assert count_idle_gpus(machines, place_workers(machines, spec)) == {"narrow": 2}


def test_workers_without_room_are_named() -> None:
    """As on a machine with more GPUs than cores."""
    specs = [WorkerSpec(f"cuda:{number}", 1) for number in range(3)]
    places = place_workers([Machine("a", "a", 2, 0)], specs)
    assert find_unplaced(specs, places) == specs[2:]
    assert find_unplaced([specs[0]] * 2, places) == specs[:1]


def test_no_room_is_no_worker() -> None:
    assert choose_spec([], CPU) is None
    assert choose_spec([Machine("a", "a", 0, 2)], CPU) is None
    assert place_workers([Machine("a", "a", 2, 0)], WorkerSpec("cpu", 4)) == []


def test_workers_have_cores_of_their_own() -> None:
    """Also where two nodes are one machine, as in tests."""
    machines = [Machine("a", "one", 4, 0), Machine("b", "one", 4, 0), Machine("c", "two", 4, 0)]
    places = place_workers(machines, WorkerSpec("cpu", 2))
    assert [(place.machine.node, place.first_core) for place in places] == [
        *(("a", 0), ("b", 2), ("c", 0)),
        *(("a", 4), ("b", 6), ("c", 2)),
    ]


def test_a_gpu_that_is_asked_for_must_be_there() -> None:
    with pytest.raises(DeviceError, match="no machine"):
        choose_spec([Machine("a", "a", 4, 0)], ConvertSettings(device="cuda"))


def test_what_is_taken_is_not_given_again() -> None:
    machine = Machine("a", "a", 4, 0)
    first = place_workers([machine], [WorkerSpec("cpu", 2)])
    rest = place_workers([machine], [WorkerSpec("cpu", 2)] * 3, first)
    assert [place.first_core for place in rest] == [2]


def test_those_with_room_now_begin_beside_others() -> None:
    """On cores that others do not have; the rest waits for theirs."""
    machines = [Machine("a", "one", 4, 0, busy_cpus=2), Machine("b", "two", 2, 0, busy_cpus=2)]
    now, later = place_beside_others(machines, WorkerSpec("cpu", 2))
    assert [(place.machine.node, place.first_core) for place in now] == [("a", 2)]
    assert sorted((place.machine.node, place.first_core) for place in later) == [("a", 0), ("b", 0)]


def test_workers_of_a_list_begin_beside_others() -> None:
    specs = [WorkerSpec("cuda", 1, 1)] * 3
    now, later = place_beside_others([Machine("a", "a", 4, 2, busy_gpus=1)], specs)
    assert (len(now), len(later)) == (1, 1)
    idle, nobody = place_beside_others([Machine("a", "a", 4, 2)], specs)
    assert (len(idle), nobody) == (2, [])


ONE = WorkerFacts(
    "one", {"PyAV": "18.1"}, "torch int8", {"torch int8": Fingerprints("as it is")}, False, False, "AVX2"
)


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ({"versions": {"PyAV": "17"}}, "has PyAV 17, one has 18.1"),
        ({"versions": {}}, "has PyAV None"),
        ({"fingerprints": {"torch int8": Fingerprints("otherwise")}}, "does not paint as one does"),
        ({"fingerprints": {"torch float32": Fingerprints("as it is")}}, "does not paint as one does"),
        ({"takes_surfaces": True}, "does not paint as one does"),
        ({"instructions": "AVX-512"}, "computes with AVX-512, one with AVX2"),
    ],
)
def test_differences_are_named(other: dict[str, object], words: str) -> None:
    difference = explain_difference(ONE, replace(ONE, machine="two", **other))  # type: ignore[arg-type]
    assert difference is not None
    assert difference.startswith("two ")
    assert words in difference


def test_float32_and_gpus_may_be_mixed() -> None:
    exact = replace(ONE, arithmetic="torch float32", fingerprints={"torch float32": Fingerprints("as it is")})
    assert explain_difference(exact, replace(exact, machine="two", instructions="AVX-512")) is None
    gpu = replace(ONE, takes_surfaces=True)
    assert explain_difference(gpu, replace(gpu, instructions="AVX-512")) is None
    assert explain_difference(ONE, replace(ONE, machine="two")) is None
