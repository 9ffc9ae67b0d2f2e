"""Many workers convert from and to an S3-compatible server; most in one process, see `in_process`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cluster_parts import SETTINGS, ShotSmoother, opens
from in_process import InProcessCrew, stop_after
from interrupted import StopError
from moto import settings as moto_settings
from object_storage import as_others_see_it
from ray_nodes import two_nodes

from stylize_live.cluster import video
from stylize_live.cluster.convert_all import convert_all
from stylize_live.cluster.crew import Event, Lost, WorkerSpec
from stylize_live.cluster.schedule import Scheduler, settle
from stylize_live.conversion import segments
from stylize_live.conversion.convert import convert
from stylize_live.conversion.plan import PlannedSegment
from stylize_live.conversion.progress import ConvertReport
from stylize_live.conversion.queue import ConversionJob, ConversionOutcome
from stylize_live.conversion.segment_store import count_kept_frames
from stylize_live.engine.cpu.features import cores
from stylize_live.errors import SinkError, SourceError, StylizeError
from stylize_live.storage import fetching
from stylize_live.storage.fetching import check_source
from stylize_live.storage.places import StorageUrl, place_of

pytestmark = pytest.mark.usefixtures("short_segments")


@pytest.fixture(autouse=True)
def short_units(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a few segments."""
    monkeypatch.setattr(video, "LEAST_FRAMES", 6)
    monkeypatch.setattr(video, "MOST_FRAMES", 16)


@pytest.fixture
def whole(source: str, tmp_path: Path) -> bytes:
    """What one machine makes of the local file."""
    convert(tmp_path / "in.mp4", tmp_path / "whole.mp4", ShotSmoother(), SETTINGS)
    return (tmp_path / "whole.mp4").read_bytes()


