"""Settings of the process that only a fresh one can show."""

import platform
import subprocess
import sys

import pytest

_SHOW = """
import os, sys
from stylize_live.cli.app import main
assert "torch" not in sys.modules
main(["--version"])
print(os.environ["GOMP_SPINCOUNT"])
"""


def test_torch_is_told_to_let_others_work_before_it_is_loaded() -> None:
    done = subprocess.run([sys.executable, "-c", _SHOW], capture_output=True, text=True, check=True)
    assert done.stdout.split()[-1] == "3000"


def test_the_users_own_setting_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOMP_SPINCOUNT", "77")
    done = subprocess.run([sys.executable, "-c", _SHOW], capture_output=True, text=True, check=True)
    assert done.stdout.split()[-1] == "77"


_HOLES = """
import time
from stylize_live.cli.machine import tidy_heap, tune_process
tune_process()

def resident():
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * 4096

kept = []
for number in range(2000):
    hole = bytearray(b"x" * 50_000)
    kept.append((hole, bytearray(5_000)))  # what lives long lies between
kept = [longer for _, longer in kept]
del hole
before = resident()
with tidy_heap(0.02):
    deadline = time.monotonic() + 10
    while resident() > before - 50_000_000 and time.monotonic() < deadline:
        time.sleep(0.01)
print(before, resident())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="a heap of glibc's")
def test_holes_in_the_heap_are_given_back() -> None:
    done = subprocess.run([sys.executable, "-c", _HOLES], capture_output=True, text=True, check=True)
    before, after = map(int, done.stdout.split())
    assert after < before - 50_000_000
