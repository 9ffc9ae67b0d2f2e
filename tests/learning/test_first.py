"""A painting that is learnt before anything is painted: what is kept, and what becomes of what goes wrong."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from learning_parts import QUICK
from scripted_learner import ScriptedLearner, scripted
from tiny import make_checkpoint, random_pixels

from stylize_live.errors import CrashError, SinkError, SourceError
from stylize_live.learning import first, store
from stylize_live.learning.first import learn_first, learnt_file
from stylize_live.learning.messages import Advance, Done, Improved, Note
from stylize_live.nets.checkpoint import load_checkpoint

START = make_checkpoint("painting", seed=1)
LEARNT = make_checkpoint(seed=2).weights
WHOLE = (Advance(3, 2.0, 0.5, 2.0), Improved(LEARNT, 6, 4.0), Advance(6, 4.0, 1.0, 0.0), Done())


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """In place of the user's cache folder."""
    folder = tmp_path / "cache"
    monkeypatch.setattr(store, "user_cache_path", lambda name, appauthor: folder)
    return folder


def script(monkeypatch: pytest.MonkeyPatch, *words: object) -> type[ScriptedLearner]:
    made = scripted(*words)
    monkeypatch.setattr(first, "Learner", made)
    return made


def test_what_was_learnt_is_there_again(painting: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    learners, advances = script(monkeypatch, *WHOLE), list[Advance]()
    path = learn_first(painting, START, 4.0, on_advance=advances.append)
    assert [one.share for one in advances] == [0.5, 1.0]
    kept = load_checkpoint(path)
    assert kept.training == {"steps": 6, "seconds": 4.0}
    np.testing.assert_allclose(kept.weights["brightness"], LEARNT["brightness"], atol=1e-3)
    assert learners.made[0].closed
    assert learn_first(painting, START, 4.0) == path == learnt_file(painting, 4.0, [])
    assert len(learners.made) == 1


def test_other_times_and_frames_are_other_styles(painting: Path) -> None:
    frames = [random_pixels(32, 32)]
    paths = {learnt_file(painting, 4, []), learnt_file(painting, 5, []), learnt_file(painting, 4, frames)}
    assert len(paths) == 3


def test_where_nothing_better_was_found_the_first_look_is_kept(
    painting: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script(monkeypatch, Done())
    path = learn_first(painting, START, 4.0)
    np.testing.assert_allclose(
        load_checkpoint(path).weights["brightness"], START.weights["brightness"], atol=1e-3
    )


@pytest.mark.parametrize("end", [KeyboardInterrupt(), CrashError("what learns the painting has ended")])
def test_an_end_before_its_time_keeps_no_style(
    painting: Path, monkeypatch: pytest.MonkeyPatch, end: BaseException
) -> None:
    notes = list[str]()
    learners = script(monkeypatch, Advance(3, 2.0, 0.5, 2.0), end)
    with pytest.raises(type(end)):
        learn_first(painting, START, 4.0, on_note=notes.append)
    assert learners.made[0].closed
    assert not learnt_file(painting, 4.0, []).exists()
    assert notes == (["ending a step, to keep what was learnt"] if end.args == () else [])


def test_a_folder_that_cannot_be_is_told_of_before_minutes_are_spent(
    painting: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    learners = script(monkeypatch, *WHOLE)
    cache.write_text("no folder")
    with pytest.raises(SinkError):
        learn_first(painting, START, 4.0)
    assert learners.made == []


@pytest.mark.posix
def test_so_is_a_full_disk(painting: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On one that takes some bytes and then no more."""
    import resource

    learners = script(monkeypatch, *WHOLE)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**16, before[1]))
    try:
        with pytest.raises(SinkError, match="cannot be kept there"):
            learn_first(painting, START, 4.0)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert learners.made == []


def test_notes_are_handed_on(painting: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    notes = list[str]()
    script(monkeypatch, Note("learning goes on, but is not kept: no room"), *WHOLE)
    learn_first(painting, START, 4.0, on_note=notes.append)
    assert notes == ["learning goes on, but is not kept: no room"]


def test_a_painting_that_is_gone(painting: Path) -> None:
    painting.unlink()
    with pytest.raises(SourceError, match="cannot read the painting"):
        learn_first(painting, START, 4.0)


def test_a_folder_that_was_deleted_is_made_again(painting: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script(monkeypatch, *WHOLE)
    path = learn_first(painting, START, 4.0)
    shutil.rmtree(path.parent)
    assert learn_first(painting, START, 4.0) == path
    assert path.exists()


@pytest.mark.long
@pytest.mark.timeout(600)  # it loads torch anew, where others are at work
def test_the_real_process_learns_and_another_time_goes_on(painting: Path) -> None:
    advances = list[Advance]()
    path = learn_first(painting, START, 0.5, settings=QUICK, on_advance=advances.append)
    assert path.exists()
    assert advances[-1].share == 1.0
    assert learn_first(painting, START, 0.7, settings=QUICK, on_advance=advances.append) != path
    steps = [one.steps for one in advances]
    assert steps == sorted(steps)
