"""What the scheduler needs of whoever runs its work: processes of a Ray cluster, or in tests this one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from stylize_live.cluster.worker import WorkerFacts
from stylize_live.conversion.unit import Unit


@dataclass(frozen=True, slots=True)
class WorkerSpec:
    """What one worker has to itself.

    Attributes:
        device: "cpu", "cuda", or one GPU of its machine by number, "cuda:1".
        num_cpus: cores.
        num_gpus: GPUs that Ray chooses, 0 or 1.
    """

    device: str = "cpu"
    num_cpus: int = 1
    num_gpus: int = 0


@dataclass(frozen=True, slots=True)
class Ended:
    """The work is done."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The work raised an error."""

    error: Exception


@dataclass(frozen=True, slots=True)
class Lost:
    """The process that did the work is gone.

    Attributes:
        why: how it ended, in words.
        blame: whether the work may be the reason; not if its whole machine is gone.
    """

    why: str
    blame: bool


Event: TypeAlias = Ended | Failed | Lost | Any  # or whatever the work yields
Work: TypeAlias = Any  # a crew's own, hashable


class Crew(Protocol):
    """Workers that paint, and places for all else.

    Work is a generator in another process. What it yields comes as events, in order, then one of `Ended`,
    `Failed` and `Lost`. Work that nobody asks for events of does not run far ahead.
    """

    @property
    def facts(self) -> WorkerFacts:
        """What all workers have in common."""

    @property
    def machines(self) -> int:
        """On how many machines they are."""

    @property
    def size(self) -> int:
        """How many workers there are, those included that are starting."""

    def find_workers(self) -> Sequence[int]:
        """Numbers of the workers that are ready; others may come and go."""

    def paint(self, worker: int, unit: Unit) -> Work:
        """Have a worker paint a unit, see `cluster.worker.Worker.paint`."""

    def start(self, function: Callable[..., Iterator[Any]], *, here: bool = False, **arguments: Any) -> Work:
        """Have a function called in a process that may crash.

        Args:
            function: a generator of a module.
            here: on this machine; else wherever workers are.
            arguments: of the function.
        """

    def next_events(self, works: Sequence[Work], seconds: float) -> list[tuple[Work, Event]]:
        """What comes of these works within some seconds; returns as soon as there is anything."""

    def replace(self, worker: int) -> None:
        """End a worker that is not well, and have another one in its place."""

    def cancel(self, work: Work) -> None:
        """No more events of this work are wanted."""
