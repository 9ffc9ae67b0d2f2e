"""A crew of processes that Ray runs on the machines of a cluster."""

from __future__ import annotations

import logging
import os
import platform
import re
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

from stylize_live.cluster.crew import Ended, Event, Failed, Lost, WorkerSpec
from stylize_live.cluster.placing import (
    Machine,
    Place,
    choose_spec,
    count_idle_gpus,
    find_unplaced,
    place_beside_others,
)
from stylize_live.cluster.ray_helpers import AHEAD, Helpers, HelpersWork, steps, words
from stylize_live.cluster.ray_library import OnNode, exceptions, list_free, list_nodes, ray
from stylize_live.cluster.worker import (
    OpenStylizer,
    Worker,
    WorkerFacts,
    background_file,
    explain_difference,
    own_style_files,
    settings_elsewhere,
)
from stylize_live.config import ConvertSettings, gpu_numbers
from stylize_live.conversion.unit import Unit
from stylize_live.conversion.worker_process import portable_error
from stylize_live.errors import MachineError, SinkError, SourceError, UsageError
from stylize_live.lifecycle import Closeable
from stylize_live.storage.fetching import check_source
from stylize_live.storage.places import StorageUrl
from stylize_live.system.clock import monotonic
from stylize_live.system.cores import keep_to_cores
from stylize_live.system.gpus import see_one_gpu
from stylize_live.wording import are_flags, shorten

log = logging.getLogger(__name__)

_COLORS = re.compile(r"\x1b\[[0-9;]*m")

_THREADS = "OMP_NUM_THREADS"
_MOST_STARTS = 3  # of a worker that dies before it is ready
_SECONDS_BETWEEN_LOOKS = 5.0  # at which machines there are
_PATIENCE = 120.0  # seconds without any worker
_SECONDS_TO_END = 3.0
_SECONDS_TO_BE_COUNTED = 2.0
_SECONDS_BETWEEN_NEWS = 60.0  # while workers are awaited
_SECONDS_BETWEEN_WORDS = 0.2  # of how far all are, together
_MOST_APART = 5.0  # seconds, of one worker


@dataclass(frozen=True, slots=True)
class _Order:
    """What a worker's process needs to begin."""

    make: OpenStylizer
    settings: ConvertSettings
    styles: dict[str, bytes]
    place: Place
    seen: tuple[Path | StorageUrl, ...]
    threads: str | None  # of OpenMP, as the user set them
    with_flags: bool


class _WorkerProcess:
    """What runs in a process of its own on a machine of the cluster."""

    def __init__(self, order: _Order) -> None:
        keep_to_cores(order.place.first_core, order.place.spec.num_cpus)
        # Ray sets it to the number of cores, which is not always what torch takes of them on its own.
        os.environ.pop(_THREADS, None)
        if order.threads is not None:
            os.environ[_THREADS] = order.threads
        for number in gpu_numbers(order.place.spec.device):
            see_one_gpu(number)
        self._order = order
        self._worker: Worker | None = None

    def describe(self, arithmetics: Sequence[str]) -> WorkerFacts | Failed:
        """See `Worker.describe`; the first call makes the worker."""
        with words(self._order.with_flags):
            try:
                if self._worker is None:
                    self._check_sources()
                    # One by its number is the only one that this process sees.
                    device = self._order.place.spec.device
                    own = {"device": "cuda" if gpu_numbers(device) else device}
                    settings = self._order.settings.model_copy(update=own)
                    self._worker = Worker(self._order.make, settings, self._order.styles)
                return self._worker.describe(arithmetics)
            except Exception as error:
                return Failed(portable_error(error))

    def _check_sources(self) -> None:
        for place in self._order.seen:
            if isinstance(place, StorageUrl):
                try:
                    check_source(place)
                except SourceError as error:
                    raise SourceError(f"{error}, on {platform.node()}") from None
            elif not place.exists():
                alike = "all machines must see the videos and what stands behind people under the same paths"
                raise SourceError(f"{place}: is not there on {platform.node()}, {alike}")

    def paint(self, unit: Unit, apart: float) -> Iterator[Event]:
        """See `Worker.paint`."""
        assert self._worker is not None
        is_stopping = ray.get_runtime_context().is_canceled
        arguments = {"unit": unit, "apart": apart, "is_stopping": is_stopping}
        yield from steps(self._worker.paint, arguments, self._order.with_flags)

    def close(self) -> None:
        """Release what is not memory."""
        if self._worker is not None:
            self._worker.close()


