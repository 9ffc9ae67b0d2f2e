"""What live frames may do without where the machine is too slow; a conversion does without nothing."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Economy:
    """How live frames save time. Whatever the values, motion is measured and the painting is composited by
    the size that is painted, and compositing is done in eight bits.

    Attributes:
        every: one frame of so many is painted; on those between, the last painting moves along with what
            it shows. The first of a shot is always painted.
    """

    every: int = 1
