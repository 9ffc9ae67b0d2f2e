"""Conversions from and to an S3-compatible server."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from clips import Video, numbered
from interrupted import SETTINGS, StopError, StoppingInverter
from moto import settings as moto_settings
from object_storage import ObjectServer, as_others_see_it
from waiting import eventually

from stylize_live.cli.app import main
from stylize_live.conversion.convert import convert
from stylize_live.conversion.progress import ConvertProgress
from stylize_live.conversion.queue import ConversionJob, convert_all, plan_jobs
from stylize_live.conversion.segment_store import SegmentStore, count_kept_frames
from stylize_live.errors import SinkError, SourceError, UsageError
from stylize_live.storage import fetching
from stylize_live.storage.places import StorageUrl, local_path, place_of
from stylize_live.storage.remote import exists
from stylize_live.storage.uploading import upload


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 1000 bytes, for files of some ten thousand."""
    monkeypatch.setattr(fetching, "_BLOCK", 1000)


def inverted(source: str, target: str, stop_at: int | None = None, **options: object) -> StoppingInverter:
    stylizer = StoppingInverter(stop_at)
    convert(source, target, stylizer, SETTINGS, **options)  # type: ignore[arg-type]
    return stylizer


def local_result(tmp_path: Path) -> bytes:
    inverted(str(tmp_path / "in.mp4"), str(tmp_path / "local.mp4"))
    return (tmp_path / "local.mp4").read_bytes()


def files_below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_what_is_made_of_urls_is_the_same(source: str, bucket: str, tmp_path: Path) -> None:
    inverted(source, f"{bucket}/painted/out.mp4")
    assert as_others_see_it().cat_file(f"{bucket}/painted/out.mp4") == local_result(tmp_path)
    assert as_others_see_it().find(bucket) == ["library/films/in.mp4", "library/painted/out.mp4"]
    assert not files_below(tmp_path / "cache" / "stylize-live" / "storage")


@pytest.mark.parametrize("from_storage", [True, False])
def test_one_end_may_be_a_path(source: str, bucket: str, tmp_path: Path, from_storage: bool) -> None:
    if from_storage:
        inverted(source, str(tmp_path / "out.mp4"))
        made = (tmp_path / "out.mp4").read_bytes()
    else:
        inverted(str(tmp_path / "in.mp4"), f"{bucket}/out.mp4")
        made = as_others_see_it().cat_file(f"{bucket}/out.mp4")
    assert made == local_result(tmp_path)


@pytest.mark.parametrize("suffix", [".gif", ".webp"])
def test_what_is_made_in_one_go(source: str, bucket: str, tmp_path: Path, suffix: str) -> None:
    inverted(source, f"{bucket}/out{suffix}")
    inverted(str(tmp_path / "in.mp4"), str(tmp_path / f"local{suffix}"))
    assert as_others_see_it().cat_file(f"{bucket}/out{suffix}") == (tmp_path / f"local{suffix}").read_bytes()
    assert not files_below(tmp_path / "cache" / "stylize-live" / "storage")


def test_a_target_that_exists(source: str, bucket: str, tmp_path: Path) -> None:
    target = f"{bucket}/out.mp4"
    as_others_see_it().pipe_file(target, b"old")
    with pytest.raises(UsageError, match=r"s3://library/out\.mp4: already exists"):
        inverted(source, target)
    with pytest.raises(UsageError, match="is the source itself"):
        inverted(source, source)
    assert as_others_see_it().cat_file(target) == b"old"
    inverted(source, target, overwrite=True)
    assert as_others_see_it().cat_file(target) == local_result(tmp_path)


@pytest.mark.usefixtures("short_segments")
def test_an_interrupted_run_goes_on(source: str, bucket: str, tmp_path: Path) -> None:
    target = f"{bucket}/out.mp4"
    with pytest.raises(StopError):
        inverted(source, target, stop_at=40)
    kept = count_kept_frames(place_of(target))
    assert kept > 20
    assert not as_others_see_it().exists(target)
    assert min(inverted(source, target).painted) == kept
    assert as_others_see_it().cat_file(target) == local_result(tmp_path)


@pytest.mark.usefixtures("short_segments")
def test_what_cannot_be_put_in_place_is_kept(source: str, tmp_path: Path) -> None:
    target = "s3://other-bucket/out.mp4"
    as_others_see_it().mkdir("other-bucket")

    def remove_bucket(progress: ConvertProgress) -> None:
        if progress.fetched == 0:
            as_others_see_it().rmdir("other-bucket")

    with pytest.raises(SinkError, match=r"s3://other-bucket/out\.mp4: no such bucket or folder"):
        inverted(source, target, on_progress=remove_bucket)
    assert count_kept_frames(place_of(target)) == 64
    as_others_see_it().mkdir("other-bucket")
    assert not inverted(source, target).painted
    assert as_others_see_it().cat_file(target) == local_result(tmp_path)


