"""Many workers make what one machine makes, whatever becomes of them; here, in one process."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from cluster_parts import FREE, SETTINGS, FailingSmoother, ShotSmoother, opens
from in_process import InProcessCrew, stop_after
from interrupted import FRAMES, StopError, write_source

from stylize_live.cluster import schedule, video
from stylize_live.cluster.crew import Ended, Event, Failed, Lost
from stylize_live.cluster.progress import ClusterProgress
from stylize_live.cluster.schedule import Scheduler, settle
from stylize_live.config import ConvertSettings
from stylize_live.conversion import segments, unit
from stylize_live.conversion.convert import convert
from stylize_live.conversion.plan import PlannedSegment
from stylize_live.conversion.queue import ConversionJob, ConversionOutcome
from stylize_live.conversion.segment_store import SegmentStore, count_kept_frames, folder_of
from stylize_live.conversion.unit import PaintedSegment, SegmentPart, Unit
from stylize_live.errors import CrashError, MachineError, SinkError, SourceError, UsageError
from stylize_live.file_locks import hold_lock


@pytest.fixture(autouse=True)
def short_units(short_segments: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Units of a few segments, which have 5 to 11 frames."""
    monkeypatch.setattr(video, "LEAST_FRAMES", 6)
    monkeypatch.setattr(video, "MOST_FRAMES", 16)


@pytest.fixture
def whole(source: Path, tmp_path: Path) -> Path:
    """What one machine makes of it."""
    convert(source, tmp_path / "whole.mp4", ShotSmoother(), SETTINGS)
    return tmp_path / "whole.mp4"


def run(
    crew: InProcessCrew, *pairs: tuple[Path, Path], settings: ConvertSettings = SETTINGS, **options: object
) -> list[ConversionOutcome]:
    jobs = [ConversionJob(source, target) for source, target in pairs]
    with crew:
        return list(Scheduler(crew, jobs, settings, **options).run())  # type: ignore[arg-type]


def losing(what: str, kind: type, times: int, *, blame: bool = True) -> Callable[[str, Event], Event]:
    """Lose the process that would have said something of this kind, so many times."""
    left = Counter({what: times})

    def interfere(said_by: str, event: Event) -> Event:
        if said_by == what and isinstance(event, kind) and left[what]:
            left[what] -= 1
            return Lost("it was killed", blame)
        return event

    return interfere


@pytest.mark.parametrize("settings", [SETTINGS, FREE])
@pytest.mark.parametrize("newest_first", [False, True])
@pytest.mark.parametrize("workers", [1, 2, 5])
def test_workers_make_the_same_video(
    source: Path, whole: Path, tmp_path: Path, workers: int, newest_first: bool, settings: ConvertSettings
) -> None:
    target = tmp_path / "out.mp4"
    make = opens(ShotSmoother, memory=settings.steadiness > 0)
    convert(source, whole, make.stylizer(), settings, overwrite=True)
    crew = InProcessCrew(make, settings, workers, newest_first=newest_first)
    (outcome,) = run(crew, (source, target), settings=settings)
    assert outcome.error is None
    assert target.read_bytes() == whole.read_bytes()
    assert outcome.report is not None
    assert (outcome.status, outcome.report.frames, outcome.report.resumed) == ("done", FRAMES, 0)
    assert len(crew.units) == 1 if workers == 1 else len(crew.units) > 2
    assert ("plan_segments" in crew.started) == (workers > 1)  # it would be decoded twice, for nothing
    assert not list(tmp_path.glob(".*"))


def test_short_videos_are_divided_only_where_few_are_left(source: Path, whole: Path, tmp_path: Path) -> None:
    """Dividing takes a second decoding, which nobody gains by while each worker has videos to itself."""
    targets = [tmp_path / f"{number}.mp4" for number in range(8)]
    crew = InProcessCrew(opens(ShotSmoother), SETTINGS)
    outcomes = run(crew, *[(source, target) for target in targets])
    assert {outcome.status for outcome in outcomes} == {"done"}
    assert {target.read_bytes() for target in targets} == {whole.read_bytes()}
    units = Counter(one.target for one in crew.units)
    assert sorted(count > 1 for count in units.values()) == [False] * 4 + [True] * 4


