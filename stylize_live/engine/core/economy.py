"""What images may do without while they come live; a conversion does without nothing."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Economy:
    """How an image of a live show saves time. Whatever the values, motion and finishing go by the size that
    is painted, and finishing is done in eight bits.

    Attributes:
        every: every so manieth image is painted; on those between, the last painting moves along with what
            it shows. The first of a shot is always painted.
    """

    every: int = 1
