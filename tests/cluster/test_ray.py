"""The same with Ray's own processes: a cluster of two nodes on this machine, some of which are killed."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest
from cluster_parts import SETTINGS, KilledSmoother, ShotSmoother, SlowSmoother, opens
from interrupted import write_source
from ray_nodes import two_nodes
from waiting import eventually

import stylize_live
from stylize_live.cluster.convert_all import convert_all
from stylize_live.cluster.crew import WorkerSpec
from stylize_live.cluster.progress import ClusterProgress
from stylize_live.cluster.session import ray_session
from stylize_live.cluster.worker import open_stylizer
from stylize_live.config import ConvertSettings
from stylize_live.conversion.convert import convert
from stylize_live.conversion.progress import ConvertProgress
from stylize_live.conversion.queue import ConversionJob, ConversionOutcome
from stylize_live.conversion.segment_store import folder_of
from stylize_live.engine.cpu.features import cores
from stylize_live.errors import CrashError, SourceError, UsageError
from stylize_live.system.clock import monotonic

ray = pytest.importorskip("ray")
ray_crew = pytest.importorskip("stylize_live.cluster.ray_crew")

# Two of them are part of CI; the others, minutes, are for `python -m pytest -m slow tests/cluster`.
pytestmark = [pytest.mark.linux, pytest.mark.filterwarnings("ignore::ResourceWarning")]

# As many cores as one machine has: then the encoder splits its work as there, and every byte is the same.
WORKERS = [WorkerSpec("cpu", cores())] * 2


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """See `two_nodes`."""
    with two_nodes() as made:
        yield made


def run(cluster: Any, make: opens, *pairs: tuple[Path, Path], **options: Any) -> list[ConversionOutcome]:
    jobs = [ConversionJob(source, target) for source, target in pairs]
    return list(convert_all(jobs, SETTINGS, WORKERS, address=cluster.address, make=make, **options))


@pytest.fixture
def long_source(tmp_path: Path) -> Path:
    """A video of many units: cut after cut."""
    return write_long(tmp_path / "in.mp4")


def write_long(path: Path) -> Path:
    from clips import Video, numbered

    count = 600
    shots = (255 - numbered(i) if i // 70 % 2 else numbered(i) for i in range(count))
    return Video([1001 * i for i in range(count)], sound="aac", sound_seconds=20).write(path, shots)


@pytest.fixture
def whole(long_source: Path, tmp_path: Path) -> Path:
    convert(long_source, tmp_path / "whole.mp4", ShotSmoother(), SETTINGS)
    return tmp_path / "whole.mp4"


@pytest.mark.long
def test_a_cluster_makes_the_same_video(cluster: Any, long_source: Path, whole: Path, tmp_path: Path) -> None:
    bad, short = tmp_path / "bad.mp4", write_source(tmp_path / "short.mp4")
    bad.write_bytes(bytes(5000))
    convert(short, tmp_path / "whole-short.mp4", ShotSmoother(), SETTINGS)
    told: list[ClusterProgress] = []
    pairs = [(long_source, tmp_path / "a.mp4"), (bad, tmp_path / "b.mp4"), (short, tmp_path / "c.mp4")]
    outcomes = run(cluster, opens(ShotSmoother), *pairs, on_progress=told.append)
    found = {outcome.job.source: outcome for outcome in outcomes}
    assert isinstance(found[bad].error, SourceError)
    assert found[long_source].status == found[short].status == "done"
    assert (tmp_path / "a.mp4").read_bytes() == whole.read_bytes()
    assert (tmp_path / "c.mp4").read_bytes() == (tmp_path / "whole-short.mp4").read_bytes()
    assert told[-1].machines == told[-1].workers == 2
    assert not list(tmp_path.glob(".*"))
    assert [one.status for one in run(cluster, opens(ShotSmoother), pairs[0])] == ["skipped"]


def kill_once(path: Path) -> Callable[[ClusterProgress], None]:
    """Kills the process that the file names as soon as it does, once."""
    killed: list[int] = []

    def look(progress: ClusterProgress) -> None:
        if not killed and path.exists():
            killed.append(int(path.read_text()))
            os.kill(killed[0], signal.SIGKILL)

    return look


@pytest.mark.long
def test_a_killed_worker_is_replaced(cluster: Any, long_source: Path, whole: Path, tmp_path: Path) -> None:
    note = tmp_path / "pid"
    target = tmp_path / "out.mp4"
    make = opens(SlowSmoother, note=str(note))
    (outcome,) = run(cluster, make, (long_source, target), on_progress=kill_once(note))
    assert note.exists()
    assert outcome.error is None
    assert target.read_bytes() == whole.read_bytes()


@pytest.mark.slow
def test_a_video_that_kills_its_workers_fails(
    cluster: Any, long_source: Path, whole: Path, tmp_path: Path
) -> None:
    outcomes = run(
        cluster,
        opens(KilledSmoother),
        (write_source(tmp_path / "deadly.mp4"), tmp_path / "b.mp4"),
        (long_source, tmp_path / "a.mp4"),
    )
    found = {outcome.job.source.name: outcome for outcome in outcomes}
    assert isinstance(found["deadly.mp4"].error, CrashError)
    assert found["in.mp4"].status == "done"
    assert (tmp_path / "a.mp4").read_bytes() == whole.read_bytes()


@pytest.mark.slow
def test_a_lost_node_costs_time_only(cluster: Any, long_source: Path, whole: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.mp4"
    extra = cluster.add_node(num_cpus=cores())
    lost: list[int] = []

    def lose(progress: ClusterProgress) -> None:
        if progress.workers == 3 and progress.frames > 20 and not lost:
            lost.append(progress.frames)
            cluster.remove_node(extra, allow_graceful=False)

    jobs = [ConversionJob(long_source, target)]
    make = opens(SlowSmoother)
    specs = [WorkerSpec("cpu", cores())] * 3
    (outcome,) = convert_all(jobs, SETTINGS, specs, address=cluster.address, make=make, on_progress=lose)
    assert lost
    assert outcome.status == "done"
    assert target.read_bytes() == whole.read_bytes()


@pytest.mark.slow
def test_a_stopped_run_goes_on(
    cluster: Any, long_source: Path, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And leaves nothing at work; paths may count from the working folder."""
    target = tmp_path / "out.mp4"

    def stop(progress: ClusterProgress) -> None:
        if progress.segments >= 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(cluster, opens(SlowSmoother), (long_source, target), on_progress=stop)
    assert not ray.is_initialized()
    assert folder_of(target).is_dir()
    assert not target.exists()
    assert eventually(lambda: not _workers())
    monkeypatch.chdir(tmp_path)
    (outcome,) = run(cluster, opens(ShotSmoother), (Path("in.mp4"), Path("out.mp4")))
    assert outcome.job.target == Path("out.mp4")
    assert outcome.report is not None
    assert outcome.report.resumed >= 60
    assert outcome.report.frames == 600
    assert target.read_bytes() == whole.read_bytes()


