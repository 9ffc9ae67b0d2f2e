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
from clips import CFR, Film, content

from stylize_live.cli.convert_display import weigh
from stylize_live.config import ConvertSettings
from stylize_live.errors import EXIT_PARTIAL, CrashError, StyleError, UsageError
from stylize_live.locks import lock
from stylize_live.pipeline import apart
from stylize_live.pipeline.apart import OpenPainter, answer_apart, convert_apart
from stylize_live.pipeline.parts import clear_abandoned, folder_of
from stylize_live.pipeline.progress import ConvertProgress
from stylize_live.pipeline.queue import Job, exit_code

SETTINGS = ConvertSettings(preset="ultrafast")


def jobs(folder: Path, *sizes: tuple[int, int]) -> list[Job]:
    films = [Film(CFR, size).write(folder / f"{number}.mp4") for number, size in enumerate(sizes)]
    return [Job(film, folder / "out" / film.name) for film in films]


def test_a_crash_costs_one_film(tmp_path: Path) -> None:
    wanted = jobs(tmp_path, (64, 48), crashing.CRASHES, crashing.BREAKS, (64, 48))
    started: list[Job] = []
    seen: list[ConvertProgress] = []
    outcomes = list(
        convert_apart(
            wanted, crashing.open_painter, SETTINGS, on_start=started.append, on_progress=seen.append
        )
    )
    assert [outcome.job for outcome in outcomes] == started == wanted
    assert [outcome.status for outcome in outcomes] == ["done", "failed", "failed", "done"]
    assert isinstance(outcomes[1].error, CrashError)
    how = f"({'exit code 3' if sys.platform == 'win32' else 'SIGSEGV'})"
    assert f"1.mp4: the process died while it painted this video {how}" in str(outcomes[1].error)
    assert "WorstError: on purpose" in str(outcomes[2].error)
    assert exit_code(outcomes) == EXIT_PARTIAL
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["0.mp4", "3.mp4"]
    assert len(content(tmp_path / "out" / "3.mp4").times) == len(CFR)
    assert seen
    assert multiprocessing.active_children() == []


@pytest.mark.parametrize(
    ("open_painter", "error"), [(crashing.crash_at_once, CrashError), (crashing.miss_a_style, StyleError)]
)
def test_without_a_painter_there_is_no_queue(
    tmp_path: Path, open_painter: OpenPainter, error: type[Exception]
) -> None:
    with pytest.raises(error):
        list(convert_apart(jobs(tmp_path, (64, 48)), open_painter, SETTINGS))


def test_several_for_one_target_and_warnings(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (job,) = jobs(tmp_path, crashing.WARNS)
    refused = replace(job, target=job.target.with_suffix(".mkv"), error=UsageError("several"))
    outcomes = list(convert_apart([refused, job], crashing.open_painter, SETTINGS))
    assert [outcome.status for outcome in outcomes] == ["failed", "done"]
    assert isinstance(outcomes[0].error, UsageError)
    assert caplog.record_tuples == [("painter", logging.WARNING, "thin paint")] * len(CFR)


def test_a_crash_leaves_the_folder_of_another_run(tmp_path: Path) -> None:
    (job,) = jobs(tmp_path, crashing.CRASHES)
    folder = folder_of(job.target)
    folder.mkdir(parents=True)
    with (folder / "lock").open("ab") as file:
        assert lock(file)
        clear_abandoned(job.target)
        assert folder.exists()
    clear_abandoned(job.target)
    assert not folder.exists()


def test_an_answer_from_another_process(tmp_path: Path) -> None:
    films = jobs(tmp_path, (64, 48), (96, 48))
    weights = answer_apart(weigh, films, SETTINGS, False)
    assert weights == {job.target: 12 * width * 48 for job, width in zip(films, (64, 96), strict=True)}
    assert answer_apart(crashing.crash) is None


@pytest.mark.posix
def test_ctrl_c_ends_the_process_too(tmp_path: Path) -> None:
    (job,) = jobs(tmp_path, crashing.TAKES_LONG)

    def press(progress: ConvertProgress) -> None:
        if progress.frames:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        list(convert_apart([job], crashing.open_painter, SETTINGS, on_progress=press))
    assert multiprocessing.active_children() == []
    assert not job.target.exists()
    assert not folder_of(job.target).exists()


def test_a_parent_that_hung_up_ends_the_work_as_ctrl_c_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On Windows, to ask a pipe that is closed at the other end is an error; no film may be blamed for it."""
    sent: list[object] = []
    pipe = SimpleNamespace(send=sent.append, poll=hung_up)
    monkeypatch.setattr(apart, "leave_signals_to_parent", lambda: None)
    monkeypatch.setattr(apart.logging, "basicConfig", lambda **_: None)
    monkeypatch.setattr(apart.logging, "captureWarnings", lambda _: None)
    wanted = jobs(tmp_path, (64, 48), (64, 48))
    apart._convert(pipe, wanted, crashing.open_painter, SETTINGS, False, False, logging.WARNING)
    assert sent == [wanted[0]]
    assert not wanted[0].target.exists()


def hung_up() -> bool:
    raise BrokenPipeError
