"""Many videos in a process of their own: if a library crashes on one of them, the queue goes on.

Python cannot catch a crash in FFmpeg or in a GPU's driver. So one process paints all videos and tells
this one how far it is; if it dies, the video it worked on is named, and a new one goes on behind it. That
costs nothing for each video, and the parent stays small: it never loads what could crash.
"""

from __future__ import annotations

import logging
import multiprocessing
import pickle
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import replace
from logging.handlers import QueueHandler
from multiprocessing.connection import Connection
from typing import Any, TypeVar, cast

from stylize_live.concurrency.signals import leave_signals_to_parent
from stylize_live.config import ConvertSettings
from stylize_live.conversion.progress import ConvertProgress
from stylize_live.conversion.queue import ConversionJob, ConversionOutcome, convert_all
from stylize_live.conversion.segment_store import remove_abandoned
from stylize_live.conversion.stylizers import FrameStylizer
from stylize_live.errors import CrashError, StylizeError
from stylize_live.lifecycle import Closeable
from stylize_live.wording import options_as_flags

_SECONDS_TO_STOP = 10  # after it was asked to; then it is killed, which costs a segment at most

T = TypeVar("T")
OpenStylizer = Callable[[], AbstractContextManager[FrameStylizer]]


def convert_in_subprocess(
    jobs: Sequence[ConversionJob],
    open_stylizer: OpenStylizer,
    settings: ConvertSettings,
    *,
    overwrite: bool = False,
    restart: bool = False,
    on_start: Callable[[ConversionJob], None] = lambda job: None,
    on_progress: Callable[[ConvertProgress], None] = lambda progress: None,
) -> Iterator[ConversionOutcome]:
    """Convert videos as `convert_all` does, in another process; reports come without their pair of images.

    What is logged there is logged here.

    Args:
        jobs, settings, overwrite, restart, on_start, on_progress: see `convert_all`.
        open_stylizer: called in that process, so it must be one that `pickle` takes.

    Yields:
        How each video ended, as soon as it did; one on which the process died has failed with `CrashError`.

    Raises:
        StylizeError: the stylizer cannot be opened.
        CrashError: the process died before it began a video.
    """
    waiting = list(jobs)
    while waiting:
        at_work: ConversionJob | None = None
        level = logging.getLogger().level
        with _Process(_convert, waiting, open_stylizer, settings, overwrite, restart, level) as process:
            for message in process.messages():
                match message:
                    case ConversionJob():
                        at_work = message
                        on_start(message)
                    case ConvertProgress():
                        on_progress(message)
                    case ConversionOutcome():
                        at_work = None
                        waiting.remove(message.job)
                        yield message
                    case logging.LogRecord():
                        logging.getLogger(message.name).handle(message)
                    case Exception():
                        raise message
            death = process.death()
        if death is None:
            return
        if at_work is None:
            raise CrashError(f"the painting process ended before it began a video ({death})")
        waiting.remove(at_work)
        yield ConversionOutcome(at_work, "failed", error=_crash(at_work, death))


def _crash(job: ConversionJob, death: str) -> CrashError:
    """The error of a video; its hidden folder is removed unless segments are in it."""
    remove_abandoned(job.target)
    return CrashError(
        f"{job.source}: the process crashed while it painted this video ({death}), please report it"
    )


def answer_in_subprocess(ask: Callable[..., T], *arguments: object) -> T | None:
    """What a function returns when it is called in another process; None if that process dies."""
    with _Process(_answer, ask, *arguments) as process:
        return next(process.messages(), None)


class _Process(Closeable):
    """A fresh Python that calls a function with one end of a pipe, and what that sends.

    Args:
        work: function of a module.
        arguments: for it, behind its end of the pipe.
    """

    def __init__(self, work: Callable[..., None], *arguments: object) -> None:
        fresh = multiprocessing.get_context("spawn")  # threads and GPUs do not outlive a fork
        self._pipe, other = fresh.Pipe()
        self._process = fresh.Process(target=work, args=(other, *arguments), daemon=True)
        self._process.start()
        other.close()

    def messages(self) -> Iterator[Any]:
        """What is sent, until the other end is closed, by whatever."""
        while True:
            try:
                yield self._pipe.recv()
            except (EOFError, ConnectionResetError):
                return

    def death(self) -> str | None:
        """How it died, or None if it ended as it should."""
        self._process.join()
        code = self._process.exitcode or 0
        if code >= 0:
            return f"exit code {code}" if code else None
        return signal.Signals(-code).name

    def close(self) -> None:
        """Ask it to stop, and wait. May be called twice."""
        self._pipe.close()
        self._process.join(_SECONDS_TO_STOP)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()


def _answer(pipe: Connection, ask: Callable[..., object], *arguments: object) -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # ends at once, without a word
    pipe.send(ask(*arguments))


class _Outbox:
    """The way to whoever started the process, for all threads."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe, self._lock = pipe, threading.Lock()

    def send(self, message: object) -> None:
        with self._lock:
            self._pipe.send(message)

    def put_nowait(self, record: logging.LogRecord) -> None:
        """For `QueueHandler`. Lines that nobody waits for any more are lost."""
        with suppress(OSError):
            self.send(record)


def _convert(
    pipe: Connection,
    jobs: Sequence[ConversionJob],
    open_stylizer: OpenStylizer,
    settings: ConvertSettings,
    overwrite: bool,
    restart: bool,
    log_level: int,
) -> None:
    """What the process does. Its parent takes Ctrl-C and the like; if that is gone, nothing goes on."""
    leave_signals_to_parent()
    outbox = _Outbox(pipe)
    # Not on this terminal, where another process draws.
    logging.basicConfig(level=log_level, format="%(message)s", handlers=[QueueHandler(cast("Any", outbox))])
    logging.captureWarnings(True)

    def progress(progress: ConvertProgress) -> None:
        if _is_closed(pipe):
            raise KeyboardInterrupt
        outbox.send(progress)

    try:
        with options_as_flags(), open_stylizer() as stylizer:  # the command line asked for it
            outcomes = convert_all(
                jobs,
                stylizer,
                settings,
                overwrite=overwrite,
                restart=restart,
                on_start=outbox.send,
                on_progress=progress,
            )
            for outcome in outcomes:
                outbox.send(_portable(outcome))
    except (KeyboardInterrupt, BrokenPipeError):
        return
    except Exception as error:
        outbox.send(portable_error(error))


def _is_closed(pipe: Connection) -> bool:
    """Whether the other end is; nothing is ever sent this way."""
    try:
        return pipe.poll()
    except OSError:  # how Windows puts it
        return True


def _portable(outcome: ConversionOutcome) -> ConversionOutcome:
    """Without its pair of images, and with an error that can be pickled."""
    report = replace(outcome.report, pair=None) if outcome.report else None
    error = portable_error(outcome.error) if outcome.error else None
    return replace(outcome, report=report, error=error)


def portable_error(error: Exception) -> Exception:
    """The same error, or one in its place that can be pickled."""
    try:
        pickle.loads(pickle.dumps(error))  # our own, of this moment
    except Exception:
        if isinstance(error, StylizeError):
            raise
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error
