"""Films through pipes: "-" as a source is standard input, as a target standard output."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stylize_live.errors import SinkError, SourceError, UsageError

PIPE = Path("-")


@contextmanager
def spooled(source: Path) -> Iterator[Path]:
    """A path that can be read: standard input is written to a temporary file first, all else is itself.

    Most films cannot be read front to back: the index of an .mp4 stands at its end more often than
    not, and sound and pictures are read at paces of their own.

    Raises:
        UsageError: standard input is a terminal.
        SinkError: the folder for temporary files has no room for it.
        SourceError: as raised in the block, with a name for standard input that a person knows.
    """
    if source != PIPE:
        yield source
        return
    if sys.stdin is None or sys.stdin.isatty():
        raise UsageError("- reads a video from a pipe, as in: cat in.mp4 | stylize-live convert - out.mp4")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "film"
        try:
            with path.open("wb") as file:
                shutil.copyfileobj(sys.stdin.buffer, file, 1 << 20)
        except OSError as error:
            reason = error.strerror or error
            raise SinkError(
                f"{folder}: cannot keep standard input here: {reason}; TMPDIR names another folder"
            ) from None
        try:
            yield path
        except SourceError as error:
            raise SourceError(str(error).replace(str(path), "standard input")) from None


def check_stdout() -> None:
    """Raise `UsageError` where standard output would fill a terminal with noise."""
    if sys.stdout is None or sys.stdout.isatty():
        raise UsageError("- writes a video into a pipe, as in: stylize-live convert in.mp4 - | mpv -")
