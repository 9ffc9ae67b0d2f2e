"""Charts as SVG: points, curves and bars. Their colours are the theme's, so that they suit light and dark."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

from stylize_live.reports.svg import Axis, Chart, Plot, Points, text

_LETTER = 7.0  # pixels: width of a letter at the charts' size of text
_WIDTH = 520
_BAR = 26  # pixels from one bar to the next
_MEMORY = 0.15  # share of the newest point in a running mean


def scatter(points: Mapping[str, tuple[float, float]], x: str, y: str) -> Chart:
    """Named points: (x, y) by name, and the axes' titles."""
    across, up = zip(*points.values(), strict=True)
    plot = Plot(Axis.round(x, across), Axis.round(y, up), _WIDTH, 340)
    taken = [(left - 5, down - 5, left + 5, down + 5) for left, down in map(plot.at, across, up)]
    for name, point in points.items():
        plot.dot(*point, 5, f"{name}: {point[0]:.3f}, {point[1]:.3f}")
        label = _free_place(name, *plot.at(*point), taken)
        if label is not None:
            plot.drawn.append(text(*label, name, "start"))
    return plot.chart(f"{y} over {x}")


def curves(series: Mapping[str, Points], x: str, y: str, *, marked: bool = False) -> Chart:
    """Curves in up to four colours, both axes from zero on; with a legend if there are several.

    Args:
        series: points of each by its name, x growing; a y that is not a number breaks the curve.
        x, y: titles of the axes.
        marked: whether each point has a dot.
    """
    across = [point[0] for points in series.values() for point in points]
    up = [point[1] for points in series.values() for point in points if math.isfinite(point[1])]
    ends = Axis.exact(x, min([0.0, *across]), max(across, default=1))
    plot = Plot(ends, Axis.round(y, [0.0, *up]), _WIDTH, 240)
    place = _WIDTH - 16.0
    for index, (name, points) in reversed(list(enumerate(series.items()))):
        plot.line(points, f"of{index % 4}")
        for point in points if marked else ():
            plot.dot(*point, 3, f"{point[0]:g}: {point[1]:g}")
        if len(series) > 1:
            place -= _LETTER * len(name) + 38
            plot.drawn.append(f'<path class="line of{index % 4}" d="M{place:.1f} 6h18"/>')
            plot.drawn.append(text(place + 23, 10, name, "start"))
    return plot.chart(f"{y} over {x}")


def learning_curve(steps: Sequence[int], values: Sequence[float]) -> Chart:
    """A small chart of one quantity over the steps: every value faint, their running mean bold.

    Args:
        steps: growing, two or more.
        values: one for each step, 0 or more; far above the mean they are cut off.
    """
    means = running_mean(values)
    height = Axis.exact("", 0, 1.15 * max([1e-9, *filter(math.isfinite, means)]))
    plot = Plot(Axis.exact("step", steps[0], steps[-1]), height, 280, 150, left=42)
    plot.line(list(zip(steps, values, strict=True)), "each of0")
    plot.line(list(zip(steps, means, strict=True)), "of0")
    plot.dot(steps[-1], means[-1], 3.5, f"{means[-1]:.3g}")
    return plot.chart(f"from {means[0]:.3g} to {means[-1]:.3g}")


def bars(rows: Mapping[str, tuple[float, float, float]], x: str, words: Callable[[float], str]) -> Chart:
    """Bars from the left, with a line for their spread.

    Args:
        rows: low, middle and high value of each by its name, not negative.
        x: title of the axis.
        words: how a middle value is written.
    """
    left = _LETTER * max(map(len, rows)) + 12
    axis = Axis.exact(x, 0, 1.2 * max(high for _, _, high in rows.values()))
    plot = Plot(axis, Axis("", 0, 1, ()), _WIDTH, _BAR * len(rows) + 58, left)
    for index, (name, (low, middle, high)) in enumerate(rows.items()):
        top = 16 + _BAR * index
        ends = [plot.at(value, 0)[0] for value in (0, low, middle, high)]
        size = f'x="{left:.1f}" y="{top}" width="{ends[2] - left:.1f}" height="{_BAR - 8}"'
        plot.drawn.append(f'<rect class="dot" {size}/>')
        plot.drawn.append(f'<path class="spread" d="M{ends[1]:.1f} {top + 9}H{ends[3]:.1f}"/>')
        plot.drawn.append(text(left - 8, top + 13, name, "end", "axis"))
        plot.drawn.append(text(ends[3] + 7, top + 13, words(middle), "start", "axis"))
    return plot.chart(x)


def running_mean(values: Sequence[float]) -> list[float]:
    """The exponential running mean, fair from the first value on."""
    means: list[float] = []
    total = weight = 0.0
    for value in values:
        total += _MEMORY * (value - total)
        weight += _MEMORY * (1 - weight)
        means.append(total / weight)
    return means


_Box = tuple[float, float, float, float]


def _free_place(name: str, x: float, y: float, taken: list[_Box]) -> tuple[float, float] | None:
    """Where a point's name covers nothing: (left, baseline), noted as taken; None if there is no room."""
    long = _LETTER * len(name)
    right, left, middle = x + 9, x - 9 - long, x - long / 2
    places = [(right, y + 4), (left, y + 4), (middle, y - 10), (middle, y + 20)]
    places += [(right - 2, y - 8), (right - 2, y + 18), (left + 2, y - 8), (left + 2, y + 18)]
    for start, base in places:
        box = (start, base - 11, start + long, base + 3)
        free = all(box[2] <= t[0] or box[0] >= t[2] or box[3] <= t[1] or box[1] >= t[3] for t in taken)
        if free and start > 60 and start + long < _WIDTH:
            taken.append(box)
            return start, base
    return None
