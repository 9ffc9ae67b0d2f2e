"""Many videos: which go where, what is skipped, what happens behind a bad one, what is said at the end."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import pytest
from clips import CFR, Video, content, numbered
from interrupted import StoppingInverter
from waiting import StandingClock

from stylize_live.cli.app import main
from stylize_live.cli.convert_output import say_total
from stylize_live.config import ConvertSettings
from stylize_live.conversion import dry_run, segments
from stylize_live.conversion.dry_run import painting_speed
from stylize_live.conversion.queue import ConversionJob, ConversionOutcome, convert_all, exit_code, plan_jobs
from stylize_live.conversion.segment_store import count_kept_frames, folder_of
from stylize_live.errors import EXIT_INTERRUPTED, EXIT_PARTIAL, SinkError, UsageError
from stylize_live.frame import Frame
from stylize_live.media.decode.reader import VideoReader

SETTINGS = ConvertSettings(preset="ultrafast")


@pytest.fixture
def videos(tmp_path: Path) -> Path:
    """A folder of names; only names matter to `plan_jobs`."""
    for name in ("b.mp4", "a.MKV", "note.txt", "sub/c.avi", "sub/.hidden.mp4", ".parts/d.mp4"):
        path = tmp_path / "videos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path / "videos"


def targets(videos: Path, inputs: Sequence[Path], output: str, **options: Sequence[str]) -> list[str]:
    jobs = plan_jobs(inputs, output, style="starry-night", **options)  # type: ignore[arg-type]
    return [f"{job.source.name} {job.target.relative_to(videos.parent).as_posix()}" for job in jobs]


def test_a_file_goes_to_a_file(videos: Path) -> None:
    assert targets(videos, [videos / "b.mp4"], str(videos.parent / "x.mov")) == ["b.mp4 x.mov"]


def test_a_file_goes_into_a_folder(videos: Path) -> None:
    out = videos.parent / "out"
    for text in (str(out), f"{out}/"):
        assert targets(videos, [videos / "b.mp4"], text) == ["b.mp4 out/b.mp4"]
    (videos.parent / "dotted.mp4").mkdir()
    assert targets(videos, [videos / "b.mp4"], str(videos.parent / "dotted.mp4")) == [
        "b.mp4 dotted.mp4/b.mp4"
    ]


def test_a_folder_keeps_its_shape(videos: Path) -> None:
    found = targets(videos, [videos], str(videos.parent / "out"))
    assert found == ["a.MKV out/a.MKV", "b.mp4 out/b.mp4", "c.avi out/sub/c.mp4"]


def test_filters(videos: Path) -> None:
    out = str(videos.parent / "out")
    assert targets(videos, [videos], out, include=["*.txt", "sub/*"]) == [
        "note.txt out/note.mp4",
        "c.avi out/sub/c.mp4",
    ]
    assert targets(videos, [videos], out, exclude=["sub/*", "a.*"]) == ["b.mp4 out/b.mp4"]


def test_pattern(videos: Path) -> None:
    pattern = f"{videos.parent}/out/{{folder}}/{{stem}}-{{style}}{{suffix}}"
    assert targets(videos, [videos], pattern) == [
        "a.MKV out/a-starry-night.MKV",
        "b.mp4 out/b-starry-night.mp4",
        "c.avi out/sub/c-starry-night.mp4",
    ]


def test_style_in_a_name_is_no_path() -> None:
    (job,) = plan_jobs([Path("a.mp4")], "{style}.mp4", style="my/own style.safetensors")
    assert job.target == Path("own_style.mp4")
    (job,) = plan_jobs([Path("a.mp4")], "{style}.mp4", style="0:a/b,1:c")
    assert job.target == Path("0_a_b_1_c.mp4")


def test_earlier_results_are_no_sources(videos: Path) -> None:
    inside = videos / "painted"
    inside.mkdir()
    (inside / "b.mp4").touch()
    assert "b.mp4 videos/painted/painted/b.mp4" not in targets(videos, [videos], str(inside))
    (videos / "b-starry-night.mp4").touch()
    found = targets(videos, [videos], f"{videos}/{{folder}}/{{stem}}-{{style}}.mp4", include=["b*"])
    assert found == [
        "b.mp4 videos/b-starry-night.mp4",
        "b.mp4 videos/painted/b-starry-night.mp4",
    ]


@pytest.mark.parametrize(
    ("inputs", "output", "message"),
    [
        ([], "x.mp4", "no videos given"),
        (["a.mp4", "b.mp4"], "x.mp4", "need a folder"),
        (["a.mp4"], "{name}.mp4", r"may hold \{folder\}"),
        (["a.mp4"], "{stem.mp4", "not a valid pattern"),
        (["a.mp4"], "{stem}.xyz", "cannot write this kind"),
        (["x/a.mp4", "x/b.mp4"], "x", "is the source itself"),
        (["."], "out", "no videos in this folder"),
    ],
)
def test_wrong_plans(
    inputs: list[str], output: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=message):
        plan_jobs([Path(name) for name in inputs], output, style="s")


def test_videos_of_one_name_stop_no_others(videos: Path) -> None:
    for name in ("b.avi", "sub/a.MKV"):
        (videos / name).touch()
    out = videos.parent / "out"
    jobs = plan_jobs([videos], str(out), style="s")
    assert [job.source.name for job in jobs if job.error] == ["b.avi", "b.mp4"]
    assert all("{extension}" in str(job.error) for job in jobs if job.error)
    assert [job.source.name for job in jobs if not job.error] == ["a.MKV", "a.MKV", "c.avi"]
    jobs = plan_jobs([videos], f"{out}/{{folder}}/{{stem}}-{{extension}}{{suffix}}", style="s")
    assert [str(job.target.relative_to(out)) for job in jobs] == [
        *("a-MKV.MKV", "b-avi.mp4", "b-mp4.mp4", "sub/a-MKV.MKV", "sub/c-avi.mp4")
    ]
    assert not any(job.error for job in jobs)
    apart = plan_jobs([videos / "a.MKV", videos / "sub" / "a.MKV"], f"{out}/", style="s")
    assert all(job.error for job in apart)


def test_a_video_that_is_named_twice_is_one(videos: Path) -> None:
    found = plan_jobs([videos / "b.mp4", videos], str(videos.parent / "out"), style="s")
    assert [(job.source.name, job.error) for job in found] == [
        *(("b.mp4", None), ("a.MKV", None), ("c.avi", None))
    ]


def test_command_for_videos_of_one_name(
    folder: Path, tiny_style: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Video(CFR[:3], codec="mpeg4").write(folder / "a.avi")
    (folder / "bad.mp4").unlink()
    out = folder.parent / "out"
    words = folder, out, "--style", tiny_style
    assert say(*words, "--dry-run") == UsageError.exit_code
    assert "a.avi: several videos would become" in capsys.readouterr().out
    assert say(*words) == EXIT_PARTIAL
    assert "3 videos in" in (said := capsys.readouterr().err)
    assert "1 done, 2 failed" in said
    assert said.count("several videos would become") == 2
    assert [path.name for path in out.iterdir()] == ["c.mkv"]
    pattern = f"{out}/{{stem}}-{{extension}}{{suffix}}"
    assert say(folder, "-o", pattern, "--style", tiny_style) == 0
    assert sorted(path.name for path in out.iterdir()) == ["a-avi.mp4", "a-mp4.mp4", "c-mkv.mkv", "c.mkv"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two good videos and a bad one between them."""
    folder = tmp_path / "in"
    folder.mkdir()
    Video(CFR[:3]).write(folder / "a.mp4")
    (folder / "bad.mp4").write_text("?")
    Video(CFR[:4]).write(folder / "c.mkv")
    return folder