def test_a_run_that_died_behind_its_upload(
    source: str, bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = place_of(f"{bucket}/out.mp4")
    with monkeypatch.context() as patched:
        patched.setattr(SegmentStore, "_remove", lambda self: None)
        inverted(source, target.text)
    assert count_kept_frames(target) == 64
    (outcome,) = convert_all([ConversionJob(place_of(source), target)], StoppingInverter(), SETTINGS)
    assert outcome.status == "skipped"
    assert not files_below(tmp_path / "cache" / "stylize-live" / "storage")


def test_a_bucket_that_is_not_there(source: str) -> None:
    with pytest.raises(SinkError, match=r"s3://other-bucket/out\.mp4: no such bucket or folder"):
        inverted(source, "s3://other-bucket/out.mp4", on_progress=lambda _: pytest.fail("began"))


def test_a_work_folder(source: str, bucket: str, tmp_path: Path) -> None:
    seen: list[Path] = []
    work = tmp_path / "work"
    inverted(
        source, f"{bucket}/out.mp4", work_folder=work, on_progress=lambda _: seen.extend(files_below(work))
    )
    assert {path.name for path in seen} >= {"in.mp4.part", "in.mp4", "journal"}
    assert not files_below(work)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("missing.mp4", "s3://library/missing.mp4: no such file"),
        ("films", "s3://library/films: is a folder"),
        ("empty.mp4", "s3://library/empty.mp4: the file is empty"),
        ("text.mp4", "s3://library/text.mp4: not a video but text"),
        ("frames/%05d.png", "numbered images are for disks"),
    ],
)
def test_sources_that_are_none(source: str, bucket: str, tmp_path: Path, name: str, message: str) -> None:
    as_others_see_it().pipe({f"{bucket}/empty.mp4": b"", f"{bucket}/text.mp4": b"Hello.\n"})
    with pytest.raises((SourceError, UsageError), match=message):
        inverted(f"{bucket}/{name}", str(tmp_path / "out.mp4"))
    assert not files_below(tmp_path / "cache" / "stylize-live" / "storage")


def test_wrong_credentials(source: str, bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moto_settings, "INITIAL_NO_AUTH_ACTION_COUNT", 0)
    with pytest.raises(SourceError, match=r"s3://library/films/in\.mp4: access denied") as caught:
        inverted(source, str(tmp_path / "out.mp4"))
    assert "very-secret" not in str(caught.value)
    with pytest.raises(SinkError, match=r"s3://library/out\.mp4: access denied"):
        inverted(str(tmp_path / "in.mp4"), f"{bucket}/out.mp4")


