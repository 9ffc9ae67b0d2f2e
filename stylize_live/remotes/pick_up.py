"""Soft take-over: a knob moves a number only once it stands where the number is, so that nothing jumps."""

from __future__ import annotations

from dataclasses import dataclass

_NEAR = 2  # steps of a knob that count as none


@dataclass(slots=True)
class PickUp:
    """One knob of 128 steps.

    Attributes:
        seen: step at which it stood last, or None.
        left_at: where the number was after this knob had moved it, 0 to 1; None where another one moved it
            since, or this one never did.
    """

    seen: int | None = None
    left_at: float | None = None

    def moves(self, step: int, position: float) -> bool:
        """Whether the knob moves the number.

        Args:
            step: where it stands now, 0 to 127.
            position: where the number is, 0 to 1.
        """
        before, self.seen = self.seen, step
        if self.left_at is not None and abs(self.left_at - position) < 1e-6:
            return True
        self.left_at = None
        target = position * 127
        if abs(step - target) <= _NEAR:
            return True
        return before is not None and (before - target) * (step - target) <= 0
