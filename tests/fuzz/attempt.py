"""What a try is, and what may be there after it. Loads nothing large."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

# What the README lists, but for 1: an error of the program itself.
EXPECTED = {0, 2, 3, 4, 5, 6, 7, 8, 9, 10}
WENT_WELL = (0, 10)


@dataclass
class Try:
    """A try that is prepared.

    Attributes:
        run: does it; an exit code.
        outputs: names that may be there after it went well.
        check: what is wrong with the result, in words; told the exit code.
        inputs: names that were there before.
        kept: name of a folder that may wait there for the next run, or "".
        unsure: whether outputs may be there although the exit code tells of an error.
    """

    run: Callable[[], int]
    outputs: set[str] = field(default_factory=set)
    check: Callable[[int], list[str]] = lambda code: []
    inputs: set[str] = field(default_factory=set)
    kept: str = ""
    unsure: bool = False


class Anything(set[str]):
    """Names of results that were asked for in absurd ways; hidden ones are none."""

    def __contains__(self, name: object) -> bool:
        return not str(name).startswith(".")


def leftovers(folder: Path, tried: Try, code: int) -> Iterator[str]:
    """What is in a folder and should not be there any more."""
    for path in sorted(folder.iterdir()):
        name = path.name
        wanted = name in tried.outputs and (code in WENT_WELL or tried.unsure)
        kept = name == tried.kept and any(path.glob("*.packets"))
        if not (wanted or kept or name in tried.inputs):
            yield f"left behind: {name}"


@contextmanager
def inside(folder: Path) -> Iterator[None]:
    """Work in a folder."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)