def _workers() -> list[str]:
    names = [process.info["name"] or "" for process in psutil.process_iter(["name"])]
    return [name for name in names if "_WorkerProcess" in name or "_HelperProcess" in name]


@pytest.mark.slow
def test_programs_may_use_a_cluster(
    cluster: Any, long_source: Path, tiny_style: Path, tmp_path: Path
) -> None:
    """Also with a style of their own, which is sent along."""
    told: list[ConvertProgress] = []
    target = tmp_path / "out.mp4"
    options: dict[str, Any] = {"device": "cpu", "end": 4, "runtime": "torch"}
    report = stylize_live.convert(
        long_source, target, tiny_style, cluster=cluster.address, on_progress=told.append, **options
    )
    assert report.frames == told[-1].total
    assert target.exists()
    with pytest.raises(UsageError, match="already exists"):
        stylize_live.convert(long_source, target, tiny_style, cluster=cluster.address)
    with stylize_live.Stylizer(tiny_style, device="cpu") as stylizer, pytest.raises(TypeError):
        stylize_live.convert(long_source, target, stylizer, cluster=cluster.address, overwrite=True)


@pytest.mark.slow
def test_a_network_paints_as_on_one_machine(
    cluster: Any, long_source: Path, tiny_style: Path, tmp_path: Path
) -> None:
    """With smoothing, cuts and sound, by torch, whose roundings follow from its threads."""
    settings = ConvertSettings(style=str(tiny_style), device="cpu", runtime="torch", precision="float32")
    with open_stylizer(settings) as stylizer:
        convert(long_source, tmp_path / "alone.mp4", stylizer, settings)
    jobs = [ConversionJob(long_source, tmp_path / "out.mp4")]
    (outcome,) = convert_all(jobs, settings, WORKERS, address=cluster.address)
    assert outcome.error is None
    assert (tmp_path / "out.mp4").read_bytes() == (tmp_path / "alone.mp4").read_bytes()


