"""Settings of the process that only a fresh one can show."""

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
