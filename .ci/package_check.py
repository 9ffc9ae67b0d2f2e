"""Build wheel and source package, look into them, and try each in an environment of its own.

    make package-check
    python .ci/package_check.py --python 3.12 --out dist     # another Python; needs uv

Installs everything the program depends on (several gigabytes of disk, most of them in uv's cache), from the
package index, so it needs internet. Nothing is left but what --out names.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parent.parent
MOST_BYTES = {".whl": 30_000_000, ".gz": 32_000_000}  # the source package has the samples as well
# What no package may have: remains of tests and tools, tests themselves, styles that practise.
_JUNK = re.compile(
    r"(^|/)(__pycache__|tests|\.[a-z]+_cache|\.git|\.venv)/|\.(pyc|log)$|\.state\.safetensors$"
)
_LICENCES = {"LICENSE", "credits.md", "licences.md"}
_KEPT = {".py", ".safetensors", ".html", ".css", ".js", ".svg", ".jpg", ".typed"}


def main() -> int:
    """Do all of it; the first thing that is wrong ends the script."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--python", default=sys.executable, help="version or path of the Python to try")
    parser.add_argument("--out", type=Path, help="folder in which they are kept, if all is right")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="package-check-") as name:
        folder = Path(name)
        packages = build(folder / "dist")
        for package in packages:
            wrong = problems(package.name, names_in(package), package.stat().st_size)
            if wrong:
                print(*wrong, sep="\n", file=sys.stderr)
                return 1
        for number, package in enumerate(packages):
            try_out(package, options.python, folder / str(number))
        if options.out:
            options.out.mkdir(parents=True, exist_ok=True)
            for package in packages:
                shutil.copy2(package, options.out)
    return 0


def build(out: Path) -> list[Path]:
    """The wheel, made from the source package, and that."""
    run(uv(), "build", "--quiet", "--out-dir", str(out), str(ROOT))
    return [next(out.glob("*.whl")), next(out.glob("*.tar.gz"))]


def names_in(package: Path) -> set[str]:
    """The files of a package, by their paths in it."""
    if package.suffix == ".whl":
        with zipfile.ZipFile(package) as wheel:
            return set(wheel.namelist())
    with tarfile.open(package) as source:
        tops = (PurePosixPath(member.name) for member in source if member.isfile())
        return {str(path.relative_to(path.parts[0])) for path in tops}


def needed() -> set[str]:
    """The files that the program is made of, by their paths in this repository."""
    files = (ROOT / "stylize_live").rglob("*")
    return {
        path.relative_to(ROOT).as_posix()
        for path in files
        if path.suffix in _KEPT and not path.name.endswith(".state.safetensors")
    }


def problems(package: str, names: Iterable[str], size: int) -> list[str]:
    """What is wrong with a package's size and files, in words."""
    there = set(names)
    most = MOST_BYTES[PurePosixPath(package).suffix]
    too_large = [f"{size / 1e6:.1f} MB, more than {most / 1e6:.0f}"] if size > most else []
    junk = [f"should not be there: {name}" for name in sorted(there) if _JUNK.search(name)]
    lacking = sorted(needed() - there) + sorted(_LICENCES - {PurePosixPath(name).name for name in there})
    return [f"{package}: {text}" for text in [*too_large, *junk, *(f"missing: {name}" for name in lacking)]]


def try_out(package: Path, python: str, folder: Path) -> None:
    """Install a package in an empty environment and run the program, far from this repository."""
    print(f"{package.name}, {package.stat().st_size / 1e6:.1f} MB, Python {python}")
    folder.mkdir()
    environment = folder / "environment"
    run(uv(), "venv", "--quiet", "--python", python, str(environment))
    scripts = environment / ("Scripts" if os.name == "nt" else "bin")
    run(uv(), "pip", "install", "--quiet", "--python", str(environment), str(package.resolve()))
    samples = ROOT / "samples"
    for words in (
        ["--version"],
        ["styles"],
        ["devices"],
        ["image", str(samples / "snow-mountain.jpg"), "-o", "painted.jpg"],
        ["convert", str(samples / "flower.mp4"), "painted.mp4", "--end", "0.5"],
    ):
        run(str(scripts / "stylize-live"), *words, folder=folder)
    for name in ("painted.jpg", "painted.mp4"):
        if (folder / name).stat().st_size < 10_000:
            raise SystemExit(f"{name} is hardly anything")


def run(*words: str, folder: Path = ROOT) -> None:
    """Run a command; what the program would keep for its user stays in the folder."""
    print("$", Path(words[0]).name, *words[1:], flush=True)
    kept = {name: str(folder / name) for name in ("XDG_CACHE_HOME", "XDG_DATA_HOME")}
    environment = os.environ | (kept if folder != ROOT else {})
    environment.pop("PYTHONPATH", None)  # what was installed is tried, and nothing else
    if subprocess.run(words, cwd=folder, env=environment, check=False).returncode:
        raise SystemExit(f"failed: {' '.join(words)}")


def uv() -> str:
    """The program."""
    beside = Path(sys.executable).parent / "uv"
    found = str(beside) if beside.is_file() else shutil.which("uv")
    if found is None:
        raise SystemExit("missing: uv (pip install uv)")
    return found


if __name__ == "__main__":
    sys.exit(main())
