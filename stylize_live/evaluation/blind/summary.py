"""Blind pairs: the result as Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from stylize_live.evaluation.blind.votes import (
    LEAST_PAIRS,
    LEAST_PHOTOS,
    QUESTIONS,
    Ballot,
    BlindKey,
    VoteCount,
    count_votes,
)

_HEAD = "| against | style | question | ours of all | equal | share |\n|---|---|---|---|---|---|"
_ROWS_HEAD = "| date | commit | photos | against | question | ours of all |\n|---|---|---|---|---|---|"


def summarise(key: BlindKey, ballots: Sequence[Ballot]) -> str:
    """Votes by opponent, style and question; how far judges agree; and rows for the list of all results.

    Args:
        key: of the sheets.
        ballots: complete ones, see `votes.read_ballots`.
    """
    opponents = sorted({drawn.against for drawn in key.sheets.values()})
    table, rows, notes = [_HEAD], [_ROWS_HEAD], list[str]()
    for against in opponents:
        drawn = [d for d in key.sheets.values() if d.against == against]
        photos, styles = len({d.photo for d in drawn}), sorted({d.style for d in drawn})
        if photos < LEAST_PHOTOS or len(drawn) < LEAST_PAIRS:
            notes.append(
                f"Against {against}: {photos} photos and {len(drawn)} pairs, fewer than {LEAST_PHOTOS} and "
                f"{LEAST_PAIRS}: a hint, no result."
            )
        for question in QUESTIONS:
            for style in styles if len(styles) > 1 else ():
                votes = count_votes(key, ballots, question, against=against, style=style)
                table.append(_line(against, style, question, votes))
            votes = count_votes(key, ballots, question, against=against)
            table.append(
                _line(f"**{against}**", "**all**" if len(styles) > 1 else styles[0], question, votes)
            )
            count = f"{votes.ours} of {votes.all}"
            rows.append(f"| {key.date} | {key.commit} | {photos} | {against} | {question} | {count} |")
    head = f"{len(key.sheets)} pairs, {len(ballots)} judges, {key.date}, commit {key.commit}."
    notes += [_agreement(ballots, question) for question in QUESTIONS]
    parts = [head, "\n".join(table), "\n".join(f"- {note}" for note in notes), "\n".join(rows)]
    return "\n\n".join(parts) + "\n"


def _line(against: str, style: str, question: str, votes: VoteCount) -> str:
    count = f"{votes.ours} of {votes.all}"
    return f"| {against} | {style} | {question} | {count} | {votes.equal} | {votes.share:.0%} |"


def _agreement(ballots: Sequence[Ballot], question: str) -> str:
    """On how many sheets all judges say the same, and how often each chose the left one."""
    votes = [{sheet: answers[question] for sheet, answers in b.votes.items()} for b in ballots]
    same = sum(len({vote[sheet] for vote in votes}) == 1 for sheet in votes[0])
    left = ", ".join(
        f"{b.judge} {sum(v == 'A' for v in vote.values())}" for b, vote in zip(ballots, votes, strict=True)
    )
    return f"{question}: all judges agree on {same} of {len(votes[0])} sheets; A was chosen by {left}."
