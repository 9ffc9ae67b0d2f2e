"""What the commands share: where words go."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape

# Names are said as they are: no emoji for a ":cat:" in one of them.
stdout = Console(highlight=False, soft_wrap=True, emoji=False)
stderr = Console(stderr=True, highlight=False, soft_wrap=True, emoji=False)


def print_line(text: str) -> None:
    """A result, on stdout, exactly as it is (brackets in file names are no markup)."""
    stdout.print(text, markup=False)


def print_beside(text: str) -> None:
    """A result, on stderr, exactly as it is: stdout carries something else."""
    stderr.print(text, markup=False)


def warn(text: str) -> None:
    """A remark, on stderr."""
    stderr.print(f"note: {text}", markup=False, style="yellow")


def fail(text: str) -> None:
    """What went wrong, on stderr."""
    stderr.print(f"[bold red]error:[/] {escape(text)}")
