"""A queue in a process of its own outlives whatever happens in that."""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import crashing
import pytest
from clips import CFR, Video, content

from stylize_live.cli.convert_display import weigh
from stylize_live.config import ConvertSettings
from stylize_live.conversion import worker_process
from stylize_live.conversion.progress import ConvertProgress
from stylize_live.conversion.queue import ConversionJob, exit_code
from stylize_live.conversion.segment_store import folder_of, remove_abandoned
from stylize_live.conversion.worker_process import OpenStylizer, answer_in_subprocess, convert_in_subprocess
from stylize_live.errors import EXIT_PARTIAL, CrashError, StyleError, UsageError
from stylize_live.file_locks import hold_lock

SETTINGS = ConvertSettings(preset="ultrafast")


def jobs(folder: Path, *sizes: tuple[int, int]) -> list[ConversionJob]:
    videos = [Video(CFR, size).write(folder / f"{number}.mp4") for number, size in enumerate(sizes)]
    return [ConversionJob(video, folder / "out" / video.name) for video in videos]


def test_a_crash_costs_one_video(tmp_path: Path) -> None:
    wanted = jobs(tmp_path, (64, 48), crashing.CRASHES, crashing.BREAKS, (64, 48))
    started: list[ConversionJob] = []
    seen: list[ConvertProgress] = []
    outcomes = list(
        convert_in_subprocess(
            wanted, crashing.open_stylizer, SETTINGS, on_start=started.append, on_progress=seen.append
        )
    )
    assert [outcome.job for outcome in outcomes] == started == wanted
    assert [outcome.status for outcome in outcomes] == ["done", "failed", "failed", "done"]
    assert isinstance(outcomes[1].error, CrashError)
    how = f"({'exit code 3' if sys.platform == 'win32' else 'SIGSEGV'})"
    assert f"1.mp4: the process crashed while it painted this video {how}" in str(outcomes[1].error)
    assert "WorstError: on purpose" in str(outcomes[2].error)
    assert exit_code(outcomes) == EXIT_PARTIAL
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["0.mp4", "3.mp4"]
    assert len(content(tmp_path / "out" / "3.mp4").times) == len(CFR)
    assert seen
    assert multiprocessing.active_children() == []


@pytest.mark.parametrize(
    ("open_stylizer", "error"), [(crashing.crash_at_once, CrashError), (crashing.miss_a_style, StyleError)]
)
def test_without_a_stylizer_there_is_no_queue(
    tmp_path: Path, open_stylizer: OpenStylizer, error: type[Exception]
) -> None:
    with pytest.raises(error):
        list(convert_in_subprocess(jobs(tmp_path, (64, 48)), open_stylizer, SETTINGS))


def test_several_for_one_target_and_warnings(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (job,) = jobs(tmp_path, crashing.WARNS)
    refused = replace(job, target=job.target.with_suffix(".mkv"), error=UsageError("several"))
    outcomes = list(convert_in_subprocess([refused, job], crashing.open_stylizer, SETTINGS))
    assert [outcome.status for outcome in outcomes] == ["failed", "done"]
    assert isinstance(outcomes[0].error, UsageError)
    assert caplog.record_tuples == [("stylizer", logging.WARNING, "thin paint")] * len(CFR)


def test_a_crash_leaves_the_folder_of_another_run(tmp_path: Path) -> None:
    (job,) = jobs(tmp_path, crashing.CRASHES)
    folder = folder_of(job.target)
    folder.mkdir(parents=True)
    with (folder / "lock").open("ab") as file:
        assert hold_lock(file)
        remove_abandoned(job.target)
        assert folder.exists()
    remove_abandoned(job.target)
    assert not folder.exists()


def test_an_answer_from_another_process(tmp_path: Path) -> None:
    videos = jobs(tmp_path, (64, 48), (96, 48))
    weights = answer_in_subprocess(weigh, videos, SETTINGS, False)
    assert weights == {job.target: 12 * width * 48 for job, width in zip(videos, (64, 96), strict=True)}
    assert answer_in_subprocess(crashing.crash) is None


@pytest.mark.posix
def test_ctrl_c_ends_the_process_too(tmp_path: Path) -> None:
    (job,) = jobs(tmp_path, crashing.TAKES_LONG)

    def press(progress: ConvertProgress) -> None:
        if progress.frames:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        list(convert_in_subprocess([job], crashing.open_stylizer, SETTINGS, on_progress=press))
    assert multiprocessing.active_children() == []
    assert not job.target.exists()
    assert not folder_of(job.target).exists()


def test_a_parent_that_hung_up_ends_the_work_as_ctrl_c_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On Windows, to ask a pipe that is closed at the other end is an error; no video is blamed."""
    sent: list[object] = []
    pipe = SimpleNamespace(send=sent.append, poll=hung_up)
    monkeypatch.setattr(worker_process, "leave_signals_to_parent", lambda: None)
    monkeypatch.setattr(worker_process.logging, "basicConfig", lambda **_: None)
    monkeypatch.setattr(worker_process.logging, "captureWarnings", lambda _: None)
    wanted = jobs(tmp_path, (64, 48), (64, 48))
    worker_process._convert(pipe, wanted, crashing.open_stylizer, SETTINGS, False, False, logging.WARNING)
    assert sent == [wanted[0]]
    assert not wanted[0].target.exists()


def hung_up() -> bool:
    raise BrokenPipeError
