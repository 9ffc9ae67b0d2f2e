"""Which workers a cluster has room for, and where."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from stylize_live.cluster.crew import WorkerSpec
from stylize_live.config import ConvertSettings, DeviceName, gpu_numbers
from stylize_live.engine.cpu.features import cores
from stylize_live.engine.device_selection import devices_of
from stylize_live.errors import DeviceError
from stylize_live.wording import option

# Cores of a worker without a GPU: more help a network of this size little. Not measured beyond two.
_MOST_CORES = 4


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine of a cluster.

    Attributes:
        node: Ray's id of it.
        name: on the network.
        cpus, gpus: that work may use.
        busy_cpus, busy_gpus: of these, what others use now.
    """

    node: str
    name: str
    cpus: int
    gpus: int
    busy_cpus: int = 0
    busy_gpus: int = 0


@dataclass(frozen=True, slots=True)
class Place:
    """Room for one worker.

    Attributes:
        machine: where.
        spec: what it has to itself.
        first_core: the first of its cores.
    """

    machine: Machine
    spec: WorkerSpec
    first_core: int


def choose_spec(machines: Sequence[Machine], settings: ConvertSettings) -> WorkerSpec | None:
    """One kind of worker for all machines, so that all paint alike; None if there is no room for any.

    A GPU each if there are GPUs, else a group of cores.

    Raises:
        DeviceError: a GPU is asked for, and there is none; or one by its number, which is for one machine.
    """
    if gpu_numbers(settings.device):
        asked, instead = option("device", settings.device), option("device", "cuda")
        raise DeviceError(f"{asked}: on a cluster, GPUs have no numbers; {instead} takes all of them")
    with_gpus = [machine for machine in machines if machine.gpus and machine.cpus]
    if with_gpus and settings.device != "cpu":
        cores = min(machine.cpus // machine.gpus for machine in with_gpus)
        return WorkerSpec("cuda", max(1, cores), 1)
    if settings.device not in ("auto", "cpu"):
        raise DeviceError(
            f"no machine of this cluster has a GPU: {option('device', 'auto')} takes what there is"
        )
    counts = [machine.cpus for machine in machines if machine.cpus]
    if not counts:
        return None
    most = min(_MOST_CORES, *counts)
    sizes = range(most, min(2, most) - 1, -1)
    return WorkerSpec("cpu", max(sizes, key=lambda size: sum(cpus // size * size for cpus in counts)))


def workers_here(device: DeviceName) -> list[WorkerSpec]:
    """A worker for each GPU of this machine where a device's name means several; else none.

    Raises:
        DeviceError: there is no such GPU.
    """
    devices = devices_of(device)
    each = max(1, cores() // len(devices))
    return [WorkerSpec(one, each) for one in devices] if len(devices) > 1 else []


def place_beside_others(
    machines: Sequence[Machine], specs: Sequence[WorkerSpec] | WorkerSpec, taken: Sequence[Place] = ()
) -> tuple[list[Place], list[Place]]:
    """Find room for workers as `place_workers` does.

    Returns:
        Those that can begin now, and those for which there is room once others have ended.
    """
    now = place_workers(machines, specs, taken, idle=True)
    rest = specs if isinstance(specs, WorkerSpec) else find_unplaced(specs, now)
    return now, place_workers(machines, rest, [*taken, *now])


def place_workers(
    machines: Iterable[Machine],
    specs: Sequence[WorkerSpec] | WorkerSpec,
    taken: Iterable[Place] = (),
    *,
    idle: bool = False,
) -> list[Place]:
    """Find room for workers.

    Args:
        machines: to look at.
        specs: these workers, as far as there is room; or as many of one kind as there is room for.
        taken: places that are taken already.
        idle: leave what others use now to them.
    """
    cpus: Counter[str] = Counter()
    gpus: Counter[str] = Counter()
    cores: defaultdict[str, list[range]] = defaultdict(list)  # by name: machines of a test are one
    for place in taken:
        _take(place, cpus, gpus, cores)
    found: list[Place] = []
    waiting = [specs] if isinstance(specs, WorkerSpec) else list(specs)
    ordered = list(machines)
    for one in ordered if idle else []:
        cpus[one.node] += one.busy_cpus
        gpus[one.node] += one.busy_gpus
        cores[one.name].append(range(one.busy_cpus))  # as if theirs were the first
    while waiting:
        spec = waiting[0]
        machine = next((m for m in ordered if _has_room(m, spec, cpus, gpus)), None)
        if machine is None or not isinstance(specs, WorkerSpec):
            waiting.pop(0)
        if machine is not None:
            place = Place(machine, spec, _find_core(cores[machine.name], spec.num_cpus))
            _take(place, cpus, gpus, cores)
            found.append(place)
            ordered.remove(machine)  # the others first, next time
            ordered.append(machine)
    return found


def count_idle_gpus(machines: Iterable[Machine], places: Iterable[Place]) -> dict[str, int]:
    """How many GPUs no worker of these places has, by the names of machines that have some with workers."""
    used = Counter[str]()
    for place in places:
        used[place.machine.node] += place.spec.num_gpus
    return {m.name: m.gpus - used[m.node] for m in machines if 0 < used[m.node] < m.gpus}


def find_unplaced(specs: Sequence[WorkerSpec], places: Iterable[Place]) -> list[WorkerSpec]:
    """Those of these workers for which there was no room."""
    return list((Counter(specs) - Counter(place.spec for place in places)).elements())


def _has_room(machine: Machine, spec: WorkerSpec, cpus: Counter[str], gpus: Counter[str]) -> bool:
    enough = machine.cpus - cpus[machine.node] >= spec.num_cpus
    return enough and machine.gpus - gpus[machine.node] >= spec.num_gpus


def _find_core(used: Iterable[range], count: int) -> int:
    """The first of so many cores that follow one another and are not used."""
    first = 0
    for theirs in sorted(used, key=lambda theirs: theirs.start):
        if theirs.start < first + count:
            first = max(first, theirs.stop)
    return first


def _take(place: Place, cpus: Counter[str], gpus: Counter[str], cores: defaultdict[str, list[range]]) -> None:
    cpus[place.machine.node] += place.spec.num_cpus
    gpus[place.machine.node] += place.spec.num_gpus
    cores[place.machine.name].append(range(place.first_core, place.first_core + place.spec.num_cpus))
