"""What `--help` looks like: options under headings, lines broken where the terminal ends."""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING, Any

from cyclopts import App
from cyclopts.help import DefaultFormatter, HelpEntry, HelpPanel
from rich.text import Text

from stylize_live.cli.help_sections import OTHERS, SECTIONS, Sections, section_of

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions

_WIDEST = 110  # columns; longer lines are hard to read
_ALL = "Parameters"  # what Cyclopts calls the options that have no heading
_NO_DEFAULTS = ("False", '""')  # that tell nothing
_KINDS = {"STR": "TEXT", "STR...": "TEXT...", "INT": "NUMBER", "FLOAT": "NUMBER"}
_TERM = re.compile(r"\s+\S.*?\s{2,}(?=\S)")  # of an indented line: what its second half explains


def shape_help(command: App, name: str) -> None:
    """Give a command's help our boxes and its own longer text."""
    command.help = None
    command.help_epilogue = ""
    command.help_formatter = HelpShape(SECTIONS.get(name, {}))


class HelpShape(DefaultFormatter):
    """Cyclopts' boxes, one for each heading.

    Args:
        sections: which options stand under which heading.
    """

    def __init__(self, sections: Sections) -> None:
        super().__init__()
        self._sections = sections

    def __call__(self, console: Console, options: ConsoleOptions, panel: HelpPanel) -> None:
        """Show one box of Cyclopts' as several."""
        for part in split_sections(panel, self._sections):
            console.print(self._render_panel(part, console, options), width=min(console.width, _WIDEST))

    def render_description(self, console: Console, options: ConsoleOptions, description: Any) -> None:
        """Show what stands above the boxes."""
        text = getattr(description, "primary_renderable", None)
        if text is not None:
            console.print(Text(reflow(str(text), min(console.width, _WIDEST))), end="\n\n")


def split_sections(panel: HelpPanel, sections: Sections) -> list[HelpPanel]:
    """Split a box of options into one for each heading, in order; other boxes stay."""
    entries = [_simplify(entry) for entry in panel.entries]
    if panel.format != "parameter" or str(panel.title) != _ALL or not sections:
        return [panel.copy(entries=entries)]
    found: dict[str, list[tuple[int, HelpEntry]]] = {heading: [] for heading in (*sections, OTHERS)}
    for entry in entries:
        heading, place = section_of(entry.positive_names[0].removeprefix("--"), sections)
        found[heading].append((place, entry))
    return [
        panel.copy(title=heading, entries=[entry for _, entry in sorted(rows, key=lambda row: row[0])])
        for heading, rows in found.items()
        if rows
    ]


def _simplify(entry: HelpEntry) -> HelpEntry:
    """Leave out --no-x of what is off by default, and that it is off."""
    text = getattr(entry.description, "primary_renderable", None)
    return entry.copy(
        description=entry.description if text is None else Text(" ".join(str(text).split())),
        negative_names=() if entry.default == "False" else entry.negative_names,
        default=None if entry.default in _NO_DEFAULTS else entry.default,
        metavar=_KINDS.get(entry.metavar or "", entry.metavar),
    )


def reflow(text: str, width: int) -> str:
    """Join a text's lines to paragraphs and wrap them anew.

    Indented lines stay lines; in lists, the second halves stand below each other.
    """
    blocks: list[str] = []
    for line in text.strip().splitlines():
        if blocks and _goes_on(blocks[-1], line):
            blocks[-1] += " " + line.strip()
        else:
            blocks.append(line)
    return "\n".join(_wrap(block, width) for block in blocks)


def _goes_on(block: str, line: str) -> bool:
    """Whether a line belongs to what stands above it."""
    if not block.strip() or not line.strip():
        return False
    return _indent(line) == (_hanging(block) if _indent(block) else 0)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _hanging(block: str) -> int:
    """Where a block's further lines begin."""
    term = _TERM.match(block)
    return term.end() if term else _indent(block) + 2 if _indent(block) else 0


def _wrap(block: str, width: int) -> str:
    indent = " " * _hanging(block)
    return textwrap.fill(
        block, width, subsequent_indent=indent, break_on_hyphens=False, break_long_words=False
    )
