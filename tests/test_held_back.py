"""Libraries are really held back to AVX2, and it is noticed if one is not."""

from __future__ import annotations

import importlib.util
import os
import sys

import pytest
from places import ROOT

from stylize_live.engine.cpu import features

pytestmark = pytest.mark.long
_PATH = ROOT / "benchmarks" / "held_back.py"


@pytest.mark.skipif(not features.is_x86(), reason="instructions of x86")
@pytest.mark.parametrize("left_out", ["", "ONEDNN_MAX_CPU_ISA", "ATEN_CPU_CAPABILITY", "OPENCV_CPU_DISABLE"])
def test_the_proof(
    left_out: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = importlib.util.spec_from_file_location("held_back", _PATH)
    assert spec is not None
    assert spec.loader is not None
    held_back = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(held_back)
    for name in features.LIMITS:
        monkeypatch.delenv(name, raising=False)
    switches = held_back.switches("avx2")
    switches.pop(left_out, None)
    has_more = "AVX-512" in features.instruction_set()
    path = os.pathsep.join([str(_PATH.parents[1]), *sys.path])
    environment = {**os.environ, **switches, "PYTHONPATH": path}
    assert held_back.prove(environment) is not (bool(left_out) and has_more)
    assert ("beyond the level" in capsys.readouterr().out) is (bool(left_out) and has_more)
