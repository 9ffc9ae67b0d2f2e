"""Videos through pipes: "-" as a source is standard input, as a target standard output. Named ones, too."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from stylize_live.errors import SinkError, SourceError, UsageError
from stylize_live.file_locks import scratch_folder

PIPE = Path("-")
_BLOCK = 1 << 20  # bytes


def is_pipe(source: Path) -> bool:
    """Whether a source can be read only once: standard input, a named pipe, a shell's <(...)."""
    return source == PIPE or source.is_fifo()


@contextmanager
def spool(source: Path) -> Iterator[Path]:
    """A path that can be read: of a pipe, a temporary file with its content; of all else, the path itself.

    Most videos cannot be read front to back: the index of an .mp4 stands at its end more often than
    not, and sound and frames are read at paces of their own.

    Raises:
        UsageError: standard input is a terminal.
        SourceError: the pipe cannot be read; or as raised in the block, with the name that the user gave.
        SinkError: the folder for temporary files has no room for it.
    """
    if not is_pipe(source):
        yield source
        return
    with scratch_folder() as folder:
        path = folder / "video"
        _save(_read_blocks(source), path, _describe_source(source))
        try:
            yield path
        except SourceError as error:
            raise SourceError(str(error).replace(str(path), _describe_source(source))) from None


def _describe_source(source: Path) -> str:
    return "standard input" if source == PIPE else str(source)


def _read_blocks(source: Path) -> Iterator[bytes]:
    """What a pipe gives."""
    with _open(source) as pipe:
        try:
            while block := pipe.read(_BLOCK):
                yield block
        except OSError as error:
            raise SourceError(
                f"{_describe_source(source)}: cannot be read: {error.strerror or error}"
            ) from None


def _save(blocks: Iterator[bytes], path: Path, source_name: str) -> None:
    try:
        with path.open("wb") as file:
            file.writelines(blocks)
    except OSError as error:
        reason = error.strerror or error
        raise SinkError(
            f"{path.parent}: cannot keep {source_name} here: {reason}; TMPDIR names another folder"
        ) from None


@contextmanager
def _open(source: Path) -> Iterator[IO[bytes]]:
    if source == PIPE:
        if sys.stdin is None or sys.stdin.isatty():
            raise UsageError(
                "- reads a video from a pipe, as in: cat in.mp4 | stylize-live convert - out.mp4"
            )
        yield sys.stdin.buffer
        return
    try:
        pipe = source.open("rb")
    except OSError as error:
        raise SourceError(f"{source}: cannot be read: {error.strerror}") from None
    with pipe:
        yield pipe


def check_stdout() -> None:
    """Raise `UsageError` where standard output would fill a terminal with noise."""
    if sys.stdout is None or sys.stdout.isatty():
        raise UsageError("- writes a video into a pipe, as in: stylize-live convert in.mp4 - | mpv -")
