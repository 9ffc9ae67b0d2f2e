"""Resolve what the program needs for every system and Python that is promised, without installing anything.

    make requirements-check
    python .ci/requirements_check.py --python 3.14    # one Python only

Asks the package index, so it needs internet; only ready-made wheels count, as people have no compilers. Of
the systems that cannot have it, it sees that this is still so: else the README says too little.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

from package_check import uv

ROOT = Path(__file__).resolve().parent.parent
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
# uv's names of systems, and what stands in the README.
PROMISED = {
    "x86_64-manylinux_2_28": "Linux",
    "x86_64-pc-windows-msvc": "Windows",
    "aarch64-apple-darwin": "macOS 14 on Apple silicon",
}
IMPOSSIBLE = {"x86_64-apple-darwin": "macOS on Intel", "aarch64-pc-windows-msvc": "Windows on ARM"}
_OLDEST_MACOS = "14.0"


def main() -> int:
    """Try all; 0 if the README is right."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--python", choices=PYTHONS, action="append", help="Pythons to try")
    wrong = 0
    for python in parser.parse_args().python or PYTHONS:
        for system, name in (PROMISED | IMPOSSIBLE).items():
            found, why = resolve(system, python)
            fine = found == (system in PROMISED)
            wrong += not fine
            said = "can be installed" if found else "cannot be installed"
            print(f"{'ok   ' if fine else 'WRONG'} Python {python}, {name}: {said}", flush=True)
            if not found and not fine:
                print(why, file=sys.stderr)
    return min(wrong, 1)


def resolve(system: str, python: str) -> tuple[bool, str]:
    """Whether there are wheels of everything, all extras included, and what uv says if not."""
    command = [uv(), "pip", "compile", "--quiet", "--all-extras", "--only-binary", ":all:"]
    command += ["--python-platform", system, "--python-version", python, str(ROOT / "pyproject.toml")]
    environment = os.environ | {"MACOSX_DEPLOYMENT_TARGET": _OLDEST_MACOS}
    done = subprocess.run(
        command, env=environment, capture_output=True, encoding="utf-8", errors="replace", check=False
    )
    return done.returncode == 0, done.stderr


if __name__ == "__main__":
    sys.exit(main())
