"""Blind pairs: the key, judges' votes, and what they come to."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from stylize_live.errors import SinkError, UsageError
from stylize_live.evaluation.blind.pairs import Lot, Side
from stylize_live.files import replacing

QUESTIONS = {
    "show": "Which would you rather show, all in all: really painted in this painting's manner, beautiful, "
    "without lattice, fringes, blotches or blur, the subject readable?",
    "hand": "Which looks more like the hand of this painting's painter?",
}
LEAST_JUDGES, LEAST_PHOTOS, LEAST_PAIRS = 2, 12, 60
_MODEL = ConfigDict(extra="forbid", frozen=True)


class Drawn(BaseModel):
    """What is on a sheet, and on which side ours is."""

    model_config = _MODEL

    style: str
    against: str
    photo: str
    ours: Side


class BlindKey(BaseModel):
    """What judges must not see.

    Attributes:
        date: when the sheets were made, as YYYY-MM-DD.
        commit: what made our results.
        sheets: name of the sheet -> what is on it.
    """

    model_config = _MODEL

    date: str
    commit: str
    sheets: dict[str, Drawn] = Field(min_length=1)


class Ballot(BaseModel):
    """What one judge said.

    Attributes:
        judge: a name or letter.
        votes: name of the sheet -> question, see `QUESTIONS` -> "A", "B", or "=" for as good as each other.
    """

    model_config = _MODEL

    judge: str = Field(min_length=1)
    votes: dict[str, dict[str, Literal["A", "B", "="]]]


@dataclass(frozen=True, slots=True)
class VoteCount:
    """Votes of all judges.

    Attributes:
        ours: for our result.
        theirs: for the other.
        equal: for neither.
    """

    ours: int
    theirs: int
    equal: int

    @property
    def all(self) -> int:
        """How many votes there are."""
        return self.ours + self.theirs + self.equal

    @property
    def share(self) -> float:
        """Votes for ours among all: who finds both equal has not chosen ours."""
        return self.ours / self.all


_Model = TypeVar("_Model", bound=BaseModel)


def make_key(lots: Iterable[Lot], date: str, commit: str) -> BlindKey:
    """The key to sheets."""
    sheets = {
        lot.sheet: Drawn(
            style=lot.pair.style, against=lot.pair.against, photo=lot.pair.photo.stem, ours=lot.ours
        )
        for lot in lots
    }
    return BlindKey(date=date, commit=commit, sheets=sheets)


def empty_ballot(lots: Iterable[Lot]) -> dict[str, object]:
    """For a judge to fill in."""
    return {"judge": "", "votes": {lot.sheet: dict.fromkeys(QUESTIONS, "") for lot in lots}}


def write_json(path: Path, content: object) -> None:
    """Write a file whole or not at all.

    Raises:
        SinkError: it cannot be written.
    """
    try:
        with replacing(path) as temporary:
            temporary.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise SinkError(f"{path}: cannot write: {error.strerror}") from None


def read_key(path: Path) -> BlindKey:
    """Read the key to sheets.

    Raises:
        UsageError: it cannot be read, or is not a key.
    """
    return _read(path, BlindKey, "key")


def read_ballots(paths: Sequence[Path], key: BlindKey) -> list[Ballot]:
    """Read the votes of all judges.

    Args:
        paths: one file for each judge.
        key: of the sheets they saw.

    Raises:
        UsageError: too few judges, one judge twice, or a file that cannot be read, has votes for other
            sheets, or has not exactly one answer to every question for every sheet.
    """
    ballots = [_complete(path, _read(path, Ballot, "votes"), key) for path in paths]
    judges = [ballot.judge for ballot in ballots]
    if len(set(judges)) < len(judges):
        twice = next(judge for judge in judges if judges.count(judge) > 1)
        raise UsageError(f"two files are from the judge {twice}: each judge votes once")
    if len(judges) < LEAST_JUDGES:
        raise UsageError(f"{len(judges)} judge: at least {LEAST_JUDGES} are needed")
    return ballots


def _complete(path: Path, ballot: Ballot, key: BlindKey) -> Ballot:
    if others := sorted(ballot.votes.keys() - key.sheets.keys()):
        raise UsageError(f"{path}: sheet {others[0]} is not in the key: votes on other sheets?")
    for sheet in key.sheets:
        answers = ballot.votes.get(sheet, {})
        if missing := [question for question in QUESTIONS if question not in answers]:
            raise UsageError(f"{path}: sheet {sheet}: no answer to {missing[0]!r}")
        if unknown := sorted(answers.keys() - QUESTIONS.keys()):
            raise UsageError(f"{path}: sheet {sheet}: unknown question {unknown[0]!r}")
    return ballot


def _read(path: Path, model: type[_Model], what: str) -> _Model:
    try:
        content = json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=_without_repetition)
        return model.model_validate(content)
    except OSError as error:
        raise UsageError(f"{path}: cannot read the {what}: {error.strerror}") from None
    except ValidationError as error:
        first = error.errors()[0]
        place = " ".join(map(str, first["loc"])) or "file"
        raise UsageError(f"{path}: wrong {what}: {place}: {first['msg']}") from None
    except ValueError as error:  # no text, no JSON, or a name twice
        raise UsageError(f"{path}: wrong {what}: {error}") from None


def _without_repetition(items: list[tuple[str, object]]) -> dict[str, object]:
    """An object of JSON, in which the last of two equal names would else win silently."""
    found = dict(items)
    if len(found) < len(items):
        names = [name for name, _ in items]
        raise ValueError(f"{next(name for name in names if names.count(name) > 1)} appears twice")
    return found


def count_votes(
    key: BlindKey, ballots: Iterable[Ballot], question: str, *, against: str, style: str | None = None
) -> VoteCount:
    """Add up the votes of all judges.

    Args:
        key: of the sheets.
        ballots: complete ones, see `read_ballots`.
        question: one of `QUESTIONS`.
        against: whose results ours were beside.
        style: only of this style; of all, if none is named.
    """
    found = [
        (ballot.votes[sheet][question], drawn.ours)
        for ballot in ballots
        for sheet, drawn in key.sheets.items()
        if drawn.against == against and style in (None, drawn.style)
    ]
    equal = sum(vote == "=" for vote, _ in found)
    ours = sum(vote == side for vote, side in found)
    return VoteCount(ours, len(found) - ours - equal, equal)
