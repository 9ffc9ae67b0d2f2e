"""What `train` shows while it works: how far it is, how long it takes, where to look."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

from rich.progress import TextColumn

from stylize_live.cli.console import stderr
from stylize_live.cli.progress_bars import Bars, NameColumn, bar_column, figures_column
from stylize_live.lifecycle import Closeable
from stylize_live.system.clock import monotonic

if TYPE_CHECKING:
    from stylize_live.training.trainer import Progress

_SECONDS_BETWEEN_LINES = 30.0
_STEPS_BETWEEN_LINES = 50  # of those about losses


class TrainDisplay(Closeable):
    """A bar on a terminal, a line now and then elsewhere.

    Args:
        name: of the style.
        report: the page about the run.
        verbose: whether the plan and the losses are shown, too.
    """

    def __init__(self, name: str, report: Path, *, verbose: bool) -> None:
        self._report, self._verbose = report, verbose
        self._bar = Bars(
            NameColumn(), bar_column(), TextColumn("{task.percentage:3.0f} %"), figures_column("left")
        )
        self._task = self._bar.add_task(name, total=1.0, left="preparing")
        self._steps = 0
        self._said_at = -math.inf
        self._bar.start()

    def step(self, state: Progress) -> None:
        """A step is done."""
        self._steps += 1
        if self._steps == 1:
            self._say(f"progress report: {self._report}")
        share = state.seconds / (state.seconds + state.left) if state.left else 1.0
        left = time_left(state.left)
        self._bar.below = _losses(state) if self._verbose else ""
        self._bar.update(self._task, completed=share, left=left)
        if self._bar.disable and self._is_due(state.step):
            losses = f"  {_losses(state)}" if self._verbose else ""
            self._say(f"{share:4.0%} trained, {left}{losses}")

    def _is_due(self, step: int) -> bool:
        if self._verbose:
            return step % _STEPS_BETWEEN_LINES == 0
        now = monotonic()
        due = now - self._said_at >= _SECONDS_BETWEEN_LINES
        if due:
            self._said_at = now
        return due

    def note(self, words: str) -> None:
        """What comes next; before the first step that is the plan, which few want to read."""
        if self._steps or self._verbose:
            self._say(words)

    def _say(self, words: str) -> None:
        stderr.print(words, markup=False)

    def close(self) -> None:
        """Take the bar away. May be called twice."""
        self._bar.stop()


def time_left(seconds: float) -> str:
    """Seconds to the end as people say them."""
    if seconds > 90:
        return f"about {math.ceil(seconds / 60)} minutes left"
    return f"about {math.ceil(seconds / 10) * 10} seconds left" if seconds else "nearly done"


def _losses(state: Progress) -> str:
    return f"step {state.step}  " + "  ".join(f"{name} {value:.3f}" for name, value in state.terms.items())
