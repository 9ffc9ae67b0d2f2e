"""What live painting promises on any machine, compared with what was measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from stylize_live.bench.report import Row, Verdict
from stylize_live.bench.timing import format_figure

# Names of the figures that promises are about.
LINES = "lines painted"
EVERY = "one frame painted of"
SETTLED_DROPS = "dropped after the first two seconds"
P95 = "capture to display, p95"


@dataclass(frozen=True, slots=True)
class Promise:
    """A limit for a figure of the group "live".

    Attributes:
        name: of the figure.
        bound: whether it is to be at most or at least the limit.
        limit: in the figure's unit.
    """

    name: str
    bound: Literal["at most", "at least"]
    limit: float

    def for_lines(self, lines: int) -> Promise:
        """The same for frames that may have too few lines for it."""
        return replace(self, limit=min(self.limit, lines)) if self.name == LINES else self

    def kept(self, value: float) -> bool:
        """Whether a value is within the limit."""
        return value <= self.limit if self.bound == "at most" else value >= self.limit

    def words(self) -> str:
        """Such as "at most 66"."""
        return f"{self.bound} {format_figure(self.limit)}"


# Of 640x360 at 30 a second; two slow cores with AVX2 are what they are made for. Larger frames and lower
# rates cost more or less than those, and keep all but the age.
PROMISES = (
    Promise(SETTLED_DROPS, "at most", 1.0),
    Promise(LINES, "at least", 288),
    Promise(EVERY, "at most", 3),
    Promise(P95, "at most", 66),
)


def verdicts(rows: Sequence[Row], lines: int) -> list[Verdict]:
    """All promises whose figures were measured, with frames of so many lines."""
    medians = {row.name: row.spread.median for row in rows if row.group == "live"}
    return [
        _verdict(promise.for_lines(lines), medians[promise.name])
        for promise in PROMISES
        if promise.name in medians
    ]


def _verdict(promise: Promise, value: float) -> Verdict:
    return Verdict(promise.name, promise.words(), value, promise.kept(value))
