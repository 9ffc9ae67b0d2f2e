"""The GPU's own kernels without a GPU, in another process: Triton has to be told before it is loaded."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
from places import TESTS

pytestmark = pytest.mark.long
CHECKS = [str(path) for path in TESTS.glob("*_checks.py")]


def test_in_tritons_interpreter() -> None:
    pytest.importorskip("triton")
    assert len(CHECKS) == 2
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    environment = os.environ | {"TRITON_INTERPRET": "1", "CUDA_VISIBLE_DEVICES": ""}
    running = [
        subprocess.Popen([*command, checks], env=environment, stdout=subprocess.PIPE, text=True)
        for checks in CHECKS
    ]
    said = [process.communicate()[0] for process in running]
    assert not any(process.returncode for process in running), said


# What the kernels are built with, about as they are launched.
CONSTANTS: dict[str, object] = {
    "block": 256, "patches": 8, "stride": 4, "steps": 5, "damping": 16.0, "omega": 1.6,
    "levels_weight": 2.5, "slopes_weight": 5.0, "smoothness": 10.0,
    "channels": 24, "lanes": 32, "programs": 256, "relu": True, "added": True, "shuffled": True,
    "red": 0.3, "green": 0.6, "blue": 0.1,
}  # fmt: skip
# All others are planes of 32 bits.
TYPES = {"epsilon": "fp32", "ready": "*i32"} | dict.fromkeys(("values", "weight", "bias", "other"), "*fp16")


@pytest.mark.parametrize("module", ["network", "flow_search", "flow_refinement"])
def test_compile_for_a_gpu(module: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The interpreter takes what the compiler refuses. Neither needs a GPU."""
    triton = pytest.importorskip("triton")
    compiler = pytest.importorskip("triton.backends.compiler")
    monkeypatch.setenv("TRITON_CACHE_DIR", str(tmp_path))
    monkeypatch.setenv("TRITON_DEFAULT_FP_FUSION", "1")
    kernels = importlib.import_module(f"stylize_live.engine.cuda.triton.{module}")
    launched = {
        name: kernel for name, kernel in vars(kernels).items()
        if isinstance(kernel, triton.JITFunction) and kernel.__module__ == kernels.__name__
        and any(parameter.do_not_specialize for parameter in kernel.params)
    }  # fmt: skip
    assert launched
    for kernel in launched.values():
        constants = {p.name: CONSTANTS[p.name] for p in kernel.params if p.is_constexpr}
        sizes = {p.name: "i32" for p in kernel.params if p.do_not_specialize}
        types = (
            dict.fromkeys(kernel.arg_names, "*fp32") | TYPES | sizes | dict.fromkeys(constants, "constexpr")
        )
        source = triton.compiler.ASTSource(
            kernel, {name: types[name] for name in kernel.arg_names}, constants
        )
        built = triton.compile(source, target=compiler.GPUTarget("cuda", 80, 32))
        assert "ptx" in built.asm
