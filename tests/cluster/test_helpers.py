"""Who opens, plans and joins on a Ray cluster: processes that stay, one work at a time each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

pytest.importorskip("ray")

from stylize_live.cluster import ray_helpers
from stylize_live.cluster.crew import Failed
from stylize_live.cluster.ray_helpers import Helpers, HelpersWork
from stylize_live.errors import SourceError

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


class Actor:
    """Stands for one that Ray would have made; notes what it is given."""

    def __init__(self, node: str) -> None:
        self.node, self.given, self.is_killed = node, list[str](), False

    @property
    def run(self) -> Actor:
        return self

    def options(self, **_: Any) -> Actor:
        return self

    def remote(self, function: Any, arguments: dict[str, Any], with_flags: bool) -> str:
        self.given.append(arguments["what"])
        return f"results of {arguments['what']}"


@pytest.fixture
def actors(monkeypatch: pytest.MonkeyPatch) -> list[Actor]:
    """Those that were made."""
    made: list[Actor] = []

    def make(node: str) -> Actor:
        made.append(Actor(node))
        return made[-1]

    monkeypatch.setattr(ray_helpers, "_make_actor", make)
    monkeypatch.setattr("ray.kill", lambda actor: setattr(actor, "is_killed", True))
    return made


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    clock = [100.0]
    monkeypatch.setattr(ray_helpers, "monotonic", lambda: clock[0])
    return clock


def nothing(what: str) -> Iterator[None]:
    yield None


def start(helpers: Helpers, what: str, *, here: bool = False, nodes: tuple[str, ...] = ("a",)) -> HelpersWork:
    work = helpers.start(nothing, {"what": what}, here=here)
    helpers.hand_out(nodes)
    return work


@pytest.mark.usefixtures("now")
def test_one_process_does_one_work_after_the_other(actors: list[Actor]) -> None:
    with Helpers("a") as helpers:
        helpers.warm_up(["a"])
        for what in "xyz":
            work = start(helpers, what)
            assert (work.results, work.node) == (f"results of {what}", "a")
            helpers.release(work)
        assert [actor.given for actor in actors] == [["x", "y", "z"]]
        assert not actors[0].is_killed
    assert actors[0].is_killed


def test_what_waits_too_long_gets_a_process_of_its_own(actors: list[Actor], now: list[float]) -> None:
    """A plan may keep its process for hours; an opened video frees it in no time."""
    with Helpers("a") as helpers:
        plan, short, other = (start(helpers, what) for what in ("plan", "short", "other"))
        assert (short.results, other.results) == (None, None)
        now[0] += 0.5
        helpers.hand_out(["a"])
        assert len(actors) == 1
        now[0] += 1
        helpers.hand_out(["a"])
        assert [actor.given for actor in actors] == [["plan"], ["short"], ["other"]]
        helpers.release(short)
        later = start(helpers, "later")
        assert actors[1].given == ["short", "later"]
        assert later.results
        assert plan.results


@pytest.mark.usefixtures("now")
def test_work_for_this_machine_stays_here(actors: list[Actor]) -> None:
    with Helpers("here") as helpers:
        start(helpers, "open", nodes=("there",))
        start(helpers, "join", here=True, nodes=("there",))
        start(helpers, "nobody is ready", nodes=())
        assert [(actor.node, actor.given) for actor in actors] == [("there", ["open"]), ("here", ["join"])]


@pytest.mark.usefixtures("now")
def test_a_process_that_is_not_trusted_is_not_used_again(actors: list[Actor]) -> None:
    with Helpers("a") as helpers:
        helpers.drop(start(helpers, "crashing"))
        start(helpers, "next")
        waiting = start(helpers, "cancelled")
        helpers.drop(waiting)
        helpers.hand_out(["a"])
        assert [actor.given for actor in actors] == [["crashing"], ["next"]]
        assert [actor.is_killed for actor in actors] == [True, False]


def test_an_error_is_the_last_that_is_said() -> None:
    def failing() -> Iterator[int]:
        yield 1
        raise SourceError("no video")

    first, last = ray_helpers.steps(failing, {}, False)
    assert first == 1
    assert isinstance(last, Failed)
    assert isinstance(last.error, SourceError)
