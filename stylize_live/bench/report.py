"""What a benchmark found, as rows of a table."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Literal, get_args

from stylize_live.bench.timing import Spread

Group = Literal["network", "stages", "live", "convert", "program"]
GROUPS: tuple[Group, ...] = get_args(Group)


@dataclass(frozen=True, slots=True)
class Row:
    """One figure.

    Attributes:
        group: what it belongs to.
        name: what was measured.
        unit: of its values, such as "ms".
        spread: its values.
    """

    group: Group
    name: str
    unit: str
    spread: Spread


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a promise.

    Attributes:
        name: of its figure.
        promised: in words.
        measured: the median.
        kept: whether that is within the limit.
    """

    name: str
    promised: str
    measured: float
    kept: bool


class Measurements:
    """Collects values while rounds go on."""

    def __init__(self) -> None:
        self._values: dict[tuple[Group, str, str], list[float]] = {}

    def add(self, group: Group, name: str, value: float, unit: str = "ms") -> None:
        """Note one value of one figure."""
        self._values.setdefault((group, name, unit), []).append(value)

    def rows(self) -> list[Row]:
        """All figures, by group and then as they came."""
        found = [Row(*key, Spread.of(values)) for key, values in self._values.items()]
        return sorted(found, key=lambda row: GROUPS.index(row.group))


@dataclass(frozen=True, slots=True)
class BenchReport:
    """What a benchmark found.

    Attributes:
        machine: what it ran on, see `machine.describe_machine`.
        settings: what was asked for.
        painter: what painted in `live`, `convert` and the stages, such as "openvino 2026.1, bfloat16".
        seconds: how long all of it took.
        rows: the figures.
        promises: what became of those that `live` makes.
    """

    machine: dict[str, object]
    settings: dict[str, object]
    painter: str
    seconds: float
    rows: list[Row]
    promises: list[Verdict] = field(default_factory=list)

    def as_dict(self) -> dict[str, object]:
        """The report as plain numbers and dictionaries, for JSON."""
        return asdict(self)
