"""Commands that are printed for somebody to type."""

from __future__ import annotations

import os
import re
import shlex
import sys

_WINDOWS = sys.platform == "win32"
# What neither the command prompt nor PowerShell takes for more than letters; a comma makes a list in the
# latter, and & ends a command in both.
_HARMLESS = re.compile(r"[\w.:\\/+=-]+", re.ASCII)


def quote(text: str) -> str:
    """A word of a command, as this system's shells take it."""
    if not _WINDOWS:
        return shlex.quote(text)
    return text if _HARMLESS.fullmatch(text) else _in_quotes(text)


def program(text: str) -> str:
    """The path of a program, to begin a command with."""
    word = quote(text)
    # PowerShell takes what is in quotes for a value, which it prints.
    return f"& {word}" if word != text and _WINDOWS and _in_powershell() else word


def _in_quotes(text: str) -> str:
    """Double quotes, which both shells know; what ends in \\ would take the last one for a letter."""
    slashes = len(text) - len(text.rstrip("\\"))
    return '"' + text.replace('"', '\\"') + "\\" * slashes + '"'


def _in_powershell() -> bool:
    """Whether it started us, as far as can be told: the command prompt leaves its prompt's form behind."""
    return "PSMODULEPATH" in map(str.upper, os.environ) and "PROMPT" not in os.environ
