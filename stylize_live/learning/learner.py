"""The process that learns, as whoever started it sees it. Torch is loaded there and not here."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Iterator
from contextlib import suppress

from stylize_live.engine.cpu.features import cores
from stylize_live.errors import CrashError
from stylize_live.learning.messages import LearningJob, Stop
from stylize_live.learning.worker import work
from stylize_live.lifecycle import Closeable

_MOST_THREADS = 8
_USUAL_PATIENCE = 10.0  # seconds


class Learner(Closeable):
    """Learns a painting in a process of its own, which ends with this one, however this one ends.

    For one thread at a time.

    Args:
        job: what to learn.
        patience: seconds that it has to end a step and keep its state, when it is closed.
    """

    def __init__(self, job: LearningJob, patience: float = _USUAL_PATIENCE) -> None:
        self._patience = patience
        fresh = multiprocessing.get_context("spawn")  # threads and GPUs do not outlive a fork
        self._pipe, other = fresh.Pipe()
        self._process = fresh.Process(target=work, args=(other,), name="stylize-learning", daemon=True)
        self._process.start()
        other.close()
        # No argument: `start` would wait for ever for a process that is killed before it reads all.
        self.tell(job)

    def tell(self, word: object) -> None:
        """Say something of `messages` to it; if it has died, `hear` tells."""
        with suppress(OSError):
            self._pipe.send(word)

    def hear(self, seconds: float = 0.0) -> Iterator[object]:
        """What it said since, as in `messages`; waits so long for the first word.

        Raises:
            CrashError: it died.
            StylizeError: it cannot go on; the error says why.
        """
        while True:
            try:
                if not self._pipe.poll(seconds):
                    return
                word = self._pipe.recv()
            except (EOFError, OSError):
                raise CrashError(f"what learns the painting has ended ({self._death()})") from None
            if isinstance(word, Exception):
                raise word
            yield word
            seconds = 0.0

    def _death(self) -> str:
        self._process.join(self._patience)
        code = self._process.exitcode
        if code is not None and code < 0:
            return signal.Signals(-code).name
        return f"exit code {code}"

    def close(self) -> None:
        """Have it keep its state and end; killed where a step takes too long. May be called twice."""
        with suppress(OSError):
            self._pipe.send(Stop())
        self._process.join(self._patience)
        if self._process.is_alive():
            self._process.kill()
            self._process.join(self._patience / 2)
        self._pipe.close()


def beside_threads() -> int:
    """Threads to learn with beside something else: half of the cores, at most eight."""
    return max(1, min(_MOST_THREADS, cores() // 2))


def all_threads() -> int:
    """Threads to learn with where nothing else is to be done."""
    return max(1, min(_MOST_THREADS, cores()))
