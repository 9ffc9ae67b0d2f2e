"""Ctrl-C, which ends gracefully the first time, and the other signals that ask a program to end."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from stylize_live.errors import EXIT_INTERNAL, EXIT_INTERRUPTED, EXIT_OK

# SIGBREAK is what Windows sends for Ctrl-Break, for a closed console and at the end of a session.
_OTHERS = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP", "SIGBREAK") if hasattr(signal, name)]
_BESIDE_CTRL_C = 128


class Ending:
    """Whether a signal other than Ctrl-C asked this process to end.

    Attributes:
        number: of the signal, or None.
    """

    def __init__(self) -> None:
        self.number: int | None = None
        self._terminals = [fd for fd in (1, 2) if _is_terminal(fd)]

    def code(self, code: int) -> int:
        """The exit code, where it would be `code` without the signal."""
        # With its terminal gone, a program may fail where it has something to say.
        if self.number is None or code not in (EXIT_OK, EXIT_INTERNAL, EXIT_INTERRUPTED):
            return code
        return _BESIDE_CTRL_C + self.number

    def hear(self, number: int, where: FrameType | None) -> None:
        """Do what Ctrl-C would do now. Later signals of these kinds change nothing."""
        self.number = number
        for other in _OTHERS:
            signal.signal(other, signal.SIG_IGN)
        if number == getattr(signal, "SIGHUP", None):
            self._leave_terminal()
        on_interrupt = signal.getsignal(signal.SIGINT)
        if not callable(on_interrupt):  # ignored in the background; or the second time, when it would kill
            raise KeyboardInterrupt
        on_interrupt(number, where)

    def _leave_terminal(self) -> None:
        """It is gone: what is still said would be an error."""
        if self._terminals:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            for descriptor in self._terminals:
                os.dup2(nowhere, descriptor)
            os.close(nowhere)


def _is_terminal(descriptor: int) -> bool:
    try:
        return os.isatty(descriptor)
    except OSError:
        return False


@contextmanager
def end_like_ctrl_c() -> Iterator[Ending]:
    """Let SIGTERM, SIGHUP and SIGBREAK do what Ctrl-C does, unless whoever started us has them ignored.

    Does nothing outside the main thread, where signals cannot be caught.
    """
    ending = Ending()
    if threading.current_thread() is not threading.main_thread():
        yield ending
        return
    ours = [number for number in _OTHERS if signal.getsignal(number) == signal.SIG_DFL]
    for number in ours:
        signal.signal(number, ending.hear)
    try:
        yield ending
    finally:
        for number in ours:
            signal.signal(number, signal.SIG_DFL)


def leave_signals_to_parent() -> None:
    """For a process whose parent tells it when to end: a terminal sends to all of its processes at once."""
    for number in (signal.SIGINT, *_OTHERS):
        signal.signal(number, signal.SIG_IGN)


@contextmanager
def stop_on_ctrl_c(stop: threading.Event) -> Iterator[None]:
    """Turn the first Ctrl-C into an event; the second one ends the process at once.

    Does nothing outside the main thread, where signals cannot be caught.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def on_interrupt(number: int, where: FrameType | None) -> None:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        stop.set()

    before = signal.signal(signal.SIGINT, on_interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.SIG_DFL if before is None else before)