def test_long_videos_are_divided(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the last of them could keep everybody waiting."""
    monkeypatch.setattr(schedule, "MOST_FRAMES", FRAMES - 1)
    crew = InProcessCrew(opens(ShotSmoother), SETTINGS)
    run(crew, *[(source, tmp_path / f"{number}.mp4") for number in range(6)])
    assert crew.started.count("plan_segments") == 6


@pytest.mark.parametrize("what", ["inspect_video", "plan_segments", "paint", "join_video"])
def test_what_a_lost_process_did_is_done_again(source: Path, whole: Path, tmp_path: Path, what: str) -> None:
    crew = InProcessCrew(opens(ShotSmoother), SETTINGS, interfere=losing(what, object, 2))
    (outcome,) = run(crew, (source, tmp_path / "out.mp4"))
    assert outcome.status == "done"
    assert (tmp_path / "out.mp4").read_bytes() == whole.read_bytes()


def test_a_join_that_died_between_its_last_two_steps(
    source: Path, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The video is in its place, and its segments are still there."""
    monkeypatch.setattr(SegmentStore, "_remove", lambda self: None)
    crew = InProcessCrew(opens(ShotSmoother), SETTINGS, interfere=losing("join_video", object, 1))
    (outcome,) = run(crew, (source, tmp_path / "out.mp4"))
    assert outcome.status == "done"
    assert (tmp_path / "out.mp4").read_bytes() == whole.read_bytes()
    assert not folder_of(tmp_path / "out.mp4").exists()


def test_a_plan_that_does_not_go_on_is_an_error(source: Path, tmp_path: Path) -> None:
    """Where another machine does not decode what the first one planned; nobody would wait for more."""
    events: list[Event] = []

    def interfere(said_by: str, event: Event) -> Event:
        if said_by != "plan_segments":
            return event
        events.append(event)
        return (
            event if len(events) < 3 else Lost("it was killed", blame=False) if len(events) == 3 else Ended()
        )

    crew = InProcessCrew(opens(ShotSmoother), SETTINGS, interfere=interfere)
    (outcome,) = run(crew, (source, tmp_path / "out.mp4"))
    assert isinstance(outcome.error, SourceError)
    assert "could not be read to its end" in str(outcome.error)


def test_a_worker_lost_in_mid_unit_costs_a_segment(source: Path, whole: Path, tmp_path: Path) -> None:
    """What it has handed over is not painted again."""
    taken = Counter[int]()

    def interfere(said_by: str, event: Event) -> Event:
        if isinstance(event, PaintedSegment):
            taken[event.number] += 1
            if event.number in (1, 4) and taken[event.number] == 1:
                return Lost("its node is gone", blame=False)
        return event

    crew = InProcessCrew(opens(ShotSmoother), SETTINGS, 1, interfere=interfere)
    (outcome,) = run(crew, (source, tmp_path / "out.mp4"))
    assert outcome.status == "done"
    assert (tmp_path / "out.mp4").read_bytes() == whole.read_bytes()
    assert {number for number, times in taken.items() if times > 1} == {1, 4}


def test_a_video_that_kills_its_workers_fails_and_others_go_on(
    source: Path, whole: Path, tmp_path: Path
) -> None:
    other = write_source(tmp_path / "other.mp4")
    bad = tmp_path / "bad.mp4"

    def interfere(said_by: str, event: Event) -> Event:
        is_bad = crew.units and crew.units[-1].target == bad
        return Lost("SIGSEGV", blame=True) if said_by == "paint" and is_bad else event

    crew = InProcessCrew(opens(ShotSmoother), SETTINGS, 1, interfere=interfere)
    outcomes = {
        outcome.job.target: outcome for outcome in run(crew, (other, bad), (source, tmp_path / "out.mp4"))
    }
    failed, done = outcomes[bad], outcomes[tmp_path / "out.mp4"]
    assert isinstance(failed.error, CrashError)
    assert "SIGSEGV" in str(failed.error)
    assert len([one for one in crew.units if one.target == bad]) == 3
    assert done.status == "done"
    assert (tmp_path / "out.mp4").read_bytes() == whole.read_bytes()
    assert not bad.exists()


@pytest.mark.parametrize("what", ["inspect_video", "plan_segments", "paint", "join_video"])
def test_lost_machines_are_not_held_against_a_video(source: Path, tmp_path: Path, what: str) -> None:
    crew = InProcessCrew(opens(ShotSmoother), SETTINGS, interfere=losing(what, object, 7, blame=False))
    (outcome,) = run(crew, (source, tmp_path / "out.mp4"))
    assert outcome.status == "done"


def test_a_bad_file_is_set_aside(source: Path, whole: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.mp4"
    bad.write_bytes(bytes(5000))
    crew = InProcessCrew(opens(ShotSmoother), SETTINGS)
    outcomes = run(crew, (bad, tmp_path / "no.mp4"), (source, tmp_path / "out.mp4"))
    found = {outcome.job.source: outcome for outcome in outcomes}
    assert isinstance(found[bad].error, SourceError)
    assert found[source].status == "done"
    assert (tmp_path / "out.mp4").read_bytes() == whole.read_bytes()
    assert crew.replaced == []


def test_a_workers_own_trouble_gets_it_replaced(source: Path, whole: Path, tmp_path: Path) -> None:
    left = [2]

    def interfere(said_by: str, event: Event) -> Event:
        if isinstance(event, PaintedSegment) and left[0]:
            left[0] -= 1
            return Failed(MachineError("no memory is left"))
        return event

    crew = InProcessCrew(opens(ShotSmoother), SETTINGS, interfere=interfere)
    (outcome,) = run(crew, (source, tmp_path / "out.mp4"))
    assert outcome.status == "done"
    assert len(crew.replaced) == 2


def test_trouble_that_stays_is_the_videos_error(source: Path, tmp_path: Path) -> None:
    def interfere(said_by: str, event: Event) -> Event:
        return Failed(MachineError("no memory is left")) if said_by == "paint" else event

    crew = InProcessCrew(opens(ShotSmoother), SETTINGS, 1, interfere=interfere)
    (outcome,) = run(crew, (source, tmp_path / "out.mp4"))
    assert str(outcome.error) == "no memory is left"
    assert not list(tmp_path.glob(".out*"))


@pytest.mark.parametrize("newest_first", [False, True])
def test_a_stopped_run_goes_on(source: Path, whole: Path, tmp_path: Path, newest_first: bool) -> None:
    """Also with segments that were finished before those in front of them."""
    target = tmp_path / "out.mp4"
    painted: list[int] = []

    def note(said_by: str, event: Event) -> Event:
        if isinstance(event, PaintedSegment):
            painted.append(event.number)
        return event

    for _ in range(3):
        crew = InProcessCrew(
            opens(ShotSmoother), SETTINGS, 3, newest_first=newest_first, interfere=stop_after(2)
        )
        with pytest.raises(StopError):
            run(crew, (source, target))
        assert not target.exists()
    last = InProcessCrew(opens(ShotSmoother), SETTINGS, 2, interfere=note)
    (outcome,) = run(last, (source, target))
    assert target.read_bytes() == whole.read_bytes()
    assert outcome.report is not None
    assert outcome.report.frames == FRAMES
    whole_count = len(list(segments.split_at_cuts(source, SETTINGS)))
    assert len(painted) == whole_count - 6
    assert 0 < outcome.report.resumed < FRAMES


def test_one_machine_goes_on_where_a_cluster_stopped(source: Path, whole: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.mp4"
    with pytest.raises(StopError):
        run(InProcessCrew(opens(ShotSmoother), SETTINGS, 3, interfere=stop_after(4)), (source, target))
    kept = count_kept_frames(target)
    report = convert(source, target, ShotSmoother(), SETTINGS)
    assert 0 < kept == report.resumed
    assert target.read_bytes() == whole.read_bytes()


def test_a_cluster_goes_on_where_one_machine_stopped(source: Path, whole: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.mp4"
    with pytest.raises(RuntimeError):
        convert(source, target, FailingSmoother(30), SETTINGS)
    kept = count_kept_frames(target)
    (outcome,) = run(InProcessCrew(opens(ShotSmoother), SETTINGS, 3), (source, target))
    assert outcome.report is not None
    assert 0 < kept == outcome.report.resumed
    assert target.read_bytes() == whole.read_bytes()


def test_a_closed_run_leaves_nothing_at_work(source: Path, tmp_path: Path) -> None:
    """Programs close it, or raise an error themselves, and their cluster stays up."""
    bad, target = tmp_path / "bad.mp4", tmp_path / "out.mp4"
    bad.write_bytes(bytes(5000))
    with InProcessCrew(opens(ShotSmoother), SETTINGS) as crew:
        jobs = [ConversionJob(bad, tmp_path / "no.mp4"), ConversionJob(source, target)]
        outcomes = Scheduler(crew, jobs, SETTINGS).run()
        assert next(outcomes).job.source == bad
        assert crew.cancelled == []
        outcomes.close()  # type: ignore[attr-defined]
        assert crew.cancelled
        (outcome,) = Scheduler(crew, jobs[1:], SETTINGS).run()
    assert outcome.status == "done"


def test_what_has_come_to_its_end_is_not_cancelled(source: Path, tmp_path: Path) -> None:
    """Its process goes on with other work."""
    crew = InProcessCrew(opens(ShotSmoother), SETTINGS)
    run(crew, *((source, tmp_path / f"{number}.mp4") for number in range(3)))
    assert crew.cancelled == []


@pytest.mark.parametrize("workers", [1, 3])
def test_large_segments_come_in_parts(
    source: Path, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, workers: int
) -> None:
    """Also one whose worker is lost in its middle."""
    monkeypatch.setattr(unit, "PORTION", 250)
    parts: list[int] = []

    def interfere(said_by: str, event: Event) -> Event:
        if isinstance(event, SegmentPart):
            assert len(event.packets) == 250
            parts.append(event.number)
            if parts.count(2) == 2:
                parts.append(2)
                return Lost("its node is gone", blame=False)
        return event

    crew = InProcessCrew(opens(ShotSmoother), SETTINGS, workers, interfere=interfere)
    (outcome,) = run(crew, (source, tmp_path / "out.mp4"))
    assert outcome.error is None
    assert len(parts) > len(set(parts)) > 2
    assert (tmp_path / "out.mp4").read_bytes() == whole.read_bytes()


def test_harmed_segments_are_painted_again(source: Path, whole: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.mp4"
    crew = InProcessCrew(opens(ShotSmoother), SETTINGS, 3, newest_first=True, interfere=stop_after(5))
    with pytest.raises(StopError):
        run(crew, (source, target))
    for file in folder_of(target).glob("*.packets"):
        file.write_bytes(b"harmed")
    (outcome,) = run(InProcessCrew(opens(ShotSmoother), SETTINGS), (source, target))
    assert outcome.status == "done"
    assert target.read_bytes() == whole.read_bytes()


def test_restart_begins_anew(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.mp4"
    with pytest.raises(StopError):
        run(InProcessCrew(opens(ShotSmoother), SETTINGS, interfere=stop_after(4)), (source, target))
    (outcome,) = run(InProcessCrew(opens(ShotSmoother), SETTINGS), (source, target), restart=True)
    assert outcome.report is not None
    assert outcome.report.resumed == 0


def test_a_short_video_is_not_planned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: Path) -> None:
    monkeypatch.setattr(video, "LEAST_FRAMES", FRAMES)
    crew = InProcessCrew(opens(ShotSmoother), SETTINGS, interfere=losing("paint", PaintedSegment, 1))
    (outcome,) = run(crew, (source, tmp_path / "out.mp4"))
    assert outcome.status == "done"
    assert crew.started == ["inspect_video", "join_video"]
    assert [one.until for one in crew.units] == [None, None]


def test_another_video_of_that_name_fails(source: Path, tmp_path: Path) -> None:
    def interfere(said_by: str, event: Event) -> Event:
        if isinstance(event, PlannedSegment) and event.number == 2:
            source.write_bytes(source.read_bytes() + b"more")
        return event

    crew = InProcessCrew(opens(ShotSmoother), SETTINGS, 2, interfere=interfere)
    (outcome,) = run(crew, (source, tmp_path / "out.mp4"))
    assert isinstance(outcome.error, SourceError)
    assert len(crew.replaced) == 3  # it may have been the worker's fault
    assert not (tmp_path / "out.mp4").exists()


def test_what_is_made_in_one_go_is_refused(source: Path, tmp_path: Path) -> None:
    targets = [tmp_path / "out.gif", tmp_path / "frames" / "%05d.png", Path("-")]
    crew = InProcessCrew(opens(ShotSmoother), SETTINGS)
    outcomes = run(crew, *((source, target) for target in targets))
    for outcome in outcomes:
        assert isinstance(outcome.error, UsageError)
        assert "in one go" in str(outcome.error)


def test_a_target_that_another_run_writes_is_left_alone(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.mp4"
    folder = folder_of(target)
    folder.mkdir()
    with (folder / "lock").open("ab") as file:
        assert hold_lock(file)
        (outcome,) = run(InProcessCrew(opens(ShotSmoother), SETTINGS), (source, target))
    assert isinstance(outcome.error, SinkError)


def test_progress_counts_all_frames_once(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schedule, "_SECONDS_BETWEEN_REPORTS", 0.0)
    told: list[ClusterProgress] = []
    run(InProcessCrew(opens(ShotSmoother), SETTINGS), (source, tmp_path / "out.mp4"), on_progress=told.append)
    frames = [progress.frames for progress in told]
    assert frames == sorted(frames)
    assert (frames[0], frames[-1]) == (0, FRAMES)
    assert told[-1].segments == len(list(segments.split_at_cuts(source, SETTINGS)))
    assert (told[-1].machines, told[-1].workers) == (1, 2)


def test_settled_jobs_need_no_cluster(source: Path, whole: Path) -> None:
    error = UsageError("two videos of one target")
    skipped = settle(ConversionJob(source, whole), overwrite=False)
    failed = settle(ConversionJob(source, whole, error), overwrite=True)
    assert skipped is not None
    assert skipped.status == "skipped"
    assert failed is not None
    assert failed.error is error
    assert settle(ConversionJob(source, whole), overwrite=True) is None


def test_units_are_small_only_where_workers_are_more_than_videos(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then all end at the same time; before, each would only cost its beginning."""
    monkeypatch.setattr(video, "MOST_FRAMES", FRAMES)
    wanted: list[tuple[int, int]] = []
    take = video.VideoRun.take

    def note(run: video.VideoRun, workers: int) -> list[Unit]:
        wanted.append((workers, run._frames_wanted(workers)))
        return take(run, workers)

    monkeypatch.setattr(video.VideoRun, "take", note)
    make = opens(ShotSmoother)
    run(InProcessCrew(make, SETTINGS, 4), *((source, tmp_path / f"{number}.mp4") for number in range(4)))
    first, last = wanted[0], wanted[-1]
    assert first[0] == 1
    assert last[0] > 1
    assert first[1] > last[1]
