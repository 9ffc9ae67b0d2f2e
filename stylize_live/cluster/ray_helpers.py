"""Processes of a Ray cluster for all that opens videos beside painting, each kept for many of them.

A process of its own keeps what crashes away from who paints and who hands out work; that it stays saves the
two seconds of processor time in which a new one loads its libraries.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterator
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from typing import Any

# With what the work needs, so that it is loaded while nobody waits.
from stylize_live.cluster import tasks as _tasks  # noqa: F401
from stylize_live.cluster.crew import Event, Failed
from stylize_live.cluster.ray_library import OnNode, exceptions, ray
from stylize_live.conversion import plan as _plan  # noqa: F401
from stylize_live.conversion.worker_process import portable_error
from stylize_live.lifecycle import Closeable
from stylize_live.system.clock import monotonic
from stylize_live.wording import are_flags, options_as_flags

AHEAD = 16  # results that wait for the other process, of one work
_LONGEST_WAIT = 1.0  # seconds until work that waits for a process gets a new one


def steps(
    function: Callable[..., Iterator[Any]], arguments: dict[str, Any], with_flags: bool
) -> Iterator[Event]:
    """What a generator yields, and its error as the last of it: Ray would wrap that up."""
    with words(with_flags):
        try:
            yield from function(**arguments)
        except Exception as error:
            yield Failed(portable_error(error))


def words(with_flags: bool) -> Any:
    """How options are called meanwhile, see `options_as_flags`."""
    return options_as_flags() if with_flags else nullcontext()


class _HelperProcess:
    """What runs in a process of its own."""

    def run(
        self, function: Callable[..., Iterator[Any]], arguments: dict[str, Any], with_flags: bool
    ) -> Iterator[Event]:
        """See `steps`."""
        yield from steps(function, arguments, with_flags)


@dataclass(eq=False, slots=True)
class HelpersWork:
    """Work and what comes of it.

    Attributes:
        function, arguments: see `Crew.start`.
        here: whether it is for the machine of this process.
        results: of it; None until a process has it.
        node: of that process; "" until there is one.
        since: when it began to wait.
    """

    function: Callable[..., Iterator[Any]]
    arguments: dict[str, Any]
    here: bool
    results: Any = None
    node: str = ""
    since: float = 0.0


@dataclass(eq=False, slots=True)
class _Helper:
    node: str
    actor: Any
    work: HelpersWork | None = None


class Helpers(Closeable):
    """Hands work to processes that have none; one is added where work waits for more than a second.

    Work that is never asked for its events, such as a plan that is far ahead, keeps its process.

    Args:
        here: Ray's id of this machine.
    """

    def __init__(self, here: str) -> None:
        self._here = here
        self._helpers: list[_Helper] = []
        self._waiting: deque[HelpersWork] = deque()
        self._turn = 0

    def warm_up(self, nodes: Collection[str]) -> None:
        """Have a process on each of these machines, before there is work."""
        for node in nodes:
            self._add(node)

    def start(
        self, function: Callable[..., Iterator[Any]], arguments: dict[str, Any], *, here: bool
    ) -> HelpersWork:
        """Take work; `hand_out` begins with it."""
        work = HelpersWork(function, arguments, here, since=monotonic())
        self._waiting.append(work)
        return work

    def hand_out(self, nodes: Collection[str]) -> None:
        """Begin with what waits, as far as there are processes for it; to be called again and again.

        Args:
            nodes: machines for work that is not for this one; none means this one.
        """
        for work in list(self._waiting):
            fit = {self._here} if work.here or not nodes else set(nodes)
            there = [helper for helper in self._helpers if helper.node in fit]
            helper = next((helper for helper in there if helper.work is None), None)
            if helper is None and (not there or monotonic() - work.since > _LONGEST_WAIT):
                self._turn += 1
                helper = self._add(sorted(fit)[self._turn % len(fit)])
            if helper is not None:
                self._waiting.remove(work)
                self._give(helper, work)

    def _add(self, node: str) -> _Helper:
        helper = _Helper(node, _make_actor(node))
        self._helpers.append(helper)
        return helper

    def _give(self, helper: _Helper, work: HelpersWork) -> None:
        run = helper.actor.run.options(num_returns="streaming", _generator_backpressure_num_objects=AHEAD)
        helper.work, work.node = work, helper.node
        work.results = run.remote(work.function, work.arguments, are_flags())

    def release(self, work: HelpersWork) -> None:
        """The work has come to its end; its process takes more."""
        for helper in self._helpers:
            if helper.work is work:
                helper.work = None

    def drop(self, work: HelpersWork) -> None:
        """The work is not wanted any more, or its process is gone, or not to be trusted."""
        if work in self._waiting:
            self._waiting.remove(work)
        for helper in [helper for helper in self._helpers if helper.work is work]:
            self._helpers.remove(helper)
            _end(helper)

    def close(self) -> None:
        """End all processes. May be called twice."""
        helpers, self._helpers = self._helpers, []
        self._waiting.clear()
        for helper in helpers:
            _end(helper)


def _make_actor(node: str) -> Any:
    how = {"num_cpus": 0, "max_restarts": 0, "scheduling_strategy": OnNode(node, soft=False)}
    return ray.remote(_HelperProcess).options(**how).remote()


def _end(helper: _Helper) -> None:
    with suppress(exceptions.RayError):
        ray.kill(helper.actor)
