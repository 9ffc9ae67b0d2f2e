"""A session whose style learns its painting: the process that does it, and how what it learns is shown."""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

from stylize_live.concurrency.failures import explain_failure
from stylize_live.concurrency.workers import WorkerGroup
from stylize_live.config import LiveSettings
from stylize_live.engine.style_loading import load_style
from stylize_live.errors import UsageError, describe_error
from stylize_live.frame import Frame
from stylize_live.learning.keeping import keep_style
from stylize_live.learning.learner import Learner, beside_threads
from stylize_live.learning.messages import (
    Advance,
    Done,
    Improved,
    LearningJob,
    Note,
    Practise,
    Report,
    Reported,
    Rest,
)
from stylize_live.learning.paintings import explain_no_painting, painting_of
from stylize_live.learning.photos import shrink
from stylize_live.learning.store import folder_of, load_learnt
from stylize_live.nets.checkpoint import Checkpoint, Weights, mix_weights
from stylize_live.nets.ends import move_ends, usual_end
from stylize_live.system.clock import monotonic

log = logging.getLogger(__name__)

State = Literal["off", "starting", "learning", "paused", "done"]

DEFAULT_SECONDS = 600.0
_TICK = 0.1  # seconds between two looks
_FADE_STEPS, _FADE = 4, 0.8  # in which newer weights come in, and seconds that this takes at least
_FRAME_EVERY = 2.0  # seconds between frames that are practised on
# A show that gives fewer frames a second than this, or than so much of its source's, has the learner rest,
# but not where that makes no difference to it.
_LEAST_RATE, _LEAST_SHARE = 24.0, 0.9
_MOST_REST, _LEAST_REST = 8.0, 0.05
_CHECK_EVERY = 1.0  # seconds between two looks at the rate
_PATIENCE = 0.6  # seconds for it to keep its state: a session has to end within two seconds


@dataclass(frozen=True, slots=True)
class LearningFigures:
    """How far learning is.

    Attributes:
        state: what is done now; "done" when all the practice is.
        painting: name of the file; "" where the style is no painting, and nothing can be learnt.
        share: of the practice, 0 to 1.
        steps: of training so far.
        seconds: of practice so far.
        left: seconds to the end.
        rest: seconds that it rests after each second of practice, since the show needs the machine.
        versions: how often better weights were shown.
        first_look: whether these are not shown, but the first look.
        trouble: why it ended, or "".
    """

    state: State = "off"
    painting: str = ""
    share: float = 0.0
    steps: int = 0
    seconds: float = 0.0
    left: float = 0.0
    rest: float = 0.0
    versions: int = 0
    first_look: bool = True
    trouble: str = ""

    @property
    def words(self) -> str:
        """For the caption: "learning 40%", or ""."""
        words = {
            "starting": "learning",
            "learning": f"learning {self.share:.0%}",
            "paused": "learning paused",
        }
        return words.get(self.state, "")


@runtime_checkable
class RefinableStylizer(Protocol):
    """A stylizer that can go on in other weights of its style, see `Stylizer.refine`."""

    style: str

    @property
    def device(self) -> str: ...
    def refine(self, style: str, checkpoint: Checkpoint) -> bool: ...


class LearningSession(Protocol):
    """What the learner needs to know of its session. Any thread may ask."""

    @property
    def original(self) -> Frame | None:
        """The source's frame whose painting is shown."""

    @property
    def pace(self) -> tuple[float, float] | None:
        """Frames shown and captured a second, just now; None while nothing is to be shown."""

    def show_again(self) -> None:
        """Paint a frame that is frozen once more."""