class _Slot:
    """A place, and the process that is there now.

    Attributes:
        facts: what the process said of itself, once it was ready.
        said: what it will say.
        may_wait: whether it has no room until others end.
    """

    def __init__(self, order: _Order, *, may_wait: bool) -> None:
        self._order, self.may_wait = order, may_wait
        self.place = order.place
        self.starts = 0
        self.asked: tuple[str, ...] = ()

    def start(self, arithmetics: Iterable[str]) -> None:
        """Have a new process, which is not ready yet."""
        self.facts: WorkerFacts | None = None
        self.starts += 1
        spec = self.place.spec
        how = {"num_cpus": spec.num_cpus, "num_gpus": spec.num_gpus, "max_restarts": 0}
        on_node = OnNode(self.place.machine.node, soft=False)
        self.actor: Any = (
            ray.remote(_WorkerProcess).options(**how, scheduling_strategy=on_node).remote(self._order)
        )
        self.ask(arithmetics)

    def ask(self, arithmetics: Iterable[str]) -> None:
        """Have it say what it is."""
        self.asked = tuple(arithmetics)
        self.said = self.actor.describe.remote(self.asked)

    def end(self) -> None:
        """End the process at once."""
        with suppress(exceptions.RayError):
            ray.kill(self.actor)


@dataclass(eq=False, slots=True)
class _Painting:
    """A unit that a worker has, and what comes of it."""

    results: Any
    worker: _Slot

    @property
    def node(self) -> str:
        """Where that is."""
        return self.worker.place.machine.node


_RayWork: TypeAlias = _Painting | HelpersWork


