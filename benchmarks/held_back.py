"""Runs the program as if this processor had a lower set of instructions, such as that of most laptops.

    python benchmarks/held_back.py                       # AVX2: the proof, the quick tests, the benchmark
    python benchmarks/held_back.py --level avx2_vnni -- stylize-live bench --size 720p
    python benchmarks/held_back.py --proof

Each library that computes has a switch of its own. All are set, and a process that was started with them asks
each what it uses; if one goes beyond the level, nothing is run and the exit code is 1.

What this cannot show: clock, caches and width of another processor; and what OpenVINO's own kernels (norms,
resizing) and FFmpeg's codecs do, which have no switch. Convolutions, nine tenths of a frame's time, obey.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
LEVELS = ("avx2", "avx2_vnni")
# What a name of a kernel or of an instruction set must not have in it.
BEYOND = ("avx512", "avx10", "amx", "x86_v4")
PROOF = "--say-what-is-used"
TESTS = (sys.executable, "-m", "pytest")
BENCH = (sys.executable, "-m", "stylize_live.cli.app", "bench")


def switches(level: str) -> dict[str, str]:
    """Environment variables that hold all libraries back to a level."""
    return {
        "ONEDNN_MAX_CPU_ISA": level.upper(),  # both copies: torch's and OpenVINO's
        "ATEN_CPU_CAPABILITY": "avx2",
        "MKL_ENABLE_INSTRUCTIONS": "AVX2",
        "OPENCV_CPU_DISABLE": "AVX512-SKX",
        "OPENCV_IPP": "avx2",
        "NPY_DISABLE_CPU_FEATURES": " ".join(numpy_dispatch()),
    }


def numpy_dispatch() -> list[str]:
    """Groups of instructions beyond AVX2 that this NumPy has kernels for."""
    from numpy._core._multiarray_umath import __cpu_dispatch__

    return [name for name in __cpu_dispatch__ if name.lower().startswith(BEYOND)]


def used() -> dict[str, list[str]]:
    """What each library says it uses, asked in this process; OpenVINO kernel by kernel."""
    import cv2
    import torch
    from numpy._core._multiarray_umath import __cpu_dispatch__, __cpu_features__

    # With a mark behind its name, a group of instructions is switched off.
    opencv = [word.strip("*") for word in cv2.getCPUFeaturesLine().split() if not word.endswith("?")]
    return {
        "torch": [torch.backends.cpu.get_cpu_capability()],
        "NumPy": [name for name in __cpu_dispatch__ if __cpu_features__[name]],
        "OpenCV": opencv,
        "OpenCV's IPP": [cv2.ipp.getIppVersion()],
        "OpenVINO": openvino_kernels(),
    }


def openvino_kernels() -> list[str]:
    """The kernels of all convolutions of the network, in float32 and in eight bits."""
    from importlib.util import find_spec

    if find_spec("openvino") is None:
        return []
    import numpy as np
    import openvino

    from stylize_live.engine.cpu.int8 import input_ranges
    from stylize_live.engine.cpu.openvino_backend import Graph
    from stylize_live.engine.style_loading import load_style

    style, pixels = load_style("starry-night"), np.zeros((90, 160, 3), np.uint8)
    kernels = set()
    for ranges in ({}, input_ranges(style)):
        model = openvino.Core().compile_model(
            Graph(style, ranges).model(pixels), "CPU", {"INFERENCE_PRECISION_HINT": "f32"}
        )
        for node in model.get_runtime_model().get_ops():
            facts = node.get_rt_info()
            if facts["layerType"].astype(str) == "Convolution":
                kernels.add(facts["primitiveType"].astype(str))
    return sorted(kernels)


def onednn_and_mkl(environment: dict[str, str]) -> dict[str, list[str]]:
    """What torch's oneDNN and MKL say: they only print it, when they are first used."""
    code = """
import torch
frames = torch.rand(2, 64, 64, 64)
torch.conv2d(frames, torch.rand(64, 64, 3, 3))
frames[0] @ frames[0]
"""
    said = subprocess.run(
        [sys.executable, "-c", code],
        env=environment | {"ONEDNN_VERBOSE": "1", "MKL_VERBOSE": "1"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    found: dict[str, list[str]] = {"torch's oneDNN": [], "torch's MKL": []}
    for line in said.splitlines():
        if "info,cpu,isa:" in line:
            found["torch's oneDNN"].append(line.partition("isa:")[2].strip())
        elif "exec,cpu,convolution" in line:
            found["torch's oneDNN"].append(line.split("convolution,")[1].partition(",")[0])
        elif line.startswith("MKL_VERBOSE oneMKL"):
            found["torch's MKL"].append(line.partition("architecture ")[2].rpartition(", ")[0])
    return found


def prove(environment: dict[str, str]) -> bool:
    """Print what all libraries use; whether none of it is beyond AVX2 and each has said something."""
    asked = [sys.executable, __file__, PROOF]
    answer = subprocess.run(asked, env=environment, capture_output=True, text=True, check=True, cwd=ROOT)
    found = json.loads(answer.stdout.splitlines()[-1]) | onednn_and_mkl(environment)
    good = True
    for library, names in found.items():
        plain = [name.lower().replace("-", "") for name in names]
        beyond = [name for name in plain if any(word in name for word in BEYOND)]
        silent = not names and library not in ("OpenVINO", "NumPy", "torch's MKL")  # may not be there
        good &= not beyond and not silent
        mark = "   <- beyond the level" if beyond else ""
        print(f"{library:16} {', '.join(names) or 'says nothing'}{mark}")
    return good


def main() -> int:
    """Prove, then run."""
    if sys.argv[1:] == [PROOF]:
        print(json.dumps(used()))
        return 0
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--level", choices=LEVELS, default="avx2")
    parser.add_argument("--proof", action="store_true", help="only show that the switches work")
    parser.add_argument("command", nargs="*", help="what to run, behind --; else tests and benchmark")
    options = parser.parse_args()
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    environment = os.environ | switches(options.level) | {"PYTHONPATH": path}
    if not prove(environment):
        print("not held back: a library goes beyond the level, or does not say what it uses", file=sys.stderr)
        return 1
    if options.proof:
        return 0
    commands = [options.command] if options.command else [TESTS, BENCH]
    ended = [subprocess.run(command, env=environment, cwd=ROOT, check=False) for command in commands]
    return max(process.returncode for process in ended)


if __name__ == "__main__":
    sys.exit(main())
