"""What a conversion needs of whoever paints."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import replace
from fractions import Fraction
from typing import Protocol, runtime_checkable

import numpy as np

from stylize_live.frame import Frame


class FrameStylizer(Protocol):
    """What a conversion needs of `stylize_live.engine.Stylizer`."""

    @property
    def fingerprint(self) -> str:
        """Names everything that its frames depend on: painters of equal fingerprint paint alike."""

    def stream(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        """Paint frames in order; what it returns ends once the frames end."""

    def warm_up(self, size: tuple[int, int]) -> None:
        """Make the first frame of this (width, height) as quick as the others; forgets, if it remembers."""


@runtime_checkable
class Resumable(Protocol):
    """A painter whose frame depends on those before, such as one that smooths over time.

    Its memory is saved between two pieces of a video and given back when an interrupted run goes on.
    """

    def save_state(self) -> bytes:
        """The memory after the last frame of a finished `stream`."""

    def restore_state(self, state: bytes | None) -> None:
        """Go on from a saved memory; None forgets everything, as before a video's first frame."""


@runtime_checkable
class ChoosesArithmetic(Protocol):
    """A painter that may have chosen how to compute, by what was fastest when it was made.

    A video is painted in one way to its end, also if another would be chosen by now.
    """

    @property
    def arithmetic(self) -> str:
        """How it computes."""

    def paint_as(self, arithmetic: str) -> None:
        """Compute like this from now on, if it may and can; as it chose itself, if not."""


@runtime_checkable
class TakingSurfaces(Protocol):
    """A painter that may take frames as planes, on a GPU or in memory, and then gives such back."""

    @property
    def takes_surfaces(self) -> bool:
        """Whether it does."""


def takes_surfaces(painter: FrameStylizer) -> bool:
    """Whether a video's frames may stay the planes that they were decoded into."""
    return isinstance(painter, TakingSurfaces) and painter.takes_surfaces


def arithmetic_of(painter: FrameStylizer) -> str:
    """How it computes; "" if that never changes."""
    return painter.arithmetic if isinstance(painter, ChoosesArithmetic) else ""


def paint_as(painter: FrameStylizer, arithmetic: str) -> None:
    """Let it compute as an earlier run did, if it can; "" is no such run."""
    if isinstance(painter, ChoosesArithmetic):
        painter.paint_as(arithmetic)


def save_state(painter: FrameStylizer) -> bytes | None:
    """The painter's memory, or None if it has none."""
    return painter.save_state() if isinstance(painter, Resumable) else None


def restore_state(painter: FrameStylizer, state: bytes | None) -> None:
    """Give the painter its memory back; None begins a video."""
    if isinstance(painter, Resumable):
        painter.restore_state(state)


class _Wrapped:
    """A painter around another one.

    Args:
        painter: who really paints.
    """

    def __init__(self, painter: FrameStylizer) -> None:
        self._painter = painter

    def warm_up(self, size: tuple[int, int]) -> None:
        """See `FrameStylizer.warm_up`."""
        self._painter.warm_up(size)

    def save_state(self) -> bytes:
        """See `Resumable.save_training`."""
        return save_state(self._painter) or b""

    def restore_state(self, state: bytes | None) -> None:
        """See `Resumable.restore_state`."""
        restore_state(self._painter, state)

    @property
    def arithmetic(self) -> str:
        """See `ChoosesArithmetic.arithmetic`."""
        return arithmetic_of(self._painter)

    def paint_as(self, arithmetic: str) -> None:
        """See `ChoosesArithmetic.paint_as`."""
        paint_as(self._painter, arithmetic)


class LazyStylizer(_Wrapped):
    """Lets a painter believe that frames come later than they do, for a part of a longer video.

    Args:
        painter: who really paints.
        offset: seconds.
    """

    def __init__(self, painter: FrameStylizer, offset: Fraction) -> None:
        super().__init__(painter)
        self._offset = offset

    @property
    def fingerprint(self) -> str:
        """See `FrameStylizer.fingerprint`."""
        return f"{self._painter.fingerprint} {self._offset} seconds later"

    @property
    def takes_surfaces(self) -> bool:
        """See `TakingSurfaces.encodes_surfaces`."""
        return takes_surfaces(self._painter)

    def stream(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        """See `FrameStylizer.stream`; frames come out with the times they came with."""
        later = (replace(frame, pts=frame.pts + self._offset) for frame in frames)
        return (replace(frame, pts=frame.pts - self._offset) for frame in self._painter.stream(later))


class SideBySide(_Wrapped):
    """Puts the original to the left of what another painter makes of it, (H, 2 W, 3)."""

    @property
    def fingerprint(self) -> str:
        """See `FrameStylizer.fingerprint`."""
        return f"{self._painter.fingerprint} side by side"

    def stream(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        """See `FrameStylizer.stream`; each frame is twice as wide as it came."""
        originals: deque[Frame] = deque()

        def noted() -> Iterator[Frame]:
            for frame in frames:
                originals.append(frame)
                yield frame

        for painted in self._painter.stream(noted()):
            original = originals.popleft()
            both = np.concatenate([original.pixels, painted.pixels], axis=1)
            alpha = None
            if original.alpha is not None and painted.alpha is not None:
                alpha = np.concatenate([original.alpha, painted.alpha], axis=1)
            yield replace(painted, image=both, alpha=alpha)
