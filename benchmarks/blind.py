"""Blind pairs, the measure of looks; the protocol is in docs/blind.md.

python benchmarks/blind.py make --photos DIR --paintings DIR... --ours DIR --theirs NAME=DIR... \
    --sheets DIR --key FILE
python benchmarks/blind.py count --key FILE VOTES.json VOTES.json...
"""

from __future__ import annotations

import argparse
import datetime
import secrets
import subprocess
import sys
from pathlib import Path

from commands import run_command

from stylize_live.errors import UsageError
from stylize_live.evaluation.blind.pairs import Lot, choose_pairs, draw_lots, match_pairs
from stylize_live.evaluation.blind.sheets import write_sheets
from stylize_live.evaluation.blind.summary import summarise
from stylize_live.evaluation.blind.votes import (
    QUESTIONS,
    empty_ballot,
    make_key,
    read_ballots,
    read_key,
    write_json,
)
from stylize_live.evaluation.paintings import find_paintings
from stylize_live.files import make_folder
from stylize_live.training.dataset import find_photos

_FOR_JUDGES = """# What to do

Each frame in this folder is a sheet: at the left a painting, and a photo below it; beside them two
results, A and B, that were made from both. Look at every sheet in full size, and answer for each:

{questions}

Copy `votes.json`, write who you are after `judge`, and put "A" or "B" after each question of each sheet; "="
only where neither is better. Look at nothing but this folder.
"""


def make(options: argparse.Namespace) -> None:
    """Draw lots and write sheets, a ballot, what judges are told, and, elsewhere, the key."""
    key_file, sheets = options.key.resolve(), options.sheets.resolve()
    if sheets == key_file.parent or sheets in key_file.parents:
        raise UsageError(f"{options.key}: would lie among the sheets, where judges look")
    if key_file.exists():
        raise UsageError(f"{options.key}: already exists, and votes may need it")
    lots = _draw(options)
    write_sheets(lots, options.sheets, options.height)
    write_json(options.sheets / "votes.json", empty_ballot(lots))
    questions = "\n".join(f"- `{name}`: {words}" for name, words in QUESTIONS.items())
    (options.sheets / "README.md").write_text(_FOR_JUDGES.format(questions=questions), encoding="utf-8")
    make_folder(key_file.parent)
    key = make_key(lots, datetime.date.today().isoformat(), options.commit or _commit())
    write_json(key_file, key.model_dump())
    print(f"{len(lots)} sheets in {options.sheets}, the key in {options.key}")


def _draw(options: argparse.Namespace) -> list[Lot]:
    photos, seed = find_photos(options.photos), secrets.randbits(32)
    paintings = find_paintings(options.paintings, _styles(options.ours))
    pairs = []
    for given in options.theirs:
        against, equals, folder = given.partition("=")
        if not (against and equals and folder):
            raise UsageError(f"--theirs {given}: give it as NAME=FOLDER")
        found = match_pairs(paintings, photos, options.ours, against, Path(folder))
        pairs += choose_pairs(found, options.most, seed)
    return draw_lots(pairs, seed)


def _styles(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir() if p.is_dir()) if folder.is_dir() else []


def _commit() -> str:
    """The commit that is checked out, if this is a clone."""
    command = ["git", "-C", str(Path(__file__).parent), "rev-parse", "--short", "HEAD"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def count(options: argparse.Namespace) -> None:
    """Print what the votes come to."""
    key = read_key(options.key)
    print(summarise(key, read_ballots(options.votes, key)), end="")


def main() -> int:
    """Make sheets, or count votes."""
    parser = argparse.ArgumentParser(description="Blind pairs; see docs/blind.md.")
    commands = parser.add_subparsers(required=True)
    making = commands.add_parser("make", help="draw lots and write sheets")
    making.add_argument("--photos", type=Path, required=True, help="folder of photos that nobody trained on")
    making.add_argument("--paintings", nargs="+", required=True, help="files, folders or NAME=FILE")
    making.add_argument("--ours", type=Path, required=True, help="folder with STYLE/PHOTO.*")
    making.add_argument("--theirs", nargs="+", required=True, help="NAME=FOLDER, laid out likewise")
    making.add_argument("--most", type=int, default=10_000, help="pairs against each of them")
    making.add_argument("--height", type=int, default=540, help="of the results on a sheet, in pixels")
    making.add_argument("--sheets", type=Path, required=True, help="folder for the judges")
    making.add_argument("--key", type=Path, required=True, help="file, not for the judges")
    making.add_argument("--commit", help="what made our results; else the one that is checked out")
    making.set_defaults(run=make)
    counting = commands.add_parser("count", help="count votes")
    counting.add_argument("--key", type=Path, required=True)
    counting.add_argument("votes", nargs="+", type=Path, help="one file for each judge")
    counting.set_defaults(run=count)
    return run_command(parser)


if __name__ == "__main__":
    sys.exit(main())
