"""Bars that show how far a command is, while it works and on a terminal only."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.constrain import Constrain
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskID, TextColumn
from rich.table import Column
from rich.text import Text

from stylize_live.cli.console import bars_drawn, stderr


def has_bars() -> bool:
    """Whether standard error is a terminal on which something can be drawn over."""
    return stderr.is_terminal and not stderr.is_dumb_terminal


class Bars(Progress):
    """Lines at the bottom of the terminal, one for each task; they are gone at the end.

    What is said meanwhile stands above them.

    Args:
        columns: of each line, from left to right.

    Attributes:
        below: words under all lines; they wrap, and so take no room from the bars.
    """

    def __init__(self, *columns: ProgressColumn) -> None:
        self.below = ""
        super().__init__(
            *columns, console=stderr, disable=not has_bars(), transient=True, redirect_stdout=False
        )

    def get_renderable(self) -> RenderableType:
        """See `Progress`; leaves room for the terminal's own "^C", which would begin a line of its own."""
        shown = super().get_renderable()
        if self.below:
            shown = Group(shown, Text(self.below))
        return Constrain(shown, stderr.width - len("^C") - 1)

    def remove_task(self, task_id: TaskID) -> None:
        """See `Progress`. Draws at once: else a line that is said meanwhile would stand too high."""
        super().remove_task(task_id)
        self.refresh()

    def start(self) -> None:
        """Draw them. To be ended by `stop`."""
        super().start()
        if not self.disable and self not in bars_drawn:
            bars_drawn.append(self)

    def stop(self) -> None:
        """Take them away. May be called twice."""
        super().stop()
        if self in bars_drawn:
            bars_drawn.remove(self)


class NameColumn(ProgressColumn):
    """What a task is called, in at most a third of the line, so that the rest has room."""

    def render(self, task: Task) -> Text:
        """See `ProgressColumn`."""
        name = Text(task.description, style="bold", no_wrap=True)
        name.truncate(stderr.width // 3, overflow="ellipsis")
        return name


def bar_column() -> BarColumn:
    """The one that takes what is left of the line."""
    return BarColumn(table_column=Column(min_width=4))


def figures_column(field: str) -> TextColumn:
    """One that is never cut: a field of the task."""
    return TextColumn(f"{{task.fields[{field}]}}", markup=False, table_column=Column(no_wrap=True))
