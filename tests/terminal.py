"""A pseudo-terminal to run a program in, and the screen that a person would see."""

from __future__ import annotations

import os
import re
import struct
import subprocess
import sys
from collections.abc import Callable, Sequence

import pytest
from places import ROOT
from rich.cells import cell_len

fcntl, termios = map(pytest.importorskip, ("fcntl", "termios"))  # no pseudo-terminals elsewhere

_ROWS = 24
_SEQUENCE = re.compile(r"\x1b\[([?\d;]*)([A-Za-z])")
# Ctrl-C is for the programs of the terminal that a session has taken for its own.
TAKE_TERMINAL = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""


class Screen:
    """What stands on a terminal after some output, with all that was scrolled away."""

    def __init__(self, columns: int) -> None:
        self._columns = columns
        self._lines: list[list[str]] = [[]]
        self._row = self._column = 0

    @property
    def lines(self) -> list[str]:
        """Those with words on them."""
        return [text for line in self._lines if (text := "".join(line).rstrip())]

    def feed(self, text: str) -> None:
        place = 0
        while place < len(text):
            if match := _SEQUENCE.match(text, place):
                self._obey(match[1], match[2])
                place = match.end()
            else:
                self._put(text[place])
                place += 1

    def _obey(self, arguments: str, command: str) -> None:
        match command:
            case "A":
                top = max(0, len(self._lines) - _ROWS)
                self._row = max(top, self._row - int(arguments or 1))
            case "K" if arguments == "2":
                self._lines[self._row] = []
            case "K" if arguments in ("", "0"):
                del self._lines[self._row][self._column :]
            case "m" | "h" | "l":  # colours, the cursor itself
                pass
            case _:
                raise NotImplementedError(f"escape sequence {arguments}{command}")

    def _put(self, letter: str) -> None:
        if letter == "\r":
            self._column = 0
        elif letter == "\n":
            self._down()
        elif width := cell_len(letter):
            if self._column + width > self._columns:
                self._column = 0
                self._down()
            line = self._lines[self._row]
            line += [" "] * (self._column + width - len(line))
            line[self._column : self._column + width] = [letter, *[""] * (width - 1)]
            self._column += width

    def _down(self) -> None:
        self._row += 1
        if self._row == len(self._lines):
            self._lines.append([])


def run_in_terminal(
    command: Sequence[str], columns: int, on_output: Callable[[str, int], None] = lambda text, terminal: None
) -> tuple[int, list[str]]:
    """Run a program that finds itself on a terminal.

    Args:
        command: the program.
        columns: width of the terminal.
        on_output: called with all output so far and a file descriptor, which takes what a person types.

    Returns:
        The exit code, and the lines on the screen at the end.
    """
    ours, theirs = os.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", _ROWS, columns, 0, 0))
    environment = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "NO_COLOR")}
    process = subprocess.Popen(
        [sys.executable, "-c", TAKE_TERMINAL, *command],
        cwd=ROOT,
        env=environment | {"TERM": "xterm"},
        start_new_session=True,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    said = ""
    try:
        while data := _read(ours):
            said += data.decode(errors="replace")
            on_output(said, ours)
    finally:
        os.close(ours)
        code = process.wait()
    screen = Screen(columns)
    screen.feed(said)
    return code, screen.lines


def _read(terminal: int) -> bytes:
    """What the program wrote; nothing once it ended, which Linux answers with an error."""
    try:
        return os.read(terminal, 1 << 16)
    except OSError:
        return b""