class RayCrew(Closeable):
    """See `Crew`. To be made and used while this program is part of a cluster, see `ray_session`.

    Workers whose process dies get a new one; those of a machine that is gone go; a new machine gets some.

    Args:
        make: opens a stylizer, in another process, so it must be one that `pickle` takes.
        settings: what it is opened with, but for the device.
        specs: the workers; None for as many of one kind as the cluster has room for.
        arithmetics: of earlier runs, which may be wanted again.
        seen: what workers must see: folders, and videos on storage, of which some may be missing.

    Raises:
        SourceError: a machine does not see a folder, or may not read a video.
        StylizeError: the stylizer cannot be opened.
        UsageError: machines differ in what they would paint.
        MachineError: there is no room for a worker, or none gets ready.
    """

    def __init__(
        self,
        make: OpenStylizer,
        settings: ConvertSettings,
        specs: Sequence[WorkerSpec] | None = None,
        *,
        arithmetics: Iterable[str] = (),
        seen: Iterable[Path | StorageUrl] = (),
    ) -> None:
        background = background_file(settings)
        self._seen = (*seen, *(() if background is None else (background,)))
        self._make, self._settings, self._arithmetics = make, settings_elsewhere(settings), tuple(arithmetics)
        self._styles = own_style_files(settings)
        machines = _find_machines()
        self._kind = specs if specs is not None else choose_spec(machines, settings)
        self._here = ray.get_runtime_context().get_node_id()
        self._workers: dict[int, _Slot] = {}
        self._helpers = Helpers(self._here)
        self._count = 0
        self._facts: WorkerFacts | None = None
        self._trouble = ""  # of the worker that went last
        self._looked_at = self._ready_at = monotonic()
        self._nodes = {machine.node for machine in machines}
        if self._kind is not None:
            self._add_workers(machines, self._kind)
        if not self._workers:
            raise MachineError("this cluster has no room for a worker: its machines have no cores for work")
        first = next(iter(self._workers.values()))
        try:
            self._helpers.warm_up({self._here, first.place.machine.node})
            self._wait_until_ready()
        except BaseException:
            self.close()
            raise

    def _add_workers(self, machines: Iterable[Machine], kind: Sequence[WorkerSpec] | WorkerSpec) -> None:
        machines = list(machines)
        taken = [worker.place for worker in self._workers.values()]
        now, later = place_beside_others(_find_idle(machines), kind, taken)
        if later:
            # What has just ended may still be counted.
            until = monotonic() + _SECONDS_TO_BE_COUNTED
            while later and monotonic() < until:
                time.sleep(_SECONDS_TO_BE_COUNTED / 10)
                now, later = place_beside_others(_find_idle(machines), kind, taken)
        if later:
            log.warning(_say_busy(len(now), len(later)))
        places = [*now, *later]
        for name, count in count_idle_gpus(machines, [*taken, *places]).items():
            log.warning("%s: %d of its GPUs are not used: each worker needs a core", name, count)
        if not isinstance(kind, WorkerSpec):
            for spec in find_unplaced(kind, places):
                log.warning("%s is not used: no cores are left for its worker", spec.device)
        for place in places:
            order = _Order(
                self._make,
                self._settings,
                self._styles,
                place,
                self._seen,
                os.environ.get(_THREADS),
                are_flags(),
            )
            worker = self._workers[self._count] = _Slot(order, may_wait=place in later)
            self._count += 1
            worker.start(self._arithmetics)

    def _wait_until_ready(self) -> None:
        """All workers of the beginning are compared before any work begins, but those without room yet."""
        said_at, ready = monotonic(), 0
        while starting := self._find_awaited():
            ray.wait(starting, num_returns=1, timeout=1.0)
            self._welcome(strict=True)
            if len(self.find_workers()) != ready:
                said_at, ready = monotonic(), len(self.find_workers())
            if monotonic() - said_at > _SECONDS_BETWEEN_NEWS:
                said_at = monotonic()
                self._say_waiting(ready)
        if not self._workers:
            raise MachineError(f"no worker of this cluster could start: {self._trouble}")

    def _find_awaited(self) -> list[Any]:
        """What workers will say without which nothing begins: one at least must be ready."""
        starting = [worker for worker in self._workers.values() if worker.facts is None]
        if self.find_workers():
            starting = [worker for worker in starting if not worker.may_wait]
        return [worker.said for worker in starting]

    def _say_waiting(self, ready: int) -> None:
        """Nobody has become ready for long; others may have been quicker to take what was free."""
        starting = [worker for worker in self._workers.values() if worker.facts is None]
        if ready:
            log.warning("this cluster is busy: %d workers begin, %d have no room yet", ready, len(starting))
            for worker in starting:
                worker.may_wait = True
        else:
            log.warning("still waiting for room on this cluster: ray status shows who uses it")

    def _welcome(self, *, strict: bool = False) -> None:
        """Take those that have become ready; others differ, or fail: then they are left out, or all fails."""
        for number, worker in list(self._workers.items()):
            if worker.facts is not None or not ray.wait([worker.said], timeout=0)[0]:
                continue
            try:
                said = ray.get(worker.said)
            except exceptions.RayError as error:
                self._lose(number, worker, _reason(error))
                continue
            trouble = said.error if isinstance(said, Failed) else self._compare(worker, said)
            if trouble is not None:
                self._dismiss(number)
                if strict:
                    raise trouble
                log.warning("a worker is left out: %s", trouble)

    def _compare(self, worker: _Slot, said: WorkerFacts) -> Exception | None:
        """What keeps a worker from painting with the others, if anything does."""
        if self._facts is None:
            self._facts = said
            self._arithmetics = tuple(said.fingerprints)
        if self._facts.arithmetic not in (*worker.asked, said.arithmetic):
            worker.ask(self._arithmetics)
            return None
        difference = explain_difference(self._facts, said)
        if difference is not None:
            return UsageError(difference)
        worker.facts, worker.starts = said, 0
        return None

    @property
    def facts(self) -> WorkerFacts:
        """See `Crew.facts`."""
        assert self._facts is not None
        return self._facts

    @property
    def machines(self) -> int:
        """See `Crew.machines`."""
        ready = [worker for worker in self._workers.values() if worker.facts is not None]
        return len({worker.place.machine.node for worker in ready})

    @property
    def size(self) -> int:
        """See `Crew.size`."""
        return len(self._workers)

    def find_workers(self) -> Sequence[int]:
        """See `Crew.find_workers`."""
        return [number for number, worker in self._workers.items() if worker.facts is not None]

    def paint(self, worker: int, unit: Unit) -> _Painting:
        """See `Crew.paint`."""
        one = self._workers[worker]
        paint = one.actor.paint.options(num_returns="streaming", _generator_backpressure_num_objects=AHEAD)
        # So that all together say something as often as one would.
        apart = min(_MOST_APART, _SECONDS_BETWEEN_WORDS * (self.size - 0.5))
        return _Painting(paint.remote(unit, apart), one)

    def start(
        self, function: Callable[..., Iterator[Any]], *, here: bool = False, **arguments: Any
    ) -> HelpersWork:
        """See `Crew.start`; where workers are, so that machines with a GPU decode for those with one."""
        work = self._helpers.start(function, arguments, here=here)
        self._hand_out()
        return work

    def _hand_out(self) -> None:
        ready = [worker for worker in self._workers.values() if worker.facts is not None]
        self._helpers.hand_out({worker.place.machine.node for worker in ready})

    def next_events(self, works: Sequence[_RayWork], seconds: float) -> list[tuple[_RayWork, Event]]:
        """See `Crew.next_events`. Raises `MachineError` if there has been no worker for minutes."""
        self._look_around()
        self._hand_out()
        by_results = {work.results: work for work in works if work.results is not None}
        starting = [worker.said for worker in self._workers.values() if worker.facts is None]
        awaited = [*by_results, *starting]
        if not awaited:
            time.sleep(seconds)  # until machines come, or patience ends
            return []
        ray.wait(awaited, num_returns=1, timeout=seconds, fetch_local=False)
        self._welcome()
        if not by_results:
            return []
        ready, _ = ray.wait(list(by_results), num_returns=len(by_results), timeout=0, fetch_local=False)
        return [(work := by_results[results], self._event(work)) for results in ready]

    def _event(self, work: _RayWork) -> Event:
        event = self._next(work)
        if isinstance(work, HelpersWork):
            if isinstance(event, Ended) or (isinstance(event, Failed) and _is_of_the_file(event.error)):
                self._helpers.release(work)
            elif isinstance(event, Failed | Lost):
                self._helpers.drop(work)
        elif isinstance(event, Lost):
            self._mourn(work)
        return event

    def _next(self, work: _RayWork) -> Event:
        try:
            return ray.get(next(work.results))
        except StopIteration:
            return Ended()
        except exceptions.RayTaskError as error:  # not the work's own, which comes as `Failed`
            return Failed(portable_error(MachineError(_reason(error))))
        except exceptions.RayError as error:
            alive = work.node in {machine.node for machine in _find_machines()}
            return Lost(_reason(error), blame=alive and _may_blame_work(error))

    def _mourn(self, work: _Painting) -> None:
        for number, worker in list(self._workers.items()):
            if worker is work.worker and worker.facts is not None:
                self._lose(number, worker, "it ended while it painted")

    def _lose(self, number: int, worker: _Slot, why: str) -> None:
        """A worker's process is gone: another one takes its place, unless its machine is gone, too."""
        worker.end()
        alive = worker.place.machine.node in {machine.node for machine in _find_machines()}
        if alive and worker.starts < _MOST_STARTS:
            worker.start(self._arithmetics)
            return
        del self._workers[number]
        self._trouble = f"{worker.place.machine.name}: {why}"
        log.warning("a worker is gone: %s", self._trouble)

    def _dismiss(self, number: int) -> None:
        self._workers.pop(number).end()

    def replace(self, worker: int) -> None:
        """See `Crew.replace`."""
        if worker in self._workers:
            self._lose(worker, self._workers[worker], "it was not well")

    def _look_around(self) -> None:
        """Now and then: use machines that have come, and give up where there are none."""
        now = monotonic()
        if self.find_workers():
            self._ready_at = now
        if now - self._ready_at > _PATIENCE:
            raise MachineError(
                "no machine of this cluster can paint any more; the same command goes on later"
            )
        if now - self._looked_at < _SECONDS_BETWEEN_LOOKS:
            return
        self._looked_at = now
        machines = _find_machines()
        new = [machine for machine in machines if machine.node not in self._nodes]
        self._nodes |= {machine.node for machine in new}
        if new and isinstance(self._kind, WorkerSpec):
            self._add_workers(new, self._kind)

    def cancel(self, work: _RayWork) -> None:
        """See `Crew.cancel`."""
        if isinstance(work, HelpersWork):
            self._helpers.drop(work)
            return
        with suppress(exceptions.RayError, ValueError):
            ray.cancel(work.results)

    def close(self) -> None:
        """End all workers. May be called twice."""
        self._helpers.close()
        workers, self._workers = list(self._workers.values()), {}
        ready = [worker for worker in workers if worker.facts is not None]
        closing = [worker.actor.close.remote() for worker in ready]
        if closing:
            ray.wait(closing, num_returns=len(closing), timeout=_SECONDS_TO_END)
        for worker in workers:
            worker.end()


