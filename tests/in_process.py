"""A crew that works in this process, one step of one work at a time, always in the same order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from typing import Any

from interrupted import StopError

from stylize_live.cluster.crew import Ended, Event, Failed, Lost
from stylize_live.cluster.worker import OpenStylizer, Worker, WorkerFacts
from stylize_live.config import ConvertSettings
from stylize_live.conversion.progress import ConvertProgress
from stylize_live.conversion.unit import PaintedSegment, Unit


def stop_after(wanted: int) -> Callable[[str, Event], Event]:
    """Interferes: stops the run behind so many painted segments."""
    left = [wanted]

    def interfere(said_by: str, event: Event) -> Event:
        if isinstance(event, PaintedSegment):
            if not left[0]:
                raise StopError
            left[0] -= 1
        return event

    return interfere


class Work:
    """A generator that nobody has begun yet."""

    def __init__(self, what: str, steps: Iterator[Any]) -> None:
        self.what, self.steps, self.has_begun = what, steps, False


class InProcessCrew:
    """See `Crew`.

    Attributes:
        units: in the order in which they were handed out.
        started: names of the functions that were.
        replaced: workers that were not well.
        cancelled: what was under way and not wanted any more.

    Args:
        make: opens a stylizer, one for each worker.
        workers: how many.
        interfere: sees each event before it is told; what it returns is told instead.
        newest_first: whether the work that was begun last goes on first.
    """

    machines = 1

    def __init__(
        self,
        make: OpenStylizer,
        settings: ConvertSettings,
        workers: int = 2,
        *,
        interfere: Callable[[str, Event], Event] = lambda what, event: event,
        newest_first: bool = False,
    ) -> None:
        with ExitStack() as opened:
            self._workers = [opened.enter_context(Worker(make, settings, {})) for _ in range(workers)]
            self._opened = opened.pop_all()
        self.facts: WorkerFacts = self._workers[0].describe()
        self._interfere, self._newest_first = interfere, newest_first
        self.units: list[Unit] = []
        self.started: list[str] = []
        self.replaced: list[int] = []
        self.cancelled: list[str] = []
        self._turn = 0
        self._works: list[Work] = []

    @property
    def size(self) -> int:
        return len(self._workers)

    def find_workers(self) -> Sequence[int]:
        return range(len(self._workers))

    def paint(self, worker: int, unit: Unit) -> Work:
        self.units.append(unit)
        return self._note(Work("paint", self._workers[worker].paint(unit)))

    def start(self, function: Callable[..., Iterator[Any]], *, here: bool = False, **arguments: Any) -> Work:
        self.started.append(function.__name__)
        return self._note(Work(function.__name__, function(**arguments)))

    def _note(self, work: Work) -> Work:
        self._works.append(work)
        return work

    def next_events(self, works: Sequence[Work], seconds: float) -> list[tuple[Work, Event]]:
        if not works:
            return []
        self._turn += 1
        work = works[-1] if self._newest_first else works[self._turn % len(works)]
        event = self._interfere(work.what, _step(work))
        if isinstance(event, Lost | Failed):
            work.steps.close()  # type: ignore[attr-defined]
        return [(work, event)]

    def replace(self, worker: int) -> None:
        self.replaced.append(worker)

    def cancel(self, work: Work) -> None:
        self.cancelled.append(work.what)
        work.steps.close()  # type: ignore[attr-defined]

    def __enter__(self) -> InProcessCrew:
        return self

    def __exit__(self, *_: object) -> None:
        for work in self._works:
            work.steps.close()  # type: ignore[attr-defined]
        self._opened.close()


def _step(work: Work) -> Event:
    """The next event. Of progress, the first alone is told: how often it comes is a matter of time."""
    try:
        event = next(work.steps)
        while isinstance(event, ConvertProgress) and work.has_begun:
            event = next(work.steps)
        work.has_begun = True
        return event
    except StopIteration:
        return Ended()
    except Exception as error:
        return Failed(error)
