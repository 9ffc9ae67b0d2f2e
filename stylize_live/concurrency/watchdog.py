"""Notices work that does not come back: a driver, a disk or a library that hangs raises nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from stylize_live.concurrency.stopwatch import Stopwatch
from stylize_live.system.clock import monotonic

# Looks are some tens of milliseconds apart. Where more lies between two, nobody looked: the process was
# stopped, the machine slept, a window was dragged. Only so much of it counts.
_MOST_BETWEEN_LOOKS = 1.0


@dataclass(frozen=True, slots=True)
class Patience:
    """How long one frame may take in one stage, in seconds.

    Attributes:
        note: until a warning says that the stage does not answer.
        end: until it is given up.
    """

    note: float
    end: float


@dataclass(frozen=True, slots=True)
class Stall:
    """A stage that does not come back.

    Attributes:
        stage: its name.
        seconds: since it began with what it works on.
        is_new: whether it is reported for the first time.
    """

    stage: str
    seconds: float
    is_new: bool

    def __str__(self) -> str:
        return f"{self.stage} has not answered for {self.seconds:.3g} seconds"


def _never() -> bool:
    return False


class Watchdog:
    """Looks at work that others do. One thread at a time may use it.

    Args:
        clock: monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._last = clock()
        self._watched: dict[str, _Watched] = {}

    def watch(
        self, stage: str, work: Stopwatch, *, noted: bool = True, excused: Callable[[], bool] = _never
    ) -> None:
        """Look at this work, too.

        Args:
            stage: its name.
            work: when it begins and ends with something.
            noted: whether it is reported already after `Patience.note`.
            excused: whether it may take as long as it likes at the moment.
        """
        self._watched[stage] = _Watched(work, noted, excused)

    def stalls(self, patience: Patience) -> Iterator[Stall]:
        """The stages that have worked on one item for longer than `patience` allows. To be called often."""
        now = self._clock()
        passed, self._last = min(max(0.0, now - self._last), _MOST_BETWEEN_LOOKS), now
        for stage, watched in self._watched.items():
            seconds = watched.look(passed)
            if seconds > (patience.note if watched.noted else patience.end) and not watched.excused():
                told, watched.told = watched.told, True
                yield Stall(stage, seconds, not told)


@dataclass(slots=True)
class _Watched:
    work: Stopwatch
    noted: bool
    excused: Callable[[], bool]
    turn: int = -1
    seconds: float = 0.0
    told: bool = False

    def look(self, passed: float) -> float:
        """Seconds in the same turn, counted from the look that first saw it."""
        turn = self.work.turn
        same = turn is not None and turn == self.turn
        self.seconds = self.seconds + passed if same else 0.0
        self.told &= same
        self.turn = -1 if turn is None else turn
        return self.seconds
