"""Small line charts as SVG, for the report."""

from __future__ import annotations

from collections.abc import Sequence

_WIDTH, _HEIGHT = 340, 150
_LEFT, _BOTTOM, _TOP, _RIGHT = 46, 18, 8, 8
_MOST_POINTS = 400
_MEMORY = 0.15  # share of the newest point in the running mean


def curve(steps: Sequence[int], values: Sequence[float]) -> str:
    """One quantity over the steps: every value faint, their running mean strong.

    Args:
        steps: growing, two or more.
        values: one for each step, 0 or more.

    Returns:
        An ``<svg>`` element; the classes it uses are coloured by the page.
    """
    stride = -(-len(steps) // _MOST_POINTS)
    means = running_mean(values)
    shown = [*range(0, len(steps) - 1, stride), len(steps) - 1]
    top: float = 1.15 * max([1e-9, *(means[i] for i in shown)])

    def x(step: int) -> float:
        return _LEFT + (step - steps[0]) / (steps[-1] - steps[0]) * (_WIDTH - _LEFT - _RIGHT)

    def y(value: float) -> float:
        return _HEIGHT - _BOTTOM - min(value / top, 1.0) * (_HEIGHT - _BOTTOM - _TOP)

    def line(name: str, heights: Sequence[float]) -> str:
        points = " ".join(f"{x(steps[i]):.1f},{y(heights[i]):.1f}" for i in shown)
        return f'<polyline class="{name}" points="{points}"/>'

    parts = [_level(y(share * top), share * top) for share in (0, 0.4, 0.8)]
    parts += [line("each", values), line("mean", means)]
    parts.append(f'<circle cx="{x(steps[-1]):.1f}" cy="{y(means[-1]):.1f}" r="3.5"/>')
    parts.append(f'<text x="{_LEFT}" y="{_HEIGHT - 3}">step {steps[0]}</text>')
    parts.append(f'<text x="{_WIDTH - _RIGHT}" y="{_HEIGHT - 3}" text-anchor="end">{steps[-1]}</text>')
    return f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img">{"".join(parts)}</svg>'


def running_mean(values: Sequence[float]) -> list[float]:
    """The exponential running mean, fair from the first value on."""
    means: list[float] = []
    total = weight = 0.0
    for value in values:
        total += _MEMORY * (value - total)
        weight += _MEMORY * (1 - weight)
        means.append(total / weight)
    return means


def _level(height: float, value: float) -> str:
    line = f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{height:.1f}" y2="{height:.1f}"/>'
    return f'{line}<text x="{_LEFT - 6}" y="{height + 4:.1f}" text-anchor="end">{value:.2g}</text>'