def convert_folder(folder: Path, **options: bool) -> list[ConversionOutcome]:
    jobs = plan_jobs([folder], str(folder.parent / "out"), style="s")
    return list(convert_all(jobs, StoppingInverter(), SETTINGS, **options))  # type: ignore[arg-type]


def test_the_queue_goes_on_behind_a_bad_video_and_after_a_restart(folder: Path) -> None:
    first = convert_folder(folder)
    assert [outcome.status for outcome in first] == ["done", "failed", "done"]
    assert "bad.mp4" in str(first[1].error)
    assert exit_code(first) == EXIT_PARTIAL
    assert sorted(path.name for path in (folder.parent / "out").iterdir()) == ["a.mp4", "c.mkv"]
    again = convert_folder(folder)
    assert [outcome.status for outcome in again] == ["skipped", "failed", "skipped"]
    assert [outcome.status for outcome in convert_folder(folder, overwrite=True)] == [
        "done",
        "failed",
        "done",
    ]


def test_a_stylizer_that_breaks_stops_one_video_only(folder: Path) -> None:
    class Breaking(StoppingInverter):
        def stream(self, frames: object) -> Iterator[Frame]:
            raise RuntimeError("on purpose")

    jobs = [ConversionJob(folder / name, folder / f"out-{name}") for name in ("a.mp4", "c.mkv")]
    outcomes = list(convert_all(jobs, Breaking(), SETTINGS))
    assert [str(outcome.error) for outcome in outcomes] == ["on purpose"] * 2
    assert exit_code(outcomes) == 1


