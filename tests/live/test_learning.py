"""A session whose style learns its painting: what is shown when, and what becomes of what goes wrong."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from live_fakes import FakeDisplay, FakeStylizer, WakeableSource, make_frame
from scripted_learner import ScriptedLearner, scripted
from tiny import make_checkpoint, random_pixels

from stylize_live.errors import CrashError, UsageError
from stylize_live.frame import Frame
from stylize_live.learning import keeping
from stylize_live.learning.messages import (
    Advance,
    Done,
    Improved,
    Note,
    Practise,
    Report,
    Reported,
    Rest,
)
from stylize_live.live import learning as live_learning
from stylize_live.live.learning import LiveLearning, next_rest
from stylize_live.live.pipeline import run_live
from stylize_live.media.image.io import Still, write_image
from stylize_live.nets import style_folders
from stylize_live.nets.checkpoint import Checkpoint, Weights, load_checkpoint

START = make_checkpoint("painting", seed=1)
LEARNT = make_checkpoint(seed=2).weights


class RefinableStylizer(FakeStylizer):
    device = "cpu"

    def __init__(self, style: str) -> None:
        super().__init__()
        self.style = style
        self.shown: list[Checkpoint] = []

    def refine(self, style: str, checkpoint: Checkpoint) -> bool:
        if style != self.style:
            return False
        self.shown.append(checkpoint)
        return True


class Session:
    """A session around what learns, driven by hand."""

    def __init__(self, painting: Path, learning: LiveLearning) -> None:
        self.learning, self.stylizer = learning, RefinableStylizer(str(painting))
        self.original: Frame | None = make_frame(1)
        self.pace: tuple[float, float] | None = None
        self.said: list[str] = []
        self.repaints = 0

    def show_again(self) -> None:
        self.repaints += 1

    def tend(self) -> None:
        try:
            self.learning._tend(self, self.stylizer, self.said.append)
        except Exception as error:
            self.learning._give_up(str(error))

    @property
    def learners(self) -> list[ScriptedLearner]:
        return live_learning.Learner.made  # type: ignore[attr-defined, no-any-return]

    @property
    def learner(self) -> ScriptedLearner:
        return self.learners[-1]

    def hear(self, *words: object) -> None:
        self.learner.said += words
        self.tend()

    @property
    def weights(self) -> Weights:
        return self.stylizer.shown[-1].weights


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Session:
    """One that has begun to learn."""
    painting = tmp_path / "painting.png"
    write_image(painting, Still(random_pixels(64, 48)))
    monkeypatch.setattr(live_learning, "Learner", scripted())
    monkeypatch.setattr(live_learning, "load_style", lambda style: START)
    monkeypatch.setattr(live_learning, "_FADE", 0.0)
    for module in (keeping, style_folders):
        monkeypatch.setattr(module, "own_folder", lambda: tmp_path / "styles")
    made = Session(painting, LiveLearning(100.0, begins=True))
    made.tend()
    return made


def test_nothing_is_learnt_unasked(session: Session) -> None:
    session.learners.clear()
    other = Session(Path(session.stylizer.style), LiveLearning())
    other.tend()
    assert not other.learners
    assert other.learning.figures.painting == "painting.png"  # but it could be
    other.learning.turn(True)
    other.tend()
    assert other.learner.job.start is START


def test_better_weights_come_in_step_by_step(session: Session) -> None:
    session.hear(Advance(10, 25.0, 0.25, 75.0), Improved(LEARNT, 10, 25.0))
    name = next(iter(LEARNT))
    ways = [float(np.abs(one.weights[name] - LEARNT[name]).mean()) for one in session.stylizer.shown]
    assert len(ways) == 4
    assert ways == sorted(ways, reverse=True)
    assert ways[-1] == 0
    assert session.repaints == 1  # a paused frame shows it, too
    figures = session.learning.figures
    assert (figures.state, figures.share, figures.versions, figures.first_look) == (
        "learning",
        0.25,
        1,
        False,
    )
    assert figures.words == "learning 25%"
    session.tend()
    assert len(session.stylizer.shown) == 4


def test_it_practises_on_what_is_seen(session: Session) -> None:
    assert any(isinstance(word, Practise) for word in session.learner.told)


def test_pausing_and_going_on(session: Session) -> None:
    session.learning.turn(False)
    session.tend()
    assert session.learner.told[-1] == Rest(None)
    assert session.learning.figures.state == "paused"
    session.learning.turn(True)
    session.tend()
    assert Rest(0.0) in session.learner.told[-2:]


def test_it_rests_while_the_show_is_too_slow(session: Session) -> None:
    session.pace = (10.0, 30.0)
    session.learning._due["pace"] = 0.0
    session.tend()
    assert session.learner.told[-1] == Rest(0.1)
    assert session.learning.figures.rest == 0.1


@pytest.mark.parametrize(
    ("rest", "pace", "wanted"),
    [
        (0.0, (30.0, 30.0), 0.0),
        (0.0, (24.0, 60.0), 0.0),
        (0.0, (23.0, 60.0), 0.1),
        (0.0, (14.0, 15.0), 0.0),
        (0.4, (10.0, 15.0), 0.8),
        (8.0, (1.0, 30.0), 8.0),
        (0.4, (30.0, 30.0), 0.2),
        (0.05, (30.0, 30.0), 0.0),
        (8.0, None, 4.0),
    ],
)
def test_rest_follows_the_pace(rest: float, pace: tuple[float, float] | None, wanted: float) -> None:
    assert next_rest(rest, pace) == wanted


def test_it_does_not_rest_for_nothing(session: Session) -> None:
    """The show is as slow without it."""
    session.pace = (10.0, 30.0)
    rests = []
    for _ in range(30):
        session.learning._due["pace"] = 0.0
        session.tend()
        rests.append(session.learning.figures.rest)
    assert max(rests) == 8.0
    assert rests[-1] == 0.0
    session.pace = (8.0, 30.0)  # but slower with it
    session.learning._due["pace"] = 0.0
    session.tend()
    assert session.learning.figures.rest == 0.1


def test_undo_shows_the_first_look_and_pauses(session: Session) -> None:
    session.hear(Advance(10, 25.0, 0.25, 75.0), Improved(LEARNT, 10, 25.0))
    session.learning.undo()
    session.tend()
    assert session.stylizer.shown[-1] is START
    assert session.learning.figures.first_look
    assert session.learner.told[-1] == Rest(None)
    shown = len(session.stylizer.shown)
    session.hear(Improved(make_checkpoint(seed=3).weights, 11, 26.0))  # was under way
    assert len(session.stylizer.shown) == shown
    session.learning.turn(True)
    session.tend()
    assert not session.learning.figures.first_look
    assert (session.weights["brightness"] == make_checkpoint(seed=3).weights["brightness"]).all()


def test_a_crash_is_told_of_and_the_show_goes_on(session: Session) -> None:
    session.hear(Advance(10, 25.0, 0.25, 75.0), Improved(LEARNT, 10, 25.0))
    session.hear(CrashError("what learns the painting has ended (SIGKILL)"))
    assert "SIGKILL" in session.learning.figures.trouble
    assert session.learner.closed
    assert not session.learning.on
    np.testing.assert_array_equal(session.weights["brightness"], LEARNT["brightness"])
    session.learning.turn(True)  # may be tried again
    session.tend()
    assert len(session.learners) == 2
    assert session.learning.figures.trouble == ""


def test_weights_that_do_not_fit_are_not_shown(session: Session) -> None:
    session.hear(Improved({"x": np.zeros(3, np.float32)}, 1, 1.0))
    assert "does not fit" in session.learning.figures.trouble
    assert not session.stylizer.shown


def test_another_style_ends_it_and_coming_back_goes_on(session: Session) -> None:
    painting = session.stylizer.style
    session.stylizer.style = "starry-night"
    session.tend()
    assert session.learner.closed
    assert session.learning.figures.painting == ""
    with pytest.raises(UsageError, match="no painting"):
        session.learning.turn(True)
    session.stylizer.style = painting
    session.tend()
    assert len(session.learners) == 2


def test_a_painting_that_is_removed_meanwhile_is_learnt_on(session: Session) -> None:
    Path(session.stylizer.style).unlink()
    session.hear(Advance(10, 25.0, 0.25, 75.0), Improved(LEARNT, 10, 25.0))
    assert (session.learning.figures.painting, session.learning.figures.state) == ("painting.png", "learning")
    assert not session.learner.closed
    assert session.learning.keep("My wall").exists()
    session.learning.turn(False)
    session.tend()
    session.learning.turn(True)
    session.tend()
    assert len(session.learners) == 1
    session.learning.end()
    session.tend()
    session.tend()
    assert session.learning.figures.painting == ""  # nothing more can be learnt
    with pytest.raises(UsageError, match="no painting"):
        session.learning.turn(True)


def test_a_painting_that_is_painted_over_is_another_one(session: Session) -> None:
    session.learning.end()
    session.tend()
    write_image(Path(session.stylizer.style), Still(random_pixels(64, 48, 7)))
    session.learning.turn(True)
    session.tend()
    first, second = session.learners
    assert first.job.folder != second.job.folder


def test_the_end_gives_the_memory_back(session: Session) -> None:
    session.hear(Advance(40, 100.0, 1.0, 0.0), Done())
    assert session.learning.figures.state == "done"
    assert session.learner.closed
    session.tend()
    assert len(session.learners) == 1
    session.learning.turn(True)  # for as long again
    session.tend()
    assert session.learner.job.seconds == 200.0


def test_ending_keeps_what_is_shown(session: Session) -> None:
    session.hear(Advance(10, 25.0, 0.25, 75.0), Improved(LEARNT, 10, 25.0))
    session.learning.end()
    session.tend()
    assert session.learner.closed
    assert session.learning.figures.state == "off"
    assert not session.learning.figures.first_look


def test_keeping_writes_a_style_and_its_page(session: Session) -> None:
    with pytest.raises(UsageError, match="nothing was learnt"):
        session.learning.keep("My wall")
    session.hear(Advance(10, 25.0, 0.25, 75.0), Improved(LEARNT, 10, 25.0))
    path = session.learning.keep("My wall")
    assert path.name == "my-wall.safetensors"
    kept = load_checkpoint(path)
    assert kept.info.name == "my-wall"
    assert kept.training["steps"] == 10
    session.tend()
    assert Report(path) in session.learner.told
    with pytest.raises(UsageError, match="already"):
        session.learning.keep("my wall")
    with pytest.raises(UsageError, match="already"):
        session.learning.keep("starry-night")


def test_a_page_is_written_when_all_is_over_too(session: Session) -> None:
    session.hear(Advance(40, 100.0, 1.0, 0.0), Improved(LEARNT, 40, 100.0), Done())
    path = session.learning.keep("late")
    session.tend()
    assert session.learner.job.seconds == 0
    session.hear(Done())
    assert not session.learner.closed
    session.hear(Reported("report: late-report.html"))
    assert session.learner.closed
    assert session.said[-1] == "report: late-report.html"
    assert session.learning.figures.state == "done"
    assert path.exists()


def test_notes_are_said(session: Session) -> None:
    session.hear(Note("learning goes on, but is not kept: no room"))
    assert session.said == ["learning goes on, but is not kept: no room"]


def test_a_key_begins_and_tells_what_it_costs(session: Session) -> None:
    learning = LiveLearning()
    wanted, pressed = (
        ["learning: 10:00 of practice, with about 1.4 GB of memory", "learning paused"],
        list[str](),
    )

    def drive(display: FakeDisplay) -> str | None:
        told = len(notes(display))
        if told == len(wanted) or display.polls > 4000:
            return "q"
        if not learning.figures.painting or told < len(pressed):
            return None
        pressed.append("l")
        return "l"

    def notes(display: FakeDisplay) -> list[str]:
        return list(dict.fromkeys(caption.note for caption in display.captions if caption.note in wanted))

    display = FakeDisplay(drive)
    run_live(WakeableSource(), session.stylizer, display, learning=learning)
    assert notes(display) == wanted


def test_what_was_learnt_before_is_shown_at_once(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    learnt = make_checkpoint(seed=9)
    monkeypatch.setattr(live_learning, "load_learnt", lambda folder: learnt)
    other = Session(Path(session.stylizer.style), LiveLearning(begins=True))
    other.tend()
    np.testing.assert_array_equal(other.weights["brightness"], learnt.weights["brightness"])
