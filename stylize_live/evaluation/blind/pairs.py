"""Blind pairs: which results are shown beside each other, and on which side ours is, drawn by lot."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from stylize_live.errors import UsageError
from stylize_live.media.image.io import SUFFIXES

Side = Literal["A", "B"]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two results for one photo and one painting.

    Attributes:
        style: name of the style.
        against: who made the other result.
        painting: file.
        photo: file.
        ours: file.
        theirs: file.
    """

    style: str
    against: str
    painting: Path
    photo: Path
    ours: Path
    theirs: Path


@dataclass(frozen=True, slots=True)
class Lot:
    """A pair as it is shown.

    Attributes:
        sheet: name of the sheet, "001" and on.
        pair: what is on it.
        ours: the side of our result.
    """

    sheet: str
    pair: Pair
    ours: Side


def match_pairs(
    paintings: Mapping[str, Path], photos: Sequence[Path], ours: Path, against: str, theirs: Path
) -> list[Pair]:
    """Find results that belong together; they lie as STYLE/PHOTO.* in both folders.

    Args:
        paintings: style -> its painting.
        photos: files; results bear the same names, the suffix may be another.
        ours: folder of our results.
        against: who made the others.
        theirs: folder of the others' results.

    Returns:
        One pair for every photo and style that both folders have.

    Raises:
        UsageError: no style is in both folders, one of them has no painting, a result is missing, or two
            photos have one name.
    """
    names = [photo.stem for photo in photos]
    if len(set(names)) < len(names):
        twice = next(name for name, count in Counter(names).items() if count > 1)
        raise UsageError(f"two photos are called {twice}: rename one of them")
    styles = sorted(_folders(ours) & _folders(theirs))
    if not styles:
        raise UsageError(f"{ours} and {theirs}: no style has a folder in both")
    without = [style for style in styles if style not in paintings]
    if without:
        raise UsageError(f"no painting for {', '.join(without)}: add it to --paintings, as NAME=FILE")
    return [
        Pair(
            style,
            against,
            paintings[style],
            photo,
            _result(ours / style, photo),
            _result(theirs / style, photo),
        )
        for style in styles
        for photo in photos
    ]


def _folders(parent: Path) -> set[str]:
    if not parent.is_dir():
        raise UsageError(f"{parent}: no such folder of results")
    return {folder.name for folder in parent.iterdir() if folder.is_dir()}


def _result(folder: Path, photo: Path) -> Path:
    named = (p for p in folder.iterdir() if p.stem == photo.stem and p.suffix.lower() in SUFFIXES)
    found = [p for p in named if p.is_file()]
    if len(found) != 1:
        how = "no result" if not found else "several results"
        raise UsageError(f"{folder}: {how} for the photo {photo.stem}")
    return found[0]


def choose_pairs(pairs: Sequence[Pair], most: int, seed: int) -> list[Pair]:
    """Take some of many pairs, such that styles and photos are shown about equally often.

    Args:
        pairs: against one other.
        most: how many to take.
        seed: start of the random sequence.
    """
    left = list(pairs)
    random.Random(seed).shuffle(left)
    shown, chosen = Counter[str | Path](), list[Pair]()
    while left and len(chosen) < most:
        # Both counts matter: the rarer style and the rarer photo come first.
        pair = min(left, key=lambda p: (shown[p.style] + shown[p.photo], max(shown[p.style], shown[p.photo])))
        left.remove(pair)
        shown.update((pair.style, pair.photo))
        chosen.append(pair)
    return chosen


def draw_lots(pairs: Sequence[Pair], seed: int) -> list[Lot]:
    """Bring pairs into a random order, ours as often on one side as on the other.

    Args:
        pairs: against one other or several.
        seed: start of the random sequence.

    Returns:
        As many lots.
    """
    lottery = random.Random(seed)
    ordered = list(pairs)
    lottery.shuffle(ordered)
    # In turn within each opponent, so that somebody who always says A gives each half of the votes.
    turns = {against: lottery.randrange(2) for against in sorted({pair.against for pair in pairs})}
    sides = list[Side]()
    for pair in ordered:
        sides.append("A" if turns[pair.against] % 2 else "B")
        turns[pair.against] += 1
    lots = list(zip(ordered, sides, strict=True))
    lottery.shuffle(lots)  # the turns are no pattern to be guessed
    return [Lot(f"{number:03d}", pair, side) for number, (pair, side) in enumerate(lots, start=1)]
