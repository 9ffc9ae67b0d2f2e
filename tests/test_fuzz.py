"""A short slice of the hunt in `fuzz/`, and everything that once broke something."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest
from fuzz.damage import damaged
from fuzz.hunt import Case, Hunt
from places import TESTS

FUZZ = TESTS / "fuzz"
pytestmark = pytest.mark.linux  # looks at processes as Linux shows them


def corpus() -> list[Case]:
    folder = FUZZ / "corpus"
    return [("corpus", str(path.relative_to(folder))) for path in sorted(folder.rglob("*")) if path.is_file()]


def test_the_hunt_finds_nothing() -> None:
    kinds = ("clips", "clips", "styles", "settings", "settings", "stills", "stills", "pieces", "visits")
    cases = [(kind, f"1-{number}") for number, kind in enumerate(kinds)]
    hunt = Hunt(workers=1)
    hunt.run([*corpus(), *cases], 60, lambda outcome: None)
    assert [(outcome.case, outcome.wrong, outcome.said) for outcome in hunt.outcomes if outcome.wrong] == []
    assert len(hunt.outcomes) == len(cases) + len(corpus())


# Commands that do what none should, and what is to be said of them.
BAD = {
    "raise KeyError": "ended with raised KeyError",
    "return 1": "ended with 1",
    "print('Traceback (most recent call last)'); return 2": "a traceback",
    "print('\\x1b[2J'); return 2": "control characters on the terminal",
    "print('x' * 9000); return 2": "says 9001 characters",
    "Path('half.mp4').touch(); return 5": "left behind: half.mp4",
    "Path.home().joinpath('x').touch(); return 0": "left in the home folder: x",
    "tempfile.mkdtemp('x'); return 0": "left in the temporary folder",
    "open_files.extend(open(os.devnull) for _ in range(9)); return 0": "handles are open",
    "threading.Thread(target=time.sleep, args=(3,), name='stylize-x').start(); return 0": "thread stylize-x",
    "x = b'x' * (200 << 20); return 0": "took 2",
    "os.kill(os.getpid(), 11); return 0": "died of signal 11",
    "time.sleep(60); return 0": "hangs for",
}
WORKER = """
import sys
sys.path[:0] = [{tests!r}]
import os, tempfile, threading, time
from pathlib import Path
from fuzz import attempt, worker
open_files = []
def prepare(kind, what, place):
    return attempt.Try([{commands}][int(what)])
{bodies}
worker.main(lambda: prepare)
"""


def test_the_hunt_sees_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hunt that finds nothing must be one that would have found it."""
    lines = [[f"def run{number}():", *code.split("; ")] for number, code in enumerate(BAD)]
    bodies = ["\n    ".join(body) for body in lines]
    commands = ", ".join(f"run{number}" for number in range(len(BAD)))
    script = tmp_path / "worker.py"
    text = WORKER.format(tests=str(FUZZ.parent), commands=commands, bodies="\n".join(bodies))
    script.write_text(text, encoding="utf-8")
    monkeypatch.setattr("fuzz.hunt._WORKER", script)
    monkeypatch.setattr("fuzz.hunt.MOST_SECONDS", 3.0)
    monkeypatch.setattr("fuzz.hunt.os.getloadavg", lambda: (0.0, 0.0, 0.0))
    monkeypatch.setattr("fuzz.hunt.MOST_MEMORY", 150.0)
    hunt = Hunt(workers=1)
    hunt.run([("one", str(number)) for number in range(len(BAD))], 60, lambda outcome: None)
    for expected, outcome in zip(BAD.values(), hunt.outcomes, strict=True):
        assert any(expected in found for found in outcome.wrong), (expected, outcome)


def test_the_same_seed_is_the_same_damage() -> None:
    data = bytes(range(256)) * 8
    assert damaged(data, random.Random("clips 1-1")) == damaged(data, random.Random("clips 1-1"))
    found = {damaged(data, random.Random(seed)) for seed in range(50)}
    assert len(found) > 45


def test_the_command_says_how_it_is_used() -> None:
    done = subprocess.run([sys.executable, FUZZ, "--help"], capture_output=True, text=True, check=True)
    assert "2,100 tries" in done.stdout
