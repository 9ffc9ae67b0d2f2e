"""What became of the source's frames, counted."""

from __future__ import annotations

from collections.abc import Callable

from stylize_live.live.report import Settled


class FrameCounts:
    """Counts frames; what was dropped is asked for.

    Args:
        dropped: how many were replaced by newer ones so far.

    Attributes:
        captured: frames that the source gave, since something could be painted.
        frozen, idle: of these, skipped while the session was paused, and while nobody watched.
    """

    def __init__(self, dropped: Callable[[], int]) -> None:
        self._dropped = dropped
        self.captured = self.frozen = self.idle = 0
        self._at_start: tuple[int, int] | None = None  # captured and dropped while the pace was found
        self._before: tuple[float, int, int] | None = None  # a moment; shown and captured until then

    @property
    def dropped(self) -> int:
        """Frames that were replaced by newer ones before they were painted or shown."""
        return self._dropped()

    def settle(self) -> None:
        """The machine has found its pace; later calls change nothing."""
        if self._at_start is None:
            self._at_start = self.captured, self.dropped

    @property
    def settled(self) -> Settled | None:
        """Frames since the first `settle`, or None before it."""
        if self._at_start is None:
            return None
        captured, dropped = self._at_start
        return Settled(self.captured - captured, self.dropped - dropped)

    def pace(self, now: float, shown: int) -> tuple[float, float] | None:
        """Frames shown and captured a second, since it was asked before; None where no time has passed.

        Args:
            now: monotonic seconds.
            shown: different frames that were shown so far.
        """
        before, self._before = self._before, (now, shown, self.captured)
        if before is None or now <= before[0]:
            return None
        seconds = now - before[0]
        return (shown - before[1]) / seconds, (self.captured - before[2]) / seconds
