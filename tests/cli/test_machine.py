"""Settings of the process that only a fresh one can show."""

import subprocess
import sys

import pytest

_SHOW = """
import os, sys
from stylize_live.cli.app import main
assert "torch" not in sys.modules
main(["--version"])
print(os.environ["GOMP_SPINCOUNT"], os.environ["KMP_BLOCKTIME"])
"""


def test_torch_is_told_to_let_others_work_before_it_is_loaded() -> None:
    done = subprocess.run([sys.executable, "-c", _SHOW], capture_output=True, text=True, check=True)
    assert done.stdout.split()[-2:] == ["3000", "1"]


def test_the_users_own_setting_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOMP_SPINCOUNT", "77")
    monkeypatch.setenv("KMP_BLOCKTIME", "infinite")
    done = subprocess.run([sys.executable, "-c", _SHOW], capture_output=True, text=True, check=True)
    assert done.stdout.split()[-2:] == ["77", "infinite"]
