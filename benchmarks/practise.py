"""Let shipped styles practise on, all at the same time, each with the settings that its own record names.

    python benchmarks/practise.py [STYLE...] -o OUT --photos DIR --features FILE --minutes 7 --batch 8 \\
        --paintings DIR shipwreck=FILE [--set the-kiss:pooled=0.6]

Runs `stylize-live train` for each, from the shipped weights; paintings are found as by `evaluate`. On one
large GPU the whole gallery takes as long as one style, which alone would leave it waiting for the processor.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

from stylize_live.nets.catalogue import style_path
from stylize_live.nets.checkpoint import read_info
from stylize_live.nets.folders import shipped_names
from stylize_live.training.paintings import find_paintings
from stylize_live.training.settings import TrainSettings


def main() -> None:
    """Train, then print errors before and after."""
    options = parsed()
    options.output.mkdir(parents=True, exist_ok=True)
    names = options.styles or shipped_names()
    paintings = find_paintings(options.paintings, names)
    changes = by_style(options.set)
    if not paintings or set(changes) - set(paintings):
        raise SystemExit(f"no painting for {', '.join(sorted(set(changes) - set(paintings))) or 'any style'}")
    threads = str(max(1, (os.cpu_count() or 1) // len(paintings)))
    environment = os.environ | {"OMP_NUM_THREADS": threads}
    runs = {}
    for name, painting in paintings.items():
        with (options.output / f"{name}.log").open("w") as log:
            command = command_for(name, painting, options, changes.get(name, {}))
            runs[name] = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
    failed = [name for name, run in runs.items() if run.wait()]
    print("| style | style error | content error | steps |\n|---|---|---|---|")
    for name in sorted(set(paintings) - set(failed)):
        before = read_info(style_path(name))[1]
        after = read_info(options.output / f"{name}.safetensors")[1]
        errors = (f"{before[key]} -> {after[key]}" for key in ("style_error", "content_error"))
        print(f"| {name} | {' | '.join(errors)} | {after['steps']} |")
    if failed:
        raise SystemExit(f"failed, see their logs: {', '.join(failed)}")


def parsed() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("styles", nargs="*", help="all that have a painting, if none is named")
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--set", action="append", default=[], metavar="STYLE:KEY=VALUE")
    parser.add_argument("--paintings", nargs="+", required=True, help="folders, files, or STYLE=FILE")
    for name in ("photos", "features", "minutes"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--batch", default="2")
    parser.add_argument("--device", default="auto")
    return parser.parse_args()


def by_style(words: list[str]) -> dict[str, dict[str, str]]:
    """STYLE:KEY=VALUE -> the values of each style, by key."""
    found: dict[str, dict[str, str]] = {}
    for word in words:
        style, _, change = word.partition(":")
        key, _, value = change.partition("=")
        found.setdefault(style, {})[key] = value
    return found


def command_for(name: str, painting: Path, options: argparse.Namespace, changes: dict[str, str]) -> list[str]:
    """`stylize-live train` for one style."""
    path = style_path(name)
    info, record = read_info(path)
    known = TrainSettings.model_fields
    settings = {key: value for key, value in record["settings"].items() if key in known} | changes
    settings |= {"minutes": options.minutes, "batch": options.batch}
    told = {"title": info.title, "artist": info.artist, "year": info.year}
    told |= {"licence": info.licence, "credit": info.source, "name": name, "device": options.device}
    told |= {"photos": options.photos, "features": options.features, "start": str(path)}
    flags = [f"--{key.replace('_', '-')}={value}" for key, value in (told | settings).items() if value != ""]
    target = options.output / f"{name}.safetensors"
    return [sys.executable, "-m", "stylize_live.cli.app", "train", str(painting), "-o", str(target), *flags]


if __name__ == "__main__":
    main()
