"""What a conversion by many workers reports while it runs."""

from __future__ import annotations

from dataclasses import dataclass

from stylize_live.conversion.progress import ConvertProgress
from stylize_live.conversion.queue import ConversionJob


@dataclass(frozen=True, slots=True)
class ClusterProgress:
    """How far all is.

    Attributes:
        machines, workers: that are ready to paint, by number.
        segments: finished by this run.
        frames: painted by this run.
        seconds: since it began to hand out work.
        videos: those at work, and how far each is.
    """

    machines: int
    workers: int
    segments: int
    frames: int
    seconds: float
    videos: list[tuple[ConversionJob, ConvertProgress]]

    @property
    def fps(self) -> float:
        """Frames per second of all workers together, so far."""
        return self.frames / self.seconds if self.seconds else 0.0
