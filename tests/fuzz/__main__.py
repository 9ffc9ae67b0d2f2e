"""Hunt for inputs that break the program: `make fuzz SEED=1 BUDGET=600`, or `python tests/fuzz --seed 1`.

A whole hunt is 2,100 tries of the real commands, in processes that are begun anew when they die: 1,000
damaged videos, 300 styles, 300 settings, 200 images, 200 visits to the studio (four requests each), 100
folders of pieces. Wrong is an end by a signal, more than 20 s (more where other programs want the processors,
too), more than 1.2 GB in the process (0.7 of it libraries), a traceback, an exit code of the program's own
mistakes, control characters or more than 6,000 characters on the terminal, and whatever is left in the
folder, in the temporary and the home folder, as a thread or as an open handle. Pieces that were damaged must
give the video that they gave whole, or one clear error. Linux.

The same seed tries the same; --only clips:1-17 repeats one. The exit code is 1 where something is wrong.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

sys.path[0] = str(Path(__file__).parent.parent)

from fuzz.hunt import Case, Hunt, Outcome

AMOUNTS = {"clips": 1000, "styles": 300, "settings": 300, "stills": 200, "visits": 200, "pieces": 100}
CORPUS = Path(__file__).parent / "corpus"


def cases(seed: int, share: float) -> Iterator[Case]:
    """The corpus, then all kinds in turn, so that a budget that ends early has tried something of each."""
    yield from corpus()
    amounts = {kind: max(1, round(share * amount)) for kind, amount in AMOUNTS.items()}
    places = [(number / amount, kind, number) for kind, amount in amounts.items() for number in range(amount)]
    for _, kind, number in sorted(places):
        yield kind, f"{seed}-{number}"


def corpus() -> list[Case]:
    """What once broke something."""
    files = sorted(path for path in CORPUS.rglob("*") if path.is_file())
    return [("corpus", str(path.relative_to(CORPUS))) for path in files]


def table(outcomes: list[Outcome]) -> str:
    """Tried and survived, by kind, in Markdown."""
    tried, survived = Counter[str](), Counter[str]()
    codes: dict[str, Counter[str]] = {}
    for outcome in outcomes:
        kind = outcome.case[0]
        tried[kind] += 1
        survived[kind] += not outcome.wrong
        codes.setdefault(kind, Counter())[str(outcome.code)] += 1
    lines = [
        "| what | tried | survived | exit codes | longest, s | most memory, MB |",
        "|---|---|---|---|---|---|",
    ]
    for kind in tried:
        own = [outcome for outcome in outcomes if outcome.case[0] == kind]
        ends = ", ".join(f"{code}: {count}" for code, count in sorted(codes[kind].items()))
        longest, most = max(o.seconds for o in own), max(o.peak for o in own)
        lines.append(f"| {kind} | {tried[kind]} | {survived[kind]} | {ends} | {longest:.1f} | {most:.0f} |")
    return "\n".join(lines)


def main() -> int:
    """Hunt, print, judge."""
    parser = argparse.ArgumentParser(
        prog="python tests/fuzz", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--budget", type=float, default=600, help="seconds after which no try is begun")
    parser.add_argument("--share", type=float, default=1.0, help="of the 2,100 tries")
    parser.add_argument("--kind", action="append", choices=[*AMOUNTS, "corpus"], help="only this kind")
    parser.add_argument("--only", help="one try, as kind:seed-number")
    parser.add_argument("--keep", type=Path, help="folder for the files of tries that went wrong")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 2)
    options = parser.parse_args()
    wanted = list(cases(options.seed, options.share))
    if options.kind:
        wanted = [case for case in wanted if case[0] in options.kind]
    if options.only:
        kind, _, what = options.only.partition(":")
        wanted = [(kind, what)]
    hunt = Hunt(1 if options.only else options.workers, options.keep)
    began = time.monotonic()

    def tell(outcome: Outcome) -> None:
        if outcome.wrong or options.only:
            print(f"{outcome.case[0]}:{outcome.case[1]}: {'; '.join(outcome.wrong) or 'fine'}")
            print("    " + outcome.said.strip().replace("\n", "\n    ")[-1500:], flush=True)

    hunt.run(wanted, options.budget, tell)
    print(table(hunt.outcomes))
    wrong = sum(bool(outcome.wrong) for outcome in hunt.outcomes)
    seconds = time.monotonic() - began
    tried = f"{len(hunt.outcomes)} of {len(wanted)} tried in {seconds:.0f} s, seed {options.seed}"
    print(f"{tried}: {wrong} went wrong")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