@pytest.fixture
def copies(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Those that were made of files on storage."""
    made: list[Path] = []
    real = fetching._fetch

    def fetch(url: StorageUrl, copy: Path, *rest: object) -> None:
        made.append(copy)
        real(url, copy, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(fetching, "_fetch", fetch)
    return made


def run(
    source: str, target: str, interfere: Callable[[str, Event], Event] = lambda what, event: event
) -> ConversionOutcome:
    job = ConversionJob(place_of(source), place_of(target))
    with InProcessCrew(opens(ShotSmoother), SETTINGS, 3, interfere=interfere) as crew:
        (outcome,) = Scheduler(crew, [job], SETTINGS).run()
        return outcome


def left_below(tmp_path: Path) -> list[Path]:
    return list((tmp_path / "cache" / "stylize-live" / "storage").glob("*/*"))


def test_workers_make_the_same_video(
    source: str, bucket: str, whole: bytes, copies: list[Path], tmp_path: Path
) -> None:
    outcome = run(source, f"{bucket}/painted/out.mp4")
    assert outcome.error is None
    assert as_others_see_it().cat_file(f"{bucket}/painted/out.mp4") == whole
    assert as_others_see_it().find(bucket) == ["library/films/in.mp4", "library/painted/out.mp4"]
    assert len(copies) == 1
    assert not left_below(tmp_path)


@pytest.mark.parametrize("from_storage", [True, False])
def test_one_end_may_be_a_path(
    source: str, bucket: str, whole: bytes, tmp_path: Path, from_storage: bool
) -> None:
    if from_storage:
        assert run(source, str(tmp_path / "out.mp4")).error is None
        made = (tmp_path / "out.mp4").read_bytes()
    else:
        assert run(str(tmp_path / "in.mp4"), f"{bucket}/out.mp4").error is None
        made = as_others_see_it().cat_file(f"{bucket}/out.mp4")
    assert made == whole
    assert not left_below(tmp_path)


@pytest.mark.parametrize("alone", [False, True])
def test_a_stopped_run_goes_on(source: str, bucket: str, whole: bytes, tmp_path: Path, alone: bool) -> None:
    """With a cluster or without one."""
    target = f"{bucket}/out.mp4"
    with pytest.raises(StopError):
        run(source, target, stop_after(4))
    kept = count_kept_frames(place_of(target))
    assert kept > 0
    assert not as_others_see_it().exists(target)
    if alone:
        report: ConvertReport | None = convert(source, target, ShotSmoother(), SETTINGS)
    else:
        report = run(source, target).report
    assert report is not None
    assert report.resumed >= kept
    assert as_others_see_it().cat_file(target) == whole
    assert not left_below(tmp_path)


def test_a_join_that_died_behind_its_upload(source: str, bucket: str, whole: bytes, tmp_path: Path) -> None:
    def interfere(said_by: str, event: Event) -> Event:
        return Lost("it was killed", blame=True) if isinstance(event, ConvertReport) else event

    outcome = run(source, f"{bucket}/out.mp4", interfere)
    assert outcome.status == "done"
    assert as_others_see_it().cat_file(f"{bucket}/out.mp4") == whole


def test_a_source_that_changes(source: str, bucket: str, tmp_path: Path) -> None:
    def interfere(said_by: str, event: Event) -> Event:
        if isinstance(event, PlannedSegment) and event.number == 2:
            as_others_see_it().pipe_file(source, (tmp_path / "in.mp4").read_bytes() + b"more")
        return event

    outcome = run(source, f"{bucket}/out.mp4", interfere)
    assert isinstance(outcome.error, SourceError)
    assert "s3://library/films/in.mp4: was changed" in str(outcome.error)
    assert not as_others_see_it().exists(f"{bucket}/out.mp4")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("missing.mp4", r"s3://library/missing\.mp4: no such file"),
        ("text.mp4", r"s3://library/text\.mp4: not a video but text"),
    ],
)
def test_sources_that_are_none(bucket: str, tmp_path: Path, name: str, message: str) -> None:
    as_others_see_it().pipe_file(f"{bucket}/text.mp4", b"Hello.\n")
    outcome = run(f"{bucket}/{name}", f"{bucket}/out.mp4")
    with pytest.raises(StylizeError, match=message):
        raise outcome.error or AssertionError("none")
    assert not left_below(tmp_path)


def test_buckets_that_are_not_there(source: str, bucket: str, copies: list[Path], tmp_path: Path) -> None:
    outcome = run(source, "s3://other-bucket/out.mp4")
    assert str(outcome.error) == "s3://other-bucket/out.mp4: no such bucket or folder"
    assert isinstance(outcome.error, SinkError)
    with pytest.raises(SourceError, match=r"s3://other-bucket/in\.mp4: no such bucket or folder"):
        check_source(StorageUrl("s3://other-bucket/in.mp4"))
    check_source(StorageUrl(f"{bucket}/missing.mp4"))
    assert not copies
    assert not left_below(tmp_path)


def test_rights_that_are_missing(source: str, bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moto_settings, "INITIAL_NO_AUTH_ACTION_COUNT", 0)
    with pytest.raises(SourceError, match=r"s3://library/films/in\.mp4: access denied"):
        check_source(StorageUrl(source))
    outcome = settle(ConversionJob(place_of(source), place_of(f"{bucket}/out.mp4")), overwrite=False)
    assert outcome is not None
    assert isinstance(outcome.error, SinkError)


@pytest.mark.slow
@pytest.mark.linux
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_with_rays_own_processes(
    source: str, bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whose segments are of the usual length, and who have as many cores as one machine."""
    pytest.importorskip("ray")
    monkeypatch.setattr(segments, "LEAST_FRAMES", 60)
    monkeypatch.setattr(segments, "MOST_FRAMES", 250)
    monkeypatch.chdir(tmp_path)
    convert("in.mp4", "whole.mp4", ShotSmoother(), SETTINGS)
    work, workers = Path("work"), [WorkerSpec("cpu", cores())] * 2
    jobs = [ConversionJob(place_of(source, work), place_of(f"{bucket}/out{n}.mp4", work)) for n in range(2)]
    lost = ConversionJob(place_of("s3://other-bucket/in.mp4"), place_of(f"{bucket}/lost.mp4"))
    with two_nodes() as cluster:
        how: dict[str, Any] = {"address": cluster.address, "make": opens(ShotSmoother)}
        with pytest.raises(SourceError, match="no such bucket or folder, on "):
            list(convert_all([lost], SETTINGS, workers, **how))
        outcomes = list(convert_all(jobs, SETTINGS, workers, **how))
    assert [outcome.error for outcome in outcomes] == [None, None]
    for job in jobs:
        assert as_others_see_it().cat_file(str(job.target)) == Path("whole.mp4").read_bytes()
    assert not list((tmp_path / "work").glob("*/*"))
