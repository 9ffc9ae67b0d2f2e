"""The parts of charts: axes, and lines and dots between them, as SVG."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from stylize_live.wording import plain

_BUCKETS = 200  # of a long curve, each of which keeps its lowest and highest point

Points = Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Chart:
    """A finished chart, which templates insert as it is.

    Attributes:
        label: what it shows, for screen readers.
        width, height: pixels; pages scale it.
        drawn: SVG elements.
    """

    label: str
    width: float
    height: float
    drawn: str

    def __html__(self) -> str:
        box = f'viewBox="0 0 {self.width:g} {self.height:g}" width="{self.width:g}" height="{self.height:g}"'
        return f'<svg role="img" aria-label="{escape(plain(self.label))}" {box}>{self.drawn}</svg>'


@dataclass(frozen=True, slots=True)
class Axis:
    """One direction: its title, its ends, and the values that are marked."""

    title: str
    first: float
    last: float
    marks: tuple[float, ...]

    @classmethod
    def round(cls, title: str, values: Sequence[float]) -> Axis:
        """From one round number to another."""
        marks = ticks(values)
        return cls(title, marks[0], marks[-1], marks)

    @classmethod
    def exact(cls, title: str, first: float, last: float) -> Axis:
        """From here to there, with the round numbers between."""
        last = last if last > first else first + 1
        return cls(
            title, first, last, tuple(mark for mark in ticks([first, last], 6) if first <= mark <= last)
        )


class Plot:
    """A chart under way: two axes, and what is drawn between them.

    Args:
        x, y: axes; a title may be "".
        width, height: pixels, of all of it.
        left: pixels beside the y axis, for its marks.
    """

    def __init__(self, x: Axis, y: Axis, width: float, height: float, left: float = 56) -> None:
        self._x, self._y, self._width, self._height = x, y, width, height
        self._left, self._right, self._top, self._bottom = left, width - 16, 14, height - 40
        self.drawn: list[str] = []
        for mark in x.marks:
            across, below = self.at(mark, y.first)
            self.drawn.append(f'<path class="grid" d="M{across:.1f} {self._top}V{below:.1f}"/>')
            self.drawn.append(text(across, self._bottom + 16, f"{mark:g}", "middle"))
        for mark in y.marks:
            _, down = self.at(x.first, mark)
            self.drawn.append(f'<path class="grid" d="M{left:.1f} {down:.1f}H{self._right}"/>')
            self.drawn.append(text(left - 8, down + 4, f"{mark:g}", "end"))
        self.drawn.append(text((left + self._right) / 2, height - 7, x.title, "middle", "axis"))
        if y.title:
            middle = (self._top + self._bottom) / 2
            turned = f' transform="rotate(-90 12 {middle:.1f})"'
            self.drawn.append(text(12, middle, y.title, "middle", "axis", turned))

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Where values stand, in pixels; what is beyond an end stands there."""
        across = min(1.0, max(0.0, (x - self._x.first) / (self._x.last - self._x.first)))
        up = min(1.0, max(0.0, (y - self._y.first) / (self._y.last - self._y.first)))
        return (
            self._left + across * (self._right - self._left),
            self._bottom - up * (self._bottom - self._top),
        )

    def line(self, points: Points, kind: str) -> None:
        """A curve, broken where a value is not a number."""
        path, pen = "", "M"
        for x, y in _thin(points):
            path += "" if math.isnan(y) else "{}{:.1f},{:.1f}".format(pen, *self.at(x, y))
            pen = "M" if math.isnan(y) else "L"
        self.drawn.append(f'<path class="line {kind}" d="{path}"/>')

    def dot(self, x: float, y: float, radius: float, words: str) -> None:
        """A point, with words that are shown when the mouse is over it."""
        across, down = self.at(x, y)
        place = f'cx="{across:.1f}" cy="{down:.1f}" r="{radius:g}"'
        self.drawn.append(f'<circle class="dot" {place}><title>{escape(plain(words))}</title></circle>')

    def chart(self, label: str) -> Chart:
        """What has been drawn so far."""
        return Chart(label, self._width, self._height, "".join(self.drawn))


def ticks(values: Sequence[float], parts: int = 4) -> tuple[float, ...]:
    """Round numbers at equal distances, from below the smallest of some values to beyond the largest.

    Args:
        values: one or more.
        parts: how many there are to be between the ends, at most.
    """
    least, most = min(values), max(values)
    rough = (most - least or abs(most) or 1.0) / parts
    power = 10 ** math.floor(math.log10(rough))
    step = next(power * m for m in (1, 2, 5, 10) if power * m >= rough * 0.999)
    first, last = math.floor(least / step + 1e-9), math.ceil(most / step - 1e-9)
    return tuple(round(i * step, 10) for i in range(first, max(last, first + 1) + 1))


def text(x: float, y: float, words: str, anchor: str, kind: str = "", more: str = "") -> str:
    """Words at a place, which is their start, middle or end."""
    name = f' class="{kind}"' if kind else ""
    return f'<text{name} x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{more}>{escape(plain(words))}</text>'


def _thin(points: Points) -> Points:
    """Of each of many equal parts of a long curve its lowest and its highest point: no peak is lost."""
    if len(points) <= 2 * _BUCKETS:
        return points
    kept: list[tuple[float, float]] = []
    size = -(-len(points) // _BUCKETS)
    for start in range(0, len(points), size):
        known = [point for point in points[start : start + size] if not math.isnan(point[1])]
        ends = {min(known, key=_height), max(known, key=_height)} if known else {points[start]}
        kept += sorted(ends)
    return kept


def _height(point: tuple[float, float]) -> float:
    return point[1]
