"""What the commands share: where words go."""

from __future__ import annotations

import logging
import warnings

from rich.console import Console
from rich.markup import escape

from stylize_live.wording import as_json, plain, shorten

# Names of files are no markup, and ":fire:" in one is no emoji.
stdout = Console(highlight=False, soft_wrap=True, emoji=False)
stderr = Console(stderr=True, highlight=False, soft_wrap=True, emoji=False)
bars_drawn: list[object] = []  # at this moment, by `stylize_live.cli.progress_bars`


class ConsoleHandler(logging.Handler):
    """Shows the library's log on stderr, above bars."""

    def emit(self, record: logging.LogRecord) -> None:
        """See `logging.Handler`."""
        text = self.format(record)
        lines = text.splitlines() if record.exc_info else [text]
        stderr.print("\n".join(map(shorten, lines)), markup=False)


def print_line(text: str) -> None:
    """A result, on stdout, exactly as it is (brackets in file names are no markup), but for what a terminal
    would obey, if it is one.

    On a terminal with bars it takes their way, which puts it above them: they are drawn over all else.
    """
    if stdout.is_terminal:
        text = "\n".join(map(plain, text.split("\n")))
    console = stderr if bars_drawn and stdout.is_terminal else stdout
    console.print(text, markup=False)


def print_json(value: object, indent: int | None = None) -> None:
    """A result for programs, on stdout."""
    stdout.print(as_json(value, indent), markup=False)


def cell(text: object) -> str:
    """What stands in a table or beside a bar: no markup, and nothing that a terminal would obey."""
    return escape(plain(str(text)))


def print_beside(text: str) -> None:
    """A result, on stderr: stdout carries something else."""
    stderr.print(plain(text), markup=False)


def warn(text: str) -> None:
    """A remark, on stderr."""
    stderr.print(f"note: {shorten(text)}", markup=False, style="yellow")


def fail(text: str) -> None:
    """What went wrong, on stderr."""
    stderr.print(f"[bold red]error:[/] {escape(shorten(text))}")


def hide_warnings() -> None:
    """Those of libraries that tell people nothing."""
    # Pillow's remark about large images; those it deems dangerous, twice as large, are an error.
    warnings.filterwarnings("ignore", "Image size .* exceeds limit")
    # Torch's about an old driver, which `explain_unused_gpu` says with the command that mends it.
    warnings.filterwarnings("ignore", "CUDA initialization: The NVIDIA driver on your system is too old")


def show_logs(level: int) -> None:
    """What libraries and this package have to say from a level on, on stderr."""
    logging.basicConfig(
        level=level, format="%(levelname)s %(name)s: %(message)s", handlers=[ConsoleHandler()]
    )