def _find_machines() -> list[Machine]:
    """Those that are alive."""
    found = []
    for node in list_nodes():
        if node["Alive"]:
            room = node["Resources"]
            cpus, gpus = int(room.get("CPU", 0)), int(room.get("GPU", 0))
            found.append(Machine(node["NodeID"], node["NodeManagerHostname"], cpus, gpus))
    return found


def _find_idle(machines: Iterable[Machine]) -> list[Machine]:
    """The same machines, with what others use of them now."""
    free = list_free()
    found = []
    for machine in machines:
        room = free.get(machine.node, {"CPU": machine.cpus, "GPU": machine.gpus})
        busy = machine.cpus - int(room.get("CPU", 0)), machine.gpus - int(room.get("GPU", 0))
        found.append(replace(machine, busy_cpus=busy[0], busy_gpus=busy[1]))
    return found


def _say_busy(now: int, later: int) -> str:
    if not now:
        return "this cluster is busy: waiting until others have ended (ray status shows who they are)"
    workers = "one worker has" if now == 1 else f"{now} workers have"
    return f"this cluster is busy: {workers} room, {later} more when others have ended"


def _is_of_the_file(error: Exception) -> bool:
    """Whether an error says nothing of the process that raised it."""
    return isinstance(error, SourceError | SinkError | UsageError)


def _may_blame_work(error: Exception) -> bool:
    """Whether a work may have ended its process: not where Ray blames the node, unless that lacks memory."""
    if isinstance(error, exceptions.OutOfMemoryError):
        return True
    return "node" not in str(error).split("class_name")[0]


def _reason(error: Exception) -> str:
    """What Ray says, in a line: where a worker raised an error, that, the last one; else the first."""
    lines = [line.strip() for line in _COLORS.sub("", str(error)).splitlines() if line.strip()]
    raised = isinstance(error, exceptions.RayTaskError) or "creation task" in str(error)
    return shorten(lines[-1 if raised else 0]) if lines else type(error).__name__
