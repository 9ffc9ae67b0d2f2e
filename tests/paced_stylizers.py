"""A stylizer whose time for each size is said by the test, and the rate it is measured by."""

from __future__ import annotations

import random
from collections.abc import Callable
from fractions import Fraction

from stylize_live.engine.core.economy import Economy
from stylize_live.frame import Pixels

RATE = Fraction(30)


PERIOD = float(1 / RATE)


HD = (1280, 720)


class PacedStylizer:
    """Takes time by its lines, on a clock of its own; everything takes `load` times longer.

    Args:
        seconds_at_480: to paint a frame.
        moving: share of that which moving one along takes.
        fixed: seconds that every frame takes, painted or not.
        device: "cuda" paints every frame.
    """

    def __init__(
        self, seconds_at_480: float, moving: float = 0.2, fixed: float = 0.0, device: str = "cpu"
    ) -> None:
        self.lines = 480
        self.economy: Economy | None = Economy()
        self.device, self.can_save = device, device == "cpu"
        self.carried = False
        self.now = 100.0
        self.load: Callable[[float], float] = lambda now: 1.0
        self.noise = 0.0
        self.asked: list[int] = []
        self.resets = 0
        self.unready: set[int] = set()
        self._seconds, self._moving, self._fixed = seconds_at_480, moving, fixed
        self._since = 10
        self._random = random.Random(7)

    def paint(self) -> float:
        """Paint a frame or move it along; the seconds that it takes."""
        self._since += 1
        self.carried = self.can_save and self.economy is not None and self._since < self.economy.every
        self._since = self._since if self.carried else 0
        share = self._moving if self.carried else 1.0
        seconds = self._fixed + self._seconds * share * (self.lines / 480) ** 2
        return seconds * self.load(self.now) * self._random.lognormvariate(0, self.noise)

    def __call__(self, image: Pixels, /) -> Pixels:
        first = self.lines not in self.asked
        self.asked.append(self.lines)
        self.now += self.paint() + (0.5 if first else 0.0)  # a graph is made
        return image

    def reset(self) -> None:
        self.resets += 1
        self._since = 10

    def is_ready(self, lines: int) -> bool:
        return lines not in self.unready

    def make_ready(self, lines: int) -> None:
        self.unready.discard(lines)

    def warm_up(self, size: tuple[int, int], /) -> None:
        self.asked.append(self.lines)

    def clock(self) -> float:
        return self.now