def test_no_credentials(source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(SourceError, match="no credentials for this storage"):
        inverted(source, str(tmp_path / "out.mp4"))


@pytest.mark.usefixtures("small_blocks")
def test_a_server_that_goes_away(source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fetched: list[float] = []
    server = ObjectServer()
    monkeypatch.setenv("AWS_ENDPOINT_URL", server.address)
    target = tmp_path / "out.mp4"

    def stop(progress: ConvertProgress) -> None:
        assert progress.fetched is not None
        fetched.append(progress.fetched)
        if len(fetched) == 3:
            server.close()

    with pytest.raises(SourceError, match=r"s3://library/films/in\.mp4: the storage does not answer"):
        inverted(source, str(target), on_progress=stop)
    assert not target.exists()
    again = ObjectServer(server.port)
    try:
        later: list[float | None] = []
        inverted(source, str(target), on_progress=lambda progress: later.append(progress.fetched))
    finally:
        again.close()
    assert later[0] == fetched[-1] > 0
    assert target.read_bytes() == local_result(tmp_path)


@pytest.mark.usefixtures("small_blocks")
def test_a_source_that_changes_while_it_is_read(source: str, tmp_path: Path) -> None:
    def change(progress: ConvertProgress) -> None:
        as_others_see_it().pipe_file(source, bytes(as_others_see_it().info(source)["size"]))

    with pytest.raises(SourceError, match="changed while it was read"):
        inverted(source, str(tmp_path / "out.mp4"), on_progress=change)
    assert not (tmp_path / "out.mp4").exists()


def test_a_prefix_of_several(source: str, bucket: str, tmp_path: Path) -> None:
    storage = as_others_see_it()
    storage.put_file(str(tmp_path / "in.mp4"), f"{bucket}/films/deep/er/second.mov")
    storage.pipe({f"{bucket}/films/note.txt": b"no", f"{bucket}/films/.hidden/a.mp4": b"no"})
    storage.pipe_file(f"{bucket}/films/bad.mp4", b"not a video")
    jobs = plan_jobs([place_of(f"{bucket}/films/")], f"{bucket}/painted/", style="s")
    stylizer = StoppingInverter()
    outcomes = {str(o.job.target): o.status for o in convert_all(jobs, stylizer, SETTINGS)}
    assert outcomes == {
        f"{bucket}/painted/bad.mp4": "failed",
        f"{bucket}/painted/in.mp4": "done",
        f"{bucket}/painted/deep/er/second.mov": "done",
    }
    assert storage.cat_file(f"{bucket}/painted/in.mp4") == local_result(tmp_path)
    again = {str(o.job.target): o.status for o in convert_all(jobs, stylizer, SETTINGS)}
    assert sorted(again.values()) == ["failed", "skipped", "skipped"]


def test_patterns_and_results_among_sources(source: str, bucket: str, tmp_path: Path) -> None:
    films = place_of(f"{bucket}/films")
    (job,) = plan_jobs([films], f"{bucket}/{{folder}}/{{stem}}-{{style}}{{suffix}}", style="s")
    assert str(job.target) == f"{bucket}/in-s.mp4"
    as_others_see_it().pipe_file(f"{bucket}/films/painted/in.mp4", b"earlier")
    (job,) = plan_jobs([films], f"{bucket}/films/painted", style="s")
    assert str(job.source) == source
    (job,) = plan_jobs([films], str(tmp_path / "out"), style="s", exclude=["painted/*"])
    assert job.target == tmp_path / "out" / "in.mp4"


def test_the_command(
    source: str, bucket: str, tmp_path: Path, tiny_style: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["convert", f"{bucket}/films/i*.mp4", "-o", f"{bucket}/painted/", "--style", str(tiny_style)]
    command += ["--device", "cpu", "--work-folder", str(tmp_path / "work"), "--json"]
    assert main([*command, "--dry-run"]) == 0
    (planned,) = json.loads(capsys.readouterr().out)["files"]
    assert planned["bytes"] == (tmp_path / "in.mp4").stat().st_size
    assert main(command) == 0
    (done,) = json.loads(capsys.readouterr().out)["files"]
    assert (done["source"], done["target"]) == (source, f"{bucket}/painted/in.mp4")
    assert (done["status"], done["frames"]) == ("done", 64)
    assert as_others_see_it().exists(f"{bucket}/painted/in.mp4")


def test_colons_in_a_name(bucket: str, tmp_path: Path) -> None:
    url = StorageUrl(f"{bucket}/12::30.mp4")
    (tmp_path / "in.mp4").write_bytes(b"video")
    upload(tmp_path / "in.mp4", url)
    assert as_others_see_it().find(bucket) == ["library/12::30.mp4"]
    assert exists(url)


def test_a_dry_run_misses_the_bucket_too(
    source: str, tiny_style: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["convert", source, "s3://other-bucket/out.mp4", "--style", str(tiny_style), "--dry-run"]
    assert main([*command, "--device", "cpu"]) == SinkError.exit_code
    assert "s3://other-bucket/out.mp4: no such bucket or folder" in capsys.readouterr().out


@pytest.fixture
def long_source(bucket: str, tmp_path: Path) -> str:
    """The URL of a minute or so, which takes seconds to paint."""
    video = Video(tuple(1001 * i for i in range(1500)))
    as_others_see_it().put_file(
        str(video.write(tmp_path / "long.mp4", map(numbered, range(1500)))), f"{bucket}/long.mp4"
    )
    return f"{bucket}/long.mp4"


@pytest.mark.long
@pytest.mark.posix
def test_a_killed_process(long_source: str, bucket: str, tmp_path: Path, tiny_style: Path) -> None:
    target = f"{bucket}/out.mp4"
    program = [sys.executable, "-m", "stylize_live.cli.app", "convert"]
    rest = ["--style", str(tiny_style), "--device", "cpu"]
    process = subprocess.Popen([*program, long_source, target, *rest], stderr=subprocess.DEVNULL)
    assert eventually(lambda: count_kept_frames(place_of(target)) > 0, within=60)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    kept = count_kept_frames(place_of(target))
    again = subprocess.run(
        [*program, long_source, target, *rest, "--json"], capture_output=True, text=True, check=True
    )
    assert json.loads(again.stdout)["files"][0]["resumed"] == kept
    subprocess.run([*program, str(tmp_path / "long.mp4"), str(tmp_path / "local.mp4"), *rest], check=True)
    assert as_others_see_it().cat_file(target) == (tmp_path / "local.mp4").read_bytes()
    assert not files_below(tmp_path / "cache" / "stylize-live" / "storage")


def test_local_path_of_a_url_is_its_own() -> None:
    first, second = (StorageUrl(f"s3://bucket/{name}/out.mp4") for name in "ab")
    assert local_path(first) != local_path(second)
    assert local_path(first).name == "out.mp4"
