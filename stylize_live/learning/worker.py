"""The process that learns: the trainer at the lowest priority, and what it hears and says by a pipe.

It ends when it is told to, when its practice is done, and when the other end of the pipe is gone.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from stylize_live.concurrency.signals import leave_signals_to_parent
from stylize_live.errors import SinkError, StylizeError, TrainingError, describe_error
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
    Stop,
)
from stylize_live.learning.store import LEARNT, STATE, claimed, prune
from stylize_live.nets.ends import move_ends, usual_end
from stylize_live.system.clock import monotonic
from stylize_live.system.processes import lower_priority

if TYPE_CHECKING:
    from stylize_live.training.refinement import Better, Refinement

log = logging.getLogger(__name__)

_SAVES = 15.0  # seconds of practice between two states on the disk, at least


class _EndedError(Exception):
    """The process is to end."""


class _FinishedError(Exception):
    """All the practice is done."""


def work(pipe: Connection) -> None:
    """Learn what the pipe gives first, and say by it how far it is; see `messages`."""
    leave_signals_to_parent()
    lower_priority()
    try:
        job: LearningJob = pipe.recv()
    except (EOFError, OSError):
        return  # nobody is left
    inbox = _Inbox(pipe)
    # Before torch is loaded, which asks once.
    os.environ["OMP_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = str(job.threads)
    with suppress(BrokenPipeError, ConnectionResetError, EOFError, _EndedError):
        try:
            with _folder(job.folder, pipe) as folder:
                _Worker(pipe, inbox, job, folder).run()
        except (StylizeError, OSError, MemoryError) as error:
            if isinstance(error, (BrokenPipeError, ConnectionResetError)):
                raise
            pipe.send(TrainingError(describe_error(error)))


@contextmanager
def _folder(folder: Path, pipe: Connection) -> Iterator[Path]:
    """Where the state is kept; for this run alone, where nothing can be written there."""
    from stylize_live.file_locks import scratch_folder

    try:
        claim = claimed(folder)
        ours = claim.__enter__()
    except SinkError as error:
        pipe.send(Note(f"what is learnt is not kept: {error}"))
        with scratch_folder() as other:
            yield other
        return
    try:
        if not ours:
            raise TrainingError("this painting is being learnt already, by another program")
        prune(folder)
        yield folder
    finally:
        claim.__exit__(None, None, None)


class _Inbox:
    """What was said to this process. It is always read: both ends would wait for each other where both have
    much to say.

    Attributes:
        is_ready: whether somebody looks. Before that, there is nothing to keep, and the process ends at once.
    """

    def __init__(self, pipe: Connection) -> None:
        self.is_ready = False
        self._pipe = pipe
        self._words: SimpleQueue[object] = SimpleQueue()
        threading.Thread(target=self._receive, name="stylize-inbox", daemon=True).start()

    def _receive(self) -> None:
        word: object = None
        while not isinstance(word, EOFError):
            try:
                word = self._pipe.recv()
            except (EOFError, OSError):
                word = EOFError()
            if not self.is_ready and isinstance(word, Stop | EOFError):
                os._exit(0)
            self._words.put(word)

    def take(self, seconds: float | None) -> object:
        """The next word; waits so long for it, or for ever. Raises `Empty`."""
        return self._words.get(timeout=seconds) if seconds != 0 else self._words.get_nowait()


class _Worker:
    def __init__(self, pipe: Connection, inbox: _Inbox, job: LearningJob, folder: Path) -> None:
        self._pipe, self._job, self._folder = pipe, job, folder
        self._inbox = inbox
        self._rest: float | None = 0.0
        self._measured_at = self._saved_at = self._begun_at = 0.0
        self._passed = 0.0  # seconds of practice and rests, by the clock
        self._keeps = True
        self._refinement = self._begin()
        inbox.is_ready = True

    def _begin(self) -> Refinement:
        import torch

        from stylize_live.learning.photos import HELD_OUT, load_photos
        from stylize_live.media.libraries import cv2
        from stylize_live.training.features import load_features
        from stylize_live.training.plan import feature_precision
        from stylize_live.training.refinement import RECIPE, Refinement

        job = self._job
        torch.set_num_threads(job.threads)
        cv2.setNumThreads(1)
        device = torch.device(job.device)
        dtype = torch.bfloat16 if feature_precision(device) == "bfloat16" else torch.float32
        refinement = Refinement(
            usual_end(job.start),
            job.painting,
            load_photos(),
            held_out=HELD_OUT,
            features=load_features(job.features, device=device, dtype=dtype),
            state=self._folder / STATE,
            device=device,
            settings=RECIPE.model_copy(update=job.settings),
        )
        for frame in job.frames:
            refinement.crops.add(frame)
        return refinement

    def run(self) -> None:
        """Practise, then wait to be told to end. Raises `_EndedError`, or `EOFError` where nobody is left."""
        refinement = self._refinement
        self._give(refinement.resume())
        self._begun_at = self._measured_at = self._saved_at = refinement.seconds
        self._advance()
        if refinement.seconds < self._job.seconds:
            try:
                refinement.run(self._after_step)
            except (_FinishedError, _EndedError, EOFError, BrokenPipeError, ConnectionResetError) as end:
                self._save()
                if not isinstance(end, _FinishedError):
                    raise
        self._pipe.send(Done())
        while True:  # a page about it may still be asked for
            self._listen(None)

    def _after_step(self, took: float) -> None:
        refinement = self._refinement
        self._passed += took * (1 + (self._rest or 0.0))
        done = refinement.seconds >= self._job.seconds
        if done or refinement.seconds - self._measured_at >= self._job.every:
            self._give(refinement.measure())
            self._measured_at = refinement.seconds
        self._advance()
        if refinement.seconds - self._saved_at >= _SAVES:
            self._save()
        if done:
            raise _FinishedError
        self._listen(took)

    def _advance(self) -> None:
        refinement = self._refinement
        seconds, whole = refinement.seconds, self._job.seconds
        practised = seconds - self._begun_at
        pace = self._passed / practised if practised > 0 else 1.0
        share = min(1.0, seconds / whole) if whole else 1.0
        left = max(0.0, whole - seconds) * max(1.0, pace)
        self._pipe.send(Advance(refinement.progress.step, seconds, share, left))

    def _give(self, better: Better | None) -> None:
        if better is not None:
            self._pipe.send(Improved(better.weights, better.steps, better.seconds))
            self._save(better)

    def _save(self, better: Better | None = None) -> None:
        """Keep the state, and what is better; a full disk is no reason to stop."""
        from stylize_live.nets.checkpoint import save_checkpoint

        self._saved_at = self._refinement.seconds
        try:
            self._refinement.save()
            if better is not None:
                record = {
                    "steps": better.steps,
                    "seconds": round(better.seconds, 1),
                    "device": self._job.device,
                }
                save_checkpoint(self._folder / LEARNT, move_ends(self._job.start, better.weights, record))
        except SinkError as error:
            if self._keeps:
                self._pipe.send(Note(f"learning goes on, but is not kept: {error}"))
            self._keeps = False
        else:
            self._keeps = True

    def _listen(self, took: float | None) -> None:
        """Do what was said, and rest as long as was said.

        Args:
            took: seconds of the last step; None waits for a word, again and again.
        """
        begun = monotonic()
        while True:
            wait = None
            if took is not None and self._rest is not None:
                wait = max(0.0, self._rest * took - (monotonic() - begun))
            try:
                word = self._inbox.take(wait)
            except Empty:
                return
            self._hear(word)

    def _hear(self, word: object) -> None:
        match word:
            case EOFError():
                raise word
            case Rest(seconds):
                self._rest = seconds
            case Practise(frame):
                self._refinement.crops.add(frame)
            case Report(style):
                self._report(style)
            case Stop():
                raise _EndedError

    def _report(self, style: Path) -> None:
        from stylize_live.learning.report import write_report

        try:
            said = f"report: {write_report(style, self._job, self._refinement).name}"
        except (StylizeError, OSError) as error:
            said = f"no report: {describe_error(error)}"
        self._pipe.send(Reported(said))
