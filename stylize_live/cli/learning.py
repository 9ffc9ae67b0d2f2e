"""`--learn` of `image` and `convert`: the painting is learnt first, with a bar."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

from rich.progress import TextColumn

from stylize_live.cli.console import print_beside, stderr
from stylize_live.cli.paintings import say_paintings
from stylize_live.cli.progress_bars import Bars, NameColumn, bar_column, figures_column
from stylize_live.cli.train_display import time_left
from stylize_live.config import ConvertSettings, ImageSettings
from stylize_live.errors import UsageError
from stylize_live.system.clock import monotonic

if TYPE_CHECKING:
    from stylize_live.frame import Pixels
    from stylize_live.learning.messages import Advance

_USUAL = 60.0  # seconds
_SECONDS_BETWEEN_LINES = 15.0
SettingsT = TypeVar("SettingsT", ConvertSettings, ImageSettings)


def learn_style(settings: SettingsT, sample: Callable[[], Sequence[Pixels]]) -> SettingsT:
    """Learn the painting that is the style, if that is asked for.

    Args:
        settings: of the command.
        sample: gives frames to practise on.

    Returns:
        The settings with the learnt style's file; the same ones where nothing is to be learnt.

    Raises:
        UsageError: the style is no painting.
        StylizeError: it cannot be learnt.
    """
    seconds = settings.learn_seconds(_USUAL)
    if seconds is None:
        return settings
    from stylize_live.engine.device_selection import choose_device_name
    from stylize_live.engine.style_loading import load_style
    from stylize_live.learning.first import learn_first, learnt_file
    from stylize_live.learning.paintings import explain_no_painting, painting_of
    from stylize_live.learning.words import describe_learning

    painting = painting_of(settings.style)
    if painting is None:
        raise UsageError(explain_no_painting(settings.style))
    frames = sample()
    path = learnt_file(painting, seconds, frames)
    if path.is_file():
        print_beside(f"{painting.name} was learnt before")
        return settings.model_copy(update={"style": str(path)})
    say_paintings(settings.style)
    start = load_style(settings.style)
    print_beside(describe_learning(painting.name, seconds, "first"))
    with Bars(
        NameColumn(), bar_column(), TextColumn("{task.percentage:3.0f} %"), figures_column("left")
    ) as bars:
        show = _Display(bars, painting.name)
        try:
            path = learn_first(
                painting,
                start,
                seconds,
                frames=frames,
                device=choose_device_name(settings.device),
                on_advance=show,
                on_note=print_beside,
            )
        except KeyboardInterrupt:
            stderr.print("the same command goes on learning from there")
            raise
    return settings.model_copy(update={"style": str(path)})


class _Display:
    """A bar on a terminal, a line now and then elsewhere."""

    def __init__(self, bars: Bars, name: str) -> None:
        self._name = name
        self._bars, self._task = bars, bars.add_task(f"learning {name}", total=1.0, left="preparing")
        self._said_at = -math.inf

    def __call__(self, advance: Advance) -> None:
        share = advance.share
        self._bars.update(self._task, completed=share, left=time_left(advance.left))
        now = monotonic()
        if self._bars.disable and now - self._said_at >= _SECONDS_BETWEEN_LINES:
            self._said_at = now
            print_beside(f"{self._name}: {100 * share:.0f} % learnt, {time_left(advance.left)}")