class LiveLearning:
    """Learns the painting that a session paints after, beside it.

    What is asked for may come from any thread; a thread of the session's does it.

    Args:
        seconds: of practice.
        begins: whether it begins with the session.
        features: as `load_features` takes it.
        settings: others than the recipe's.

    Attributes:
        figures: the newest. Any thread may read them.
        period: seconds of practice that are asked for at a time.
    """

    def __init__(
        self,
        seconds: float = DEFAULT_SECONDS,
        *,
        begins: bool = False,
        features: str = "small",
        threads: int = 1,
        settings: dict[str, object] | None = None,
    ) -> None:
        self.seconds = seconds
        self.figures = LearningFigures()
        self._wanted = begins
        self._features, self._threads, self._settings = features, threads, settings or {}
        self._ending = self._undoing = False
        self._changed = threading.Event()
        self._learner: Learner | None = None
        self._practises = False  # or it is there for pages alone
        self._style = ""  # that is learnt, as it was asked for
        self._painting: Path | None = None  # whose learner is at work, though its file may be gone meanwhile
        self._start: Checkpoint | None = None
        self._shown: Weights | None = None  # for the usual boldness
        self._newest: Weights | None = None
        self._rest: float | None = 0.0
        self._told: float | None = -1.0
        self._best_rate = math.inf  # frames a second that the show gives while learning rests
        self._frame: Frame | None = None
        self._due = {"frame": 0.0, "pace": 0.0}
        self._kept: list[Path] = []  # styles whose pages are to be written
        self._unwritten = 0  # that were asked for
        self.period = seconds
        self.report: LearningFigures | None = None

    # -- what is asked for

    @property
    def on(self) -> bool:
        """Whether it learns, or is about to."""
        return self._wanted

    def turn(self, on: bool) -> None:
        """Learn, or pause; where all the practice is done, learn for as long again."""
        if on and not self.figures.painting:
            raise UsageError("this style is no painting: choose an image file, such as painting.jpg")
        if on and self.figures.state == "done":
            self.seconds = self.figures.seconds + self.period
            self._note(state="off")
        self._wanted = on
        self._changed.set()

    def end(self) -> None:
        """End the process, which gives its memory back; what was learnt stays, and is kept for later."""
        self._wanted, self._ending = False, True
        self._changed.set()

    def undo(self) -> None:
        """Go back to the first look, and pause; whoever goes on, goes on from what was learnt."""
        self._wanted, self._undoing = False, True
        self._changed.set()

    def keep(self, name: str) -> Path:
        """Write what is shown as a style of the user's own.

        Raises:
            UsageError: the name is none, or is taken, or nothing was learnt yet.
            SinkError: it cannot be written.
        """
        if self._start is None or self._shown is None:
            raise UsageError("nothing was learnt yet")
        figures = self.figures
        record = {"steps": figures.steps, "seconds": round(figures.seconds, 1)}
        path = keep_style(name, move_ends(self._start, self._shown, record))
        self._kept.append(path)
        self._changed.set()
        return path

    # -- what is done

    def start(
        self, workers: WorkerGroup, session: LearningSession, stylizer: object, say: Callable[[str], None]
    ) -> None:
        """Be ready in a thread of this group."""
        if isinstance(stylizer, RefinableStylizer):
            workers.start("learning", lambda: self._run(workers.stopping, session, stylizer, say))

    def close(self) -> None:
        """Wake the thread, which looks whether it is to end."""
        self._changed.set()

    def _run(
        self,
        stopping: threading.Event,
        session: LearningSession,
        stylizer: RefinableStylizer,
        say: Callable[[str], None],
    ) -> None:
        try:
            while not stopping.is_set():
                try:
                    self._tend(session, stylizer, say)
                except Exception as error:  # whatever it is, the show goes on with what it has
                    words = describe_error(explain_failure(error, "learning"))
                    log.warning("%s; the show goes on with what was learnt", words)
                    log.debug("learning failed", exc_info=True)
                    say(words)
                    self._give_up(words)
                self._changed.wait(_TICK)
                self._changed.clear()
        finally:
            self._close_learner()

    def _tend(
        self, session: LearningSession, stylizer: RefinableStylizer, say: Callable[[str], None]
    ) -> None:
        style = stylizer.style
        if style != self._style:
            self._leave(style)
        painting = painting_of(style) if self._learner is None else self._painting
        self._note(painting="" if painting is None else painting.name)
        if self._undoing:
            self._undo(stylizer, session)
        if self._ending:
            self._ending = False
            self._close_learner()
            self._note(state="off")
        learns = self._wanted and self.figures.state != "done"
        if painting is not None and self._learner is None and (learns or self._kept):
            self._begin(painting, style, stylizer, self.seconds if learns else 0.0)
        if self._learner is not None:
            self._listen(self._learner, say)
            self._speak(self._learner, session)
        if self._wanted:
            self._show_newest(stylizer, session)

    def _begin(self, painting: Path, style: str, stylizer: RefinableStylizer, seconds: float) -> None:
        """Start the process; with no seconds to practise for, it only writes pages."""
        folder = folder_of(painting)
        self._painting = painting
        self._start = load_style(style)
        learnt = load_learnt(folder)
        if learnt is not None and learnt.architecture == self._start.architecture:
            self._newest = usual_end(learnt).weights
        job = LearningJob(
            painting,
            self._start,
            folder,
            seconds,
            self._threads,
            stylizer.device,
            self._features,
            settings=self._settings,
        )
        self._learner, self._told = Learner(job, _PATIENCE), -1.0
        self._practises = bool(seconds)
        if seconds:
            self._note(state="starting", trouble="")

    def _leave(self, style: str) -> None:
        """Another style was chosen: what was learnt of the one before is kept, and can be gone on with."""
        if self._learner is not None:
            self._close_learner()
        self._style, self._start, self._shown, self._newest = style, None, None, None
        self.figures = LearningFigures()

    def _undo(self, stylizer: RefinableStylizer, session: LearningSession) -> None:
        self._undoing = False
        if self._start is None:
            return
        stylizer.refine(self._style, self._start)
        self._shown = None
        self._note(first_look=True, state="paused" if self._learner is not None else "off")
        session.show_again()

    def _listen(self, learner: Learner, say: Callable[[str], None]) -> None:
        for word in learner.hear():
            match word:
                case Advance(steps, seconds, share, left) if self._practises:
                    self._note(steps=steps, seconds=seconds, left=left, share=share)
                case Improved(weights):
                    assert self._start is not None
                    move_ends(self._start, weights)  # which checks them
                    self._newest = weights
                case Note(text):
                    say(text)
                case Reported(text):
                    say(text)
                    self._unwritten -= 1
                case Done():
                    if self._practises:
                        self._note(state="done", share=1.0, left=0.0)
                        say(f"{self.figures.painting} is learnt")
                    self._practises = False

    def _speak(self, learner: Learner, session: LearningSession) -> None:
        """Tell it how to go on, and show it what is to be seen."""
        while self._kept:
            learner.tell(Report(self._kept.pop()))
            self._unwritten += 1
        if not self._practises:
            if not self._unwritten:
                self._close_learner()  # which gives its memory back
            return
        now = monotonic()
        if self._wanted and now >= self._due["pace"]:
            self._due["pace"] = now + _CHECK_EVERY
            pace, rest = session.pace, self._rest or 0.0
            if pace is not None and rest == _MOST_REST:
                self._best_rate = pace[0]
            self._rest = next_rest(rest, pace, self._best_rate)
        wanted = self._rest if self._wanted else None
        if wanted != self._told:
            self._told = wanted
            learner.tell(Rest(wanted))
        if not self._wanted:
            self._note(state="paused")
            return
        self._note(state="learning" if self.figures.steps else "starting", rest=self._rest or 0.0)
        frame = session.original
        if frame is not None and frame is not self._frame and now >= self._due["frame"]:
            self._frame, self._due["frame"] = frame, now + _FRAME_EVERY
            learner.tell(Practise(shrink(frame.pixels)))

    def _show_newest(self, stylizer: RefinableStylizer, session: LearningSession) -> None:
        """Let newer weights come in, in steps that are hardly seen each."""
        newest, start = self._newest, self._start
        if newest is None or start is None or newest is self._shown:
            return
        before = self._shown or usual_end(start).weights
        for step in range(1, _FADE_STEPS + 1):
            began = monotonic()
            share = step / _FADE_STEPS
            weights = newest if step == _FADE_STEPS else mix_weights([before, newest], [1 - share, share])
            if not stylizer.refine(self._style, move_ends(start, weights)):
                return
            self._shown = weights
            if self._changed.wait(max(0.0, _FADE / _FADE_STEPS - (monotonic() - began))):
                break  # the next round goes on from there
        else:
            self._note(versions=self.figures.versions + 1)
        self._note(first_look=False)
        session.show_again()

    def _give_up(self, why: str) -> None:
        self._wanted = False
        self._close_learner()
        self._note(state="off", trouble=why)

    def _close_learner(self) -> None:
        if self._learner is not None:
            self._learner.close()
            self._learner, self._practises, self._unwritten = None, False, 0

    def _note(self, **values: object) -> None:
        figures = replace(self.figures, **values)  # type: ignore[arg-type]
        if figures != self.figures:
            self.figures = figures
        if self.figures.state != "off":
            self.report = self.figures