def test_a_folder_that_cannot_be_made_is_the_targets_fault(tmp_path: Path) -> None:
    source = Video(CFR).write(tmp_path / "in.mp4")
    (tmp_path / "a file").touch()
    (outcome,) = convert_all(
        [ConversionJob(source, tmp_path / "a file" / "out.mp4")], StoppingInverter(), SETTINGS
    )
    assert isinstance(outcome.error, SinkError)
    assert "a file: cannot make this folder" in str(outcome.error)


def test_painting_is_timed_as_it_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a thread of its own: in the main thread, PyTorch is many times slower on a busy machine."""

    class Slow(StoppingInverter):
        def stream(self, frames: Iterable[Frame]) -> Iterator[Frame]:
            threads.add(threading.current_thread())
            for frame in super().stream(frames):
                clock.wait(0.02)
                yield frame

    clock = StandingClock()
    monkeypatch.setattr(dry_run, "monotonic", clock.monotonic)
    threads: set[threading.Thread] = set()
    assert painting_speed(Slow(), (10, 10)) == pytest.approx(100 / 0.02)
    assert threading.main_thread() not in threads


def test_exit_codes() -> None:
    job = ConversionJob(Path("a"), Path("b"))
    done, skipped = ConversionOutcome(job, "done"), ConversionOutcome(job, "skipped")
    failed, partial = (
        ConversionOutcome(job, "failed", error=UsageError("x")),
        ConversionOutcome(job, "partial"),
    )
    assert exit_code([done, skipped]) == 0
    assert exit_code([failed, failed]) == 2
    assert exit_code([done, failed]) == exit_code([partial]) == EXIT_PARTIAL


def say(*arguments: object) -> int:
    return main(["convert", *map(str, arguments), "--device", "cpu", "--preset", "ultrafast"])


def test_command_for_many(folder: Path, tiny_style: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = folder.parent / "out"
    assert say(folder, out, "--style", tiny_style, "--json") == EXIT_PARTIAL
    said = capsys.readouterr()
    report = json.loads(said.out)
    assert {key: report[key] for key in ("exit_code", "done", "failed", "skipped", "partial")} == {
        "exit_code": 10,
        "done": 2,
        "failed": 1,
        "skipped": 0,
        "partial": 0,
    }
    good, bad, _ = report["files"]
    assert (good["status"], good["frames"], good["resumed"], good["complete"]) == ("done", 3, 0, True)
    assert set(good["busy"]) == {"decode", "inference", "encode"}
    assert (bad["status"], bad["target"]) == ("failed", str(out / "bad.mp4"))
    assert "not a video" in bad["error"]
    assert "3 videos in" in said.err
    assert "2 done, 1 failed" in said.err


@pytest.mark.parametrize(
    ("count", "words"), [(1, "1 video in 2.0 s: 1 done"), (2, "2 videos in 2.0 s: 2 done")]
)
def test_one_video_is_no_videos(count: int, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    job = ConversionJob(Path("a.mp4"), Path("b.mp4"))
    say_total([ConversionOutcome(job, "done")] * count, 2.0)
    assert words in capsys.readouterr().err


def test_json_of_one_failed_video(folder: Path, tiny_style: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = say(folder / "bad.mp4", folder / "out.mp4", "--style", tiny_style, "--json")
    said = capsys.readouterr()
    report = json.loads(said.out)
    assert code == report["exit_code"] == 4
    assert "error: " in said.err


def test_dry_run_makes_nothing(folder: Path, tiny_style: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = sorted(folder.parent.rglob("*"))
    Video(CFR, sound="aac", chapters=True).write(folder / "d.mp4")
    before.append(folder / "d.mp4")
    arguments = (folder, "-o", folder.parent / "out", "--style", tiny_style, "--dry-run", "--side-by-side")
    assert say(*arguments) == 4
    said = capsys.readouterr().out
    assert "128x48, 12 frames in 0.4 s, h264" in said
    assert "beside it: sound in stream 1 (aac), " in said
    assert ", 2 chapters" in said
    assert "of painting" in said
    assert say(*arguments, "--json") == 4
    rows = json.loads(capsys.readouterr().out)["files"]
    assert [row["status"] for row in rows] == ["planned", "failed", "planned", "planned"]
    assert rows[3]["frames"] == 12
    assert rows[3]["estimated_seconds"] >= 0
    assert sorted(folder.parent.rglob("*")) == sorted(before)


def test_side_by_side(tmp_path: Path, tiny_style: Path) -> None:
    source = Video(CFR).write(tmp_path / "in.mp4")
    assert say(source, tmp_path / "out.mp4", "--style", tiny_style, "--side-by-side", "--strength", 0) == 0
    with VideoReader(tmp_path / "out.mp4") as reader:
        images = [frame.pixels for frame in reader]
    assert reader.size == (128, 48)
    for index, image in enumerate(images):
        assert abs(image[:, :64].astype(int) - numbered(index)).mean() < 6
        assert abs(image[:, 64:].astype(int) - numbered(index)).mean() < 6


def test_preview_is_the_middle_before_and_after(tmp_path: Path, tiny_style: Path) -> None:
    source = Video(tuple(1000 * i for i in range(60))).write(tmp_path / "in.mp4")
    arguments = ("--style", f"0:{tiny_style}", "--strength", 0)
    assert say(source, tmp_path / "out.mp4", *arguments, "--preview", 0.5) == 0
    after = content(tmp_path / "out.mp4")
    assert len(after.times) == 16  # of the first, only the end is in it
    assert after.times[0] == 0
    assert after.images[0].shape == (48, 128, 3)
    assert abs(after.images[0][:, :64].astype(int) - numbered(22)).mean() < 6
    assert say(source, tmp_path / "all.mp4", *arguments, "--preview", 30) == 0
    assert len(content(tmp_path / "all.mp4").times) == 60


def test_preview_follows_the_videos_timeline(tmp_path: Path) -> None:
    seen: list[float] = []

    class Watching(StoppingInverter):
        def stream(self, frames: object) -> Iterator[Frame]:
            for frame in super().stream(frames):  # type: ignore[arg-type]
                seen.append(float(frame.pts))
                yield frame

    source = Video(tuple(1000 * i for i in range(60))).write(tmp_path / "in.mp4")
    job = ConversionJob(source, tmp_path / "out.mp4")
    (outcome,) = convert_all([job], Watching(), SETTINGS.model_copy(update={"preview": 0.5}))
    assert outcome.status == "done"
    assert seen[0] == pytest.approx(0.75, abs=0.04)
    assert len(content(tmp_path / "out.mp4").times) == len(seen)


def test_interrupted_command_says_how_to_go_on(
    tmp_path: Path, tiny_style: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(segments, "MOST_FRAMES", 4)
    source, target = Video(CFR).write(tmp_path / "in.mp4"), tmp_path / "out.mp4"

    def interrupted(*_: object) -> Callable[[], None]:
        raise KeyboardInterrupt

    with monkeypatch.context() as pressed:
        pressed.setattr("stylize_live.conversion.segmented_output.SegmentedOutput.finish", interrupted)
        assert say(source, target, "--style", tiny_style) == EXIT_INTERRUPTED
    said = capsys.readouterr().err
    assert "12 of 12 frames kept; the same command goes on (--restart begins anew)" in said
    assert count_kept_frames(target) == 12
    assert say(source, target, "--style", tiny_style) == 0
    assert "12 of them in earlier runs" in capsys.readouterr().out
    assert not folder_of(target).exists()


def test_videos_of_many_kinds_are_found_in_folders(tmp_path: Path) -> None:
    videos = ["a.dv", "b.asf", "c.f4v", "d.LRV", "e.m2v", "f.3g2", "g.qt", "h.rmvb"]
    for name in [*videos, "notes.txt", "photo.png", "song.mp3", ".hidden.dv"]:
        (tmp_path / name).touch()
    assert [job.source.name for job in plan_jobs([tmp_path], "out", style="x")] == videos
