"""The process that learns, for real: what it hands over, how it ends, and what it leaves."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from learning_parts import QUICK
from tiny import make_checkpoint
from waiting import eventually

from stylize_live.errors import CrashError, TrainingError
from stylize_live.learning.learner import Learner
from stylize_live.learning.messages import Advance, Done, Improved, LearningJob, Note, Practise, Rest
from stylize_live.learning.store import LEARNT, STATE, claimed, folder_of, load_learnt

pytestmark = pytest.mark.timeout(600)  # it loads torch anew, where others are at work
LONG = 250.0


def job_of(painting: Path, seconds: float = 1.0, **values: object) -> LearningJob:
    return LearningJob(
        painting, make_checkpoint(), folder_of(painting), seconds, every=0.05, settings=QUICK, **values
    )  # type: ignore[arg-type]


def hear_until(learner: Learner, kind: type, heard: list[object]) -> object:
    def look() -> object:
        heard.extend(learner.hear(0.05))
        return next((word for word in reversed(heard) if isinstance(word, kind)), None)

    return eventually(look, kind.__name__, within=LONG)


@pytest.mark.long
def test_it_learns_hands_over_and_is_done(painting: Path) -> None:
    heard: list[object] = []
    with Learner(job_of(painting)) as learner:
        learner.tell(Practise(np.zeros((64, 80, 3), np.uint8)))
        hear_until(learner, Done, heard)
    improved = [word for word in heard if isinstance(word, Improved)]
    advances = [word for word in heard if isinstance(word, Advance)]
    assert improved
    assert (advances[-1].share, advances[-1].left) == (1, 0)
    assert [one.steps for one in advances] == sorted(one.steps for one in advances)
    learnt = load_learnt(folder_of(painting))
    assert learnt is not None
    assert learnt.training["steps"] == improved[-1].steps


@pytest.mark.long
def test_a_killed_one_is_told_of_and_gone_on_with(painting: Path) -> None:
    heard: list[object] = []
    with Learner(job_of(painting, 600.0)) as learner:
        improved = hear_until(learner, Improved, heard)
        eventually((folder_of(painting) / LEARNT).exists)
        learner._process.kill()
        with pytest.raises(CrashError, match="SIGKILL" if os.name == "posix" else "ended"):
            hear_until(learner, Done, heard)
    assert isinstance(improved, Improved)
    heard.clear()
    with Learner(job_of(painting, 600.0)) as learner:
        first = hear_until(learner, Advance, heard)
    assert isinstance(first, Advance)
    assert first.steps >= improved.steps


@pytest.mark.slow
def test_it_pauses_and_goes_on(painting: Path) -> None:
    heard: list[object] = []
    with Learner(job_of(painting, 600.0)) as learner:
        hear_until(learner, Advance, heard)
        learner.tell(Rest(None))
        eventually(lambda: not list(learner.hear(0.5)), "silence", within=LONG)
        heard.clear()
        learner.tell(Rest(0.0))
        hear_until(learner, Advance, heard)


@pytest.mark.slow
def test_closing_keeps_the_state_and_leaves_no_process(painting: Path) -> None:
    heard: list[object] = []
    with Learner(job_of(painting, 600.0), LONG) as learner:
        hear_until(learner, Advance, heard)
        process = learner._process
    assert not process.is_alive()
    assert process.exitcode == 0
    assert (folder_of(painting) / STATE).exists()
    learner.close()


@pytest.mark.long
@pytest.mark.posix
def test_it_ends_with_whoever_started_it(painting: Path) -> None:
    """Also where that one is killed."""
    code = (
        "import sys; sys.path.insert(0, sys.argv[2]); from pathlib import Path\n"
        "from tiny import make_checkpoint\n"
        "from stylize_live.learning.learner import Learner\n"
        "from stylize_live.learning.messages import LearningJob\n"
        "from stylize_live.learning.store import folder_of\n"
        "if __name__ == '__main__':\n"
        "    p = Path(sys.argv[1])\n"
        "    settings = {'crop': 64, 'painting_size': 64}\n"
        "    learner = Learner(LearningJob(p, make_checkpoint(), folder_of(p), 600.0, settings=settings))\n"
        "    print(learner._process.pid, flush=True)\n"
        "    while True:\n"
        "        for word in learner.hear(0.1): print(type(word).__name__, flush=True)\n"
    )
    script = painting.with_name("parent.py")
    script.write_text(code)
    tests = str(Path(__file__).parents[1])
    parent = subprocess.Popen([sys.executable, script, painting, tests], stdout=subprocess.PIPE, text=True)
    try:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert parent.stdout.readline().strip() == "Advance"
    finally:
        parent.kill()
        parent.communicate()
    eventually(lambda: not is_alive(child), "the end of what learns", within=LONG)


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/status")
    return "State:\tZ" not in status.read_text() if status.exists() else True


def test_a_process_that_ends_before_it_knows_its_job_is_told_of(
    painting: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stylize_live.learning.learner.work", sys.exit)
    frames = (np.zeros((1000, 1000, 3), np.uint8),)  # more than a pipe holds
    with Learner(job_of(painting, frames=frames)) as learner, pytest.raises(CrashError, match="exit code 1"):
        hear_until(learner, Done, [])


def test_one_painting_is_learnt_by_one(painting: Path) -> None:
    with claimed(folder_of(painting)) as ours, Learner(job_of(painting)) as learner:
        assert ours
        with pytest.raises(TrainingError, match="already"):
            hear_until(learner, Done, [])


@pytest.mark.slow
def test_where_nothing_can_be_kept_it_learns_all_the_same(painting: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    job = job_of(painting)
    job = LearningJob(painting, job.start, tmp_path / "file" / "x", 0.5, every=0.05, settings=QUICK)
    heard: list[object] = []
    with Learner(job) as learner:
        hear_until(learner, Done, heard)
    assert any(isinstance(word, Note) and "not kept" in word.text for word in heard)


@pytest.mark.slow
def test_what_is_no_painting_is_told_of(tmp_path: Path) -> None:
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no image" + os.urandom(4))
    with Learner(job_of(broken)) as learner, pytest.raises(TrainingError, match=r"broken\.png"):
        hear_until(learner, Done, [])


@pytest.mark.slow
def test_frames_stay_in_memory(painting: Path) -> None:
    """What is kept holds nothing of them."""
    frame = np.random.default_rng(3).integers(0, 256, (64, 80, 3), np.uint8)
    heard: list[object] = []
    with Learner(job_of(painting, 600.0)) as learner:
        learner.tell(Practise(frame))
        hear_until(learner, Improved, heard)
    some = frame[20, 10:20].tobytes()
    files = [path for path in folder_of(painting).iterdir() if path.is_file()]
    assert {path.name for path in files} == {STATE, LEARNT, "lock"}
    assert not any(some in path.read_bytes() for path in files)
