"""A plot for reports, as SVG that takes its colours from the page, so that it is right in light and dark."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

_LETTER = 6.6  # pixels: width of a letter at the plots' size of text
_LINE = 14.0


@dataclass(frozen=True, slots=True)
class Axis:
    """One direction of a plot.

    Attributes:
        title: what it shows.
        ticks: values to mark; the first and the last are its ends.
    """

    title: str
    ticks: tuple[float, ...]

    def place(self, value: float) -> float:
        """Where a value stands between the ends, 0 to 1 and beyond."""
        return (value - self.ticks[0]) / (self.ticks[-1] - self.ticks[0])


@dataclass(frozen=True, slots=True)
class _Frame:
    """The room of a plot and its axes, in pixels."""

    x: Axis
    y: Axis
    width: float = 520
    height: float = 340
    left: float = 52
    right: float = 16
    top: float = 16
    bottom: float = 46

    def at(self, x: float, y: float) -> tuple[float, float]:
        across = self.left + self.x.place(x) * (self.width - self.left - self.right)
        down = self.height - self.bottom - self.y.place(y) * (self.height - self.top - self.bottom)
        return across, down

    def svg(self, drawn: Sequence[str], label: str) -> str:
        box = f'viewBox="0 0 {self.width:g} {self.height:g}" style="max-width:{self.width:g}px"'
        return f'<svg role="img" aria-label="{escape(label)}" {box}>{"".join([*self._grid(), *drawn])}</svg>'

    def _grid(self) -> list[str]:
        lines = []
        for value in self.x.ticks:
            x, bottom = self.at(value, self.y.ticks[0])
            lines.append(f'<path class="grid" d="M{x:.1f} {self.top}V{bottom:.1f}"/>')
            lines.append(_text(x, bottom + 17, f"{value:g}", "middle"))
        for value in self.y.ticks:
            left, y = self.at(self.x.ticks[0], value)
            lines.append(f'<path class="grid" d="M{left} {y:.1f}H{self.width - self.right}"/>')
            lines.append(_text(left - 8, y + 4, f"{value:g}", "end"))
        middle = (self.left + self.width - self.right) / 2
        lines.append(_text(middle, self.height - 8, self.x.title, "middle", "axis"))
        y = (self.top + self.height - self.bottom) / 2
        turned = f' transform="rotate(-90 14 {y:.1f})"'
        lines.append(_text(14, y, self.y.title, "middle", "axis", turned))
        return lines


def ticks(values: Sequence[float]) -> tuple[float, ...]:
    """Round numbers at equal distances, from below the smallest of some values to beyond the largest."""
    least, most = min(values), max(values)
    rough = (most - least or abs(most) or 1.0) / 4
    power = 10 ** math.floor(math.log10(rough))
    step = next(power * m for m in (1, 2, 5, 10) if power * m >= rough * 0.999)
    first, last = math.floor(least / step + 1e-9), math.ceil(most / step - 1e-9)
    return tuple(round(i * step, 10) for i in range(first, max(last, first + 1) + 1))


def scatter(points: Mapping[str, tuple[float, float]], x: str, y: str) -> str:
    """Named points.

    Args:
        points: name -> (x, y), not negative.
        x, y: titles of the axes.
    """
    frame = _Frame(
        Axis(x, ticks([p[0] for p in points.values()])), Axis(y, ticks([p[1] for p in points.values()]))
    )
    drawn, taken = [], [_box(*frame.at(*point), 5, 5) for point in points.values()]
    for name, point in points.items():
        across, down = frame.at(*point)
        title = f"<title>{escape(name)}: {point[0]:.3f}, {point[1]:.3f}</title>"
        drawn.append(f'<circle class="dot" cx="{across:.1f}" cy="{down:.1f}" r="5">{title}</circle>')
        label = _free_place(name, across, down, frame.width, taken)
        if label is not None:
            drawn.append(_text(*label, name, "start"))
    return frame.svg(drawn, f"{y} over {x}")


_Box = tuple[float, float, float, float]


def _box(x: float, y: float, half_wide: float, half_tall: float) -> _Box:
    return x - half_wide, y - half_tall, x + half_wide, y + half_tall


def _free_place(name: str, x: float, y: float, width: float, taken: list[_Box]) -> tuple[float, float] | None:
    """Where a point's name covers nothing: (left, baseline), noted as taken; None if there is no room."""
    long = _LETTER * len(name)
    for left, base in (
        (x + 9, y + 4),
        (x - 9 - long, y + 4),
        (x - long / 2, y - 10),
        (x - long / 2, y + 20),
        (x + 7, y - 8),
        (x + 7, y + 18),
        (x - 7 - long, y - 8),
        (x - 7 - long, y + 18),
    ):
        box = (left, base - 11, left + long, base + 3)
        free = all(box[2] <= t[0] or box[0] >= t[2] or box[3] <= t[1] or box[1] >= t[3] for t in taken)
        if free and left > 60 and left + long < width:
            taken.append(box)
            return left, base
    return None


def _text(x: float, y: float, words: str, anchor: str, kind: str = "", more: str = "") -> str:
    name = f' class="{kind}"' if kind else ""
    return f'<text{name} x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{more}>{escape(words)}</text>'