@pytest.mark.slow
def test_a_busy_cluster_is_said_and_shared(cluster: Any, caplog: pytest.LogCaptureFixture) -> None:
    """Who comes second takes what is free, and the rest once the first has ended."""
    make = opens(ShotSmoother)
    with ray_session(cluster.address), ExitStack() as opened:
        first = opened.enter_context(ray_crew.RayCrew(make, SETTINGS, WORKERS[:1]))
        assert "busy" not in caplog.text
        second = opened.enter_context(ray_crew.RayCrew(make, SETTINGS, WORKERS))
        assert "this cluster is busy: one worker has room, 1 more when others have ended" in caplog.text
        assert (len(second.find_workers()), second.size) == (1, 2)
        first.close()
        assert eventually(lambda: not second.next_events([], 0.2) and len(second.find_workers()) == 2)
        with ThreadPoolExecutor(1) as thread:
            third = thread.submit(ray_crew.RayCrew, make, SETTINGS, WORKERS)
            assert eventually(lambda: "waiting until others have ended" in caplog.text)
            second.close()
            with third.result() as crew:
                assert crew.find_workers()


def test_workers_that_others_forestalled_do_not_keep_the_rest_waiting(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Two commands that begin at the same moment both see the same cores free."""
    clock = [0.0]
    monkeypatch.setattr(ray_crew, "monotonic", lambda: clock[0])
    monkeypatch.setattr(
        ray_crew, "ray", SimpleNamespace(wait=lambda *_, **__: clock.__setitem__(0, clock[0] + 1))
    )
    crew = object.__new__(ray_crew.RayCrew)
    ready, late = (SimpleNamespace(facts=facts, may_wait=False, said="") for facts in (None, None))
    crew._workers = {0: ready, 1: late}

    def welcome(*, strict: bool) -> None:
        if clock[0] > 100:
            ready.facts = "what it is"

    monkeypatch.setattr(crew, "_welcome", welcome)
    crew._wait_until_ready()
    assert 160 < clock[0] < 170
    assert [late.may_wait, ready.may_wait] == [True, False]
    assert [record.message for record in caplog.records] == [
        "still waiting for room on this cluster: ray status shows who uses it",
        "this cluster is busy: 1 workers begin, 1 have no room yet",
    ]


def test_what_a_work_is_blamed_for() -> None:
    """One that takes all memory of its node would else be tried again for ever."""
    errors = ray.exceptions
    assert ray_crew._may_blame_work(errors.WorkerCrashedError())
    assert ray_crew._may_blame_work(errors.ActorDiedError())
    assert ray_crew._may_blame_work(errors.OutOfMemoryError("killed due to the node running low on memory"))
    assert not ray_crew._may_blame_work(
        errors.NodeDiedError("the node which the task was running on is dead")
    )


def test_a_crew_without_workers_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """And does not ask again and again, for minutes."""
    waits: list[float] = []
    monkeypatch.setattr(ray_crew.time, "sleep", waits.append)
    crew = object.__new__(ray_crew.RayCrew)
    crew._workers, crew._looked_at, crew._ready_at = {}, monotonic(), monotonic()
    crew._helpers = ray_crew.Helpers("here")
    assert crew.next_events([], 0.2) == []
    assert waits == [0.2]


@pytest.mark.slow
def test_what_a_machine_does_not_see_is_said(cluster: Any, tmp_path: Path) -> None:
    lost = tmp_path / "lost" / "in.mp4"
    with pytest.raises(SourceError, match="must see the videos"):
        run(cluster, opens(ShotSmoother), (lost, tmp_path / "out.mp4"))


@pytest.mark.slow
def test_a_style_that_does_not_open_is_said(cluster: Any, long_source: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="on purpose"):
        run(cluster, opens(ShotSmoother, refuses=True), (long_source, tmp_path / "out.mp4"))
