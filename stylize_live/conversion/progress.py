"""What a conversion reports while it runs and when it is done."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

from stylize_live.frame import Frame, Pixels


@dataclass(frozen=True, slots=True)
class ConvertProgress:
    """How far a conversion is.

    Attributes:
        frames: written so far, those of earlier runs included.
        total: estimate of all frames, or None.
        seconds: since the first frame was asked for.
        resumed: frames of them that earlier runs had finished.
        fetched: share of the source that was read from its storage, while that is what is done; else None.
    """

    frames: int
    total: int | None
    seconds: float
    resumed: int = 0
    fetched: float | None = None

    @property
    def fps(self) -> float:
        """Frames per second so far."""
        return (self.frames - self.resumed) / self.seconds if self.seconds else 0.0


@dataclass(frozen=True, slots=True)
class ConvertReport:
    """What a conversion did.

    Attributes:
        frames: in the finished video.
        resumed: frames of them that earlier, interrupted runs had painted.
        seconds: wall clock from the first frame asked for to the file in its place; loading the
            style and warming up are not in it.
        busy: seconds each stage ("decode", "inference", "encode") worked, without its waits.
        damaged: packets and frames of the source that could not be used.
        complete: whether the source was whole and undamaged.
        notes: what was lost or changed, in words.
        pair: one frame before and after, each (H, W, 3) RGB: the first after one third of the
            video that this run painted; None if all was painted earlier.
    """

    frames: int
    resumed: int
    seconds: float
    busy: dict[str, float]
    damaged: int
    complete: bool
    notes: list[str]
    pair: tuple[Pixels, Pixels] | None = field(repr=False)  # who prints a report wants no pixels

    @property
    def fps(self) -> float:
        """Frames per second over all that this run painted."""
        return (self.frames - self.resumed) / self.seconds if self.seconds else 0.0


class Sample:
    """Keeps one frame and its painting: the first at or after a wanted time.

    A cut-off video may end before that time, so until then the frames 0, 1, 2, 4, 8... are kept in turn.
    """

    def __init__(self, wanted: Fraction) -> None:
        self._wanted = wanted
        self._next = 0
        self._settled = False
        self._offered: dict[int, Frame] = {}
        self._pair: tuple[Frame, Frame] | None = None

    def offer(self, frame: Frame) -> None:
        """See a frame on its way to the stylizer."""
        reached = frame.pts >= self._wanted
        if not self._settled and (reached or frame.index >= self._next):
            self._settled = reached
            self._next = max(1, 2 * frame.index)
            self._offered[frame.index] = frame

    def match(self, painted: Frame) -> None:
        """See a frame that comes from the stylizer."""
        original = self._offered.pop(painted.index, None)
        if original is not None:
            self._pair = original, painted

    @property
    def pair(self) -> tuple[Pixels, Pixels] | None:
        """The kept frame and its painting; None if there was no frame at all."""
        return None if self._pair is None else (self._pair[0].pixels, self._pair[1].pixels)
