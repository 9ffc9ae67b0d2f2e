"""A process that tries one thing after another, so that libraries are loaded once: `python worker.py FOLDER`.

Reads lines "kind seed" or "corpus name" and answers each with a line of JSON, see `Answer`.
"""

from __future__ import annotations

import gc
import json
import os
import random
import resource
import shutil
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

sys.path[0] = str(Path(__file__).parent.parent)

from fuzz.attempt import EXPECTED, Try, inside, leftovers

MOST_WORDS = 6000  # characters that one try may say
_MORE_HANDLES = 3  # that libraries open once and keep


Prepare = Callable[[str, str, Path], Try]


class Worker:
    """Tries things in a folder of its own.

    Args:
        folder: empty; HOME and the temporary folder are in it already.
        prepare: prepares a try of a kind in a folder; told the seed, or the name in the corpus.
    """

    def __init__(self, folder: Path, prepare: Prepare) -> None:
        self._folder, self._prepare = folder, prepare
        self._handles: int | None = None

    def attempt(self, kind: str, what: str) -> dict[str, object]:
        """One try: what is wrong, in words, and what the command said."""
        place = self._folder / "try"
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        _forget_peak()
        began = time.monotonic()
        with inside(place), _said(self._folder / "said") as said:
            tried, code = self._run(kind, what, place)
        wrong = list(self._wrong(tried, code, place, said()))
        seconds = time.monotonic() - began
        return {"wrong": wrong, "code": code, "seconds": seconds, "peak": _peak(), "said": said()[-3000:]}

    def _run(self, kind: str, what: str, place: Path) -> tuple[Try | None, int | str]:
        try:
            tried = self._prepare(kind, what, place)
        except BaseException:
            traceback.print_exc()
            return None, "the try itself could not be prepared"
        try:
            return tried, tried.run()
        except BaseException as error:
            traceback.print_exc()
            return tried, f"raised {type(error).__name__}"

    def _wrong(self, tried: Try | None, code: int | str, place: Path, said: str) -> Iterator[str]:
        if code not in EXPECTED or tried is None or isinstance(code, str):
            yield f"ended with {code}"
            return
        if "Traceback (most recent call last)" in said or "internal error" in said:
            yield "a traceback"
        if any(ord(letter) < 32 and letter not in "\n\t" for letter in _without_names(said, place)):
            yield "control characters on the terminal"
        if len(said) > MOST_WORDS:
            yield f"says {len(said)} characters"
        yield from leftovers(place, tried, code)
        yield from tried.check(code)
        yield from self._left_elsewhere()

    def _left_elsewhere(self) -> Iterator[str]:
        for thread in threading.enumerate():
            if thread.name.startswith("stylize-"):
                thread.join(2)
                if thread.is_alive():
                    yield f"thread {thread.name} was left"
        for path in (self._folder / "tmp").iterdir():
            yield f"left in the temporary folder: {path.name}"
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        for path in (self._folder / "home").rglob("*"):
            if path.is_file():
                yield f"left in the home folder: {path.name}"
                path.unlink()
        handles = _handles()
        if self._handles is None:
            self._handles = handles + _MORE_HANDLES
        elif handles > self._handles:
            gc.collect()
            handles = _handles()
            if handles > self._handles:
                yield f"{handles} handles are open, {self._handles} were enough"
                self._handles = handles


@contextmanager
def _said(path: Path) -> Iterator[object]:
    """Whatever is written to stdout and stderr, by libraries too; the value reads it."""
    sys.stdout.flush()
    sys.stderr.flush()
    kept = os.dup(1), os.dup(2)
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC)
    os.dup2(file, 1)
    os.dup2(file, 2)
    os.close(file)
    try:
        yield lambda: path.read_text(encoding="utf-8", errors="replace")
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        for descriptor, before in zip((1, 2), kept, strict=True):
            os.dup2(before, descriptor)
            os.close(before)


def _without_names(said: str, place: Path) -> str:
    """What was said, without the names of files: scripts, which are no terminals, get those as they are."""
    for path in place.rglob("*"):
        said = said.replace(path.name, "")
    return said


def _handles() -> int:
    return psutil.Process().num_fds()


def _forget_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")


def _peak() -> float:
    """Most memory since the peak was forgotten, in MB."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    return 0.0


def real() -> Prepare:
    """The real commands, and all that is damaged for them; takes some seconds."""
    from fuzz.cases import KINDS, given
    from fuzz.materials import make

    materials = make(Path("materials"))

    def prepare(kind: str, what: str, place: Path) -> Try:
        if kind == "corpus":
            return given(materials, place, what)
        return KINDS[kind](materials, place, random.Random(f"{kind} {what}"))

    return prepare


def main(prepared: Callable[[], Prepare] = real) -> None:
    """Answer until the input ends."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever hunts decides
    folder = Path(sys.argv[1])
    lines, answers = os.fdopen(os.dup(0)), os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what comes late belongs to no answer
    with inside(folder), _said(folder / "said"):
        worker = Worker(folder, prepared())
    print(json.dumps({"ready": True}), file=answers, flush=True)
    for line in lines:
        kind, what = line.split()
        print(json.dumps(worker.attempt(kind, what)), file=answers, flush=True)


if __name__ == "__main__":
    main()
