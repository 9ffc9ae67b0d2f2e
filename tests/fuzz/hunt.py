"""Has workers try things, one process for each core, and sees what becomes of them."""

from __future__ import annotations

import json
import os
import queue
import select
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import psutil

MOST_SECONDS = 20.0
MOST_MEMORY = 1200.0  # MB, of the whole process: half of that are its libraries
_READY_SECONDS = 120.0
_WORKER = Path(__file__).with_name("worker.py")

Case = tuple[str, str]  # kind, and seed or name in the corpus


@dataclass(frozen=True)
class Outcome:
    """What became of a try.

    Attributes:
        case: which one.
        wrong: what is wrong, in words; empty where all is well.
        code: exit code of the command, or what it raised; -1 where its process did not live to tell.
        seconds: it took.
        peak: most memory of its process, in MB.
        said: the end of what the command said.
        kept: folder with its files, where something is wrong and they were to be kept.
    """

    case: Case
    wrong: list[str]
    code: int | str = -1
    seconds: float = 0.0
    peak: float = 0.0
    said: str = ""
    kept: Path | None = None


@dataclass
class Hunt:
    """All tries.

    Attributes:
        workers: processes that try at the same time.
        keep: folder for the files of tries with which something is wrong, or None.
        outcomes: so far.
    """

    workers: int = 2
    keep: Path | None = None
    outcomes: list[Outcome] = field(default_factory=list)

    def run(self, cases: Iterable[Case], budget: float, tell: Callable[[Outcome], None]) -> None:
        """Try all, or those that there is time for.

        Args:
            cases: in order.
            budget: seconds after which none is begun.
            tell: called with each outcome, by one thread at a time.
        """
        waiting: queue.SimpleQueue[Case] = queue.SimpleQueue()
        for case in cases:
            waiting.put(case)
        end, telling = time.monotonic() + budget, threading.Lock()

        def work() -> None:
            with _Child() as child:
                while time.monotonic() < end:
                    try:
                        case = waiting.get_nowait()
                    except queue.Empty:
                        return
                    outcome = child.attempt(case, self.keep)
                    with telling:
                        self.outcomes.append(outcome)
                        tell(outcome)

        threads = [threading.Thread(target=work) for _ in range(self.workers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


class _Child:
    """A worker that is begun anew whenever it dies."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._folder = Path(tempfile.mkdtemp(prefix="stylize-fuzz-"))

    def __enter__(self) -> _Child:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()
        shutil.rmtree(self._folder, ignore_errors=True)

    def attempt(self, case: Case, keep: Path | None) -> Outcome:
        process = self._started()
        assert process.stdin is not None
        print(*case, file=process.stdin, flush=True)
        began = time.monotonic()
        line, wrong = self._answer(process, MOST_SECONDS)
        if line is None:
            self._end()
            said, kept = self._said(), self._kept(case, keep)
            return Outcome(case, [wrong], seconds=time.monotonic() - began, said=said, kept=kept)
        told = json.loads(line)
        if told["peak"] > MOST_MEMORY:
            told["wrong"].append(f"took {told['peak']:.0f} MB")
        kept = self._kept(case, keep) if told["wrong"] else None
        return Outcome(case, **told, kept=kept)

    def _answer(self, process: subprocess.Popen[str], seconds: float) -> tuple[str | None, str]:
        """A line, or why there is none after so long."""
        assert process.stdout is not None
        # Where other programs want the processors too, all takes longer.
        crowd = max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))
        end = time.monotonic() + seconds * crowd
        while not select.select([process.stdout], [], [], 0.05)[0]:
            if time.monotonic() > end:
                return None, f"hangs for {seconds * crowd:.1f} seconds"
            if (memory := _memory(process.pid)) > 2 * MOST_MEMORY:
                return None, f"took {memory:.0f} MB and more"
        if line := process.stdout.readline():
            return line, ""
        return (
            None,
            f"died of signal {-process.wait()}" if process.wait() < 0 else f"left with {process.wait()}",
        )

    def _started(self) -> subprocess.Popen[str]:
        if self._process is not None:
            return self._process
        shutil.rmtree(self._folder, ignore_errors=True)
        home, temporary = self._folder / "home", self._folder / "tmp"
        for folder in (home, temporary):
            folder.mkdir(parents=True)
        environment = {
            **{name: os.environ[name] for name in ("PATH", "PYTHONPATH", "LANG") if name in os.environ},
            "HOME": str(home),
            "XDG_DATA_HOME": str(home / "data"),
            "XDG_CACHE_HOME": str(home / "cache"),
            "TMPDIR": str(temporary),
            "OMP_NUM_THREADS": "1",
        }
        self._process = subprocess.Popen(
            [sys.executable, "-X", "faulthandler", str(_WORKER), str(self._folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=environment,
        )
        line, wrong = self._answer(self._process, _READY_SECONDS)
        if line is None:
            raise RuntimeError(f"a worker did not start: {wrong}\n{self._said()}")
        return self._process

    def _said(self) -> str:
        try:
            return (self._folder / "said").read_text(encoding="utf-8", errors="replace")[-3000:]
        except OSError:
            return ""

    def _kept(self, case: Case, keep: Path | None) -> Path | None:
        if keep is None:
            return None
        place = keep / "-".join(case).replace("/", "-")
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(self._folder / "try", place, dirs_exist_ok=True, ignore_dangling_symlinks=True)
        return place

    def _end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None


def _memory(pid: int) -> float:
    """Resident now, in MB."""
    try:
        return psutil.Process(pid).memory_info().rss / 2**20
    except psutil.NoSuchProcess:
        return 0.0