def next_rest(rest: float, pace: tuple[float, float] | None, best_rate: float = math.inf) -> float:
    """Seconds of rest after each second of practice, from those before and how the show runs.

    Args:
        rest: before.
        pace: see `LearningSession.pace`.
        best_rate: frames shown a second where learning rests as long as it ever does.
    """
    if pace is None or pace[0] >= min(_LEAST_RATE, _LEAST_SHARE * pace[1], _LEAST_SHARE * best_rate):
        return 0.0 if rest <= _LEAST_REST else rest / 2
    return min(_MOST_REST, max(_LEAST_REST, rest) * 2)


def check_learning(settings: LiveSettings, *, changeable: bool) -> None:
    """See that what is to be learnt can be. Raises `UsageError`: the style is no painting, and stays."""
    if settings.learn is not None and not changeable and painting_of(settings.style) is None:
        raise UsageError(explain_no_painting(settings.style))


def choose_learning(settings: LiveSettings, *, changeable: bool = False) -> LiveLearning | None:
    """What learns as settings say; None where nothing is to be learnt, nor `changeable` later."""
    seconds = settings.learn_seconds(DEFAULT_SECONDS)
    if seconds is None and not changeable:
        return None
    return LiveLearning(seconds or DEFAULT_SECONDS, begins=seconds is not None, threads=beside_threads())
