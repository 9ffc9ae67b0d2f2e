"""What a conversion needs of a stylizer."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Protocol, runtime_checkable

import numpy as np

from stylize_live.engine.following import FrameFollower
from stylize_live.errors import SinkError, UsageError
from stylize_live.frame import Frame
from stylize_live.sound.follower import Movement


class FrameStylizer(Protocol):
    """What a conversion needs of `stylize_live.engine.Stylizer`."""

    @property
    def fingerprint(self) -> str:
        """Names everything that its frames depend on: stylizers of equal fingerprint paint alike."""

    def stream(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        """Paint frames in order; what it returns ends once the frames end."""

    def warm_up(self, size: tuple[int, int]) -> None:
        """Make the first frame of this (width, height) as quick as the others; drops any state."""


@runtime_checkable
class Resumable(Protocol):
    """A stylizer whose frame depends on those before, such as one that smooths over time.

    Its state is saved between two segments of a video and restored when an interrupted run goes on.
    """

    def save_state(self) -> bytes:
        """The state after the last frame of a finished `stream`."""

    def restore_state(self, state: bytes | None) -> None:
        """Go on from a saved state; None drops it, as before a video's first frame."""


@runtime_checkable
class ChoosesArithmetic(Protocol):
    """A stylizer that may have chosen how to compute, by what was fastest when it was made.

    A video is painted in one arithmetic to its end, also if another would be chosen by now.
    """

    @property
    def arithmetic(self) -> str:
        """How it computes."""

    def paint_as(self, arithmetic: str) -> None:
        """Compute in this arithmetic from now on, if it may and can; otherwise as it chose itself."""


@runtime_checkable
class SurfaceStylizer(Protocol):
    """A stylizer that may take frames as planes, on a GPU or in memory, and then returns planes."""

    @property
    def takes_surfaces(self) -> bool:
        """Whether it does."""


@runtime_checkable
class FollowsFrames(Protocol):
    """A stylizer whose options may follow something from frame to frame, see `Stylizer.follow`."""

    def follow(self, follower: FrameFollower | None, styles: Sequence[str] = ()) -> None:
        """Follow it from the next frame on, by their times; None ends that."""


@runtime_checkable
class AddsAlpha(Protocol):
    """A stylizer whose frames may be transparent although those that it is given are not."""

    @property
    def adds_alpha(self) -> bool:
        """Whether they are."""


def adds_alpha(stylizer: FrameStylizer) -> bool:
    """Whether its frames are transparent, whatever they are made from."""
    return isinstance(stylizer, AddsAlpha) and stylizer.adds_alpha


def takes_surfaces(stylizer: FrameStylizer) -> bool:
    """Whether a video's frames may stay the planes that they were decoded into."""
    return isinstance(stylizer, SurfaceStylizer) and stylizer.takes_surfaces


def arithmetic_of(stylizer: FrameStylizer) -> str:
    """How it computes; "" if that never changes."""
    return stylizer.arithmetic if isinstance(stylizer, ChoosesArithmetic) else ""


def paint_as(stylizer: FrameStylizer, arithmetic: str) -> None:
    """Let it compute as an earlier run did, if it can; "" if there was no such run."""
    if isinstance(stylizer, ChoosesArithmetic):
        stylizer.paint_as(arithmetic)


def save_state(stylizer: FrameStylizer) -> bytes | None:
    """The stylizer's state, or None if it has none."""
    return stylizer.save_state() if isinstance(stylizer, Resumable) else None


def restore_state(stylizer: FrameStylizer, state: bytes | None) -> None:
    """Restore the stylizer's state; None begins a video."""
    if isinstance(stylizer, Resumable):
        stylizer.restore_state(state)


ANYTHING = "{what is followed}"  # stands for the fingerprint of a follower


@dataclass(frozen=True, slots=True)
class Fingerprints:
    """Of a stylizer that may follow something.

    Attributes:
        alone: while it follows nothing.
        following: while it follows `ANYTHING`; "" if it never follows.
    """

    alone: str
    following: str = ""

    def of(self, follower: str | None) -> str:
        """While it follows what has this fingerprint, or nothing."""
        return self.alone if follower is None else self.following.replace(ANYTHING, follower)


@dataclass(slots=True)
class AbsentStylizer:
    """Stands for a stylizer of another process, which has painted all frames or will.

    Attributes:
        fingerprints, arithmetic, takes_surfaces, adds_alpha: of that one.
        followed: fingerprint of what it follows, or None.
    """

    fingerprints: Fingerprints
    arithmetic: str
    takes_surfaces: bool
    adds_alpha: bool
    followed: str | None = None

    @property
    def fingerprint(self) -> str:
        """See `FrameStylizer.fingerprint`."""
        return self.fingerprints.of(self.followed)

    def follow(self, follower: FrameFollower | None, styles: Sequence[str] = ()) -> None:
        """See `FollowsFrames.follow`; the styles are in its fingerprints already."""
        self.followed = None if follower is None else follower.fingerprint

    def stream(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        """There must be no frames. Raises `SinkError`."""
        for _ in frames:
            raise SinkError("finished segments were damaged on the disk, run the same command again")
        return iter(())

    def warm_up(self, size: tuple[int, int]) -> None:
        """See `FrameStylizer.warm_up`."""

    def paint_as(self, arithmetic: str) -> None:
        """See `ChoosesArithmetic.paint_as`; it does so already."""


class _StylizerWrapper:
    """A stylizer around another one.

    Args:
        stylizer: paints.
    """

    def __init__(self, stylizer: FrameStylizer) -> None:
        self._stylizer = stylizer

    def warm_up(self, size: tuple[int, int]) -> None:
        """See `FrameStylizer.warm_up`."""
        self._stylizer.warm_up(size)

    def save_state(self) -> bytes:
        """See `Resumable.save_state`."""
        return save_state(self._stylizer) or b""

    def restore_state(self, state: bytes | None) -> None:
        """See `Resumable.restore_state`."""
        restore_state(self._stylizer, state)

    def follow(self, follower: FrameFollower | None, styles: Sequence[str] = ()) -> None:
        """See `FollowsFrames.follow`."""
        if isinstance(self._stylizer, FollowsFrames):
            self._stylizer.follow(follower, styles)
        elif follower is not None:
            raise UsageError("follow_sound: this stylizer cannot follow anything")

    @property
    def adds_alpha(self) -> bool:
        """See `AddsAlpha.adds_alpha`."""
        return adds_alpha(self._stylizer)

    @property
    def arithmetic(self) -> str:
        """See `ChoosesArithmetic.arithmetic`."""
        return arithmetic_of(self._stylizer)

    def paint_as(self, arithmetic: str) -> None:
        """See `ChoosesArithmetic.paint_as`."""
        paint_as(self._stylizer, arithmetic)


class _Shifted:
    """A follower that is asked for later times than it is to answer for, see `TimeShiftedStylizer`."""

    def __init__(self, follower: FrameFollower, offset: Fraction) -> None:
        self._follower, self._offset = follower, offset
        self.waits, self.fingerprint = follower.waits, follower.fingerprint

    def at(self, when: Fraction) -> Movement:
        """See `FrameFollower.at`."""
        return self._follower.at(when - self._offset)


class TimeShiftedStylizer(_StylizerWrapper):
    """Shifts the times of frames that its stylizer sees: for a part that begins later in a longer video.

    Args:
        stylizer: paints.
        offset: seconds added to each time.
    """

    def __init__(self, stylizer: FrameStylizer, offset: Fraction) -> None:
        super().__init__(stylizer)
        self._offset = offset

    @property
    def fingerprint(self) -> str:
        """See `FrameStylizer.fingerprint`."""
        return f"{self._stylizer.fingerprint} {self._offset} seconds later"

    @property
    def takes_surfaces(self) -> bool:
        """See `SurfaceStylizer.takes_surfaces`."""
        return takes_surfaces(self._stylizer)

    def follow(self, follower: FrameFollower | None, styles: Sequence[str] = ()) -> None:
        """See `FollowsFrames.follow`: by the times of the part."""
        super().follow(None if follower is None else _Shifted(follower, self._offset), styles)

    def stream(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        """See `FrameStylizer.stream`; frames come out with the times they came with."""
        later = (replace(frame, pts=frame.pts + self._offset) for frame in frames)
        return (replace(frame, pts=frame.pts - self._offset) for frame in self._stylizer.stream(later))


class SideBySideStylizer(_StylizerWrapper):
    """Puts the original to the left of the painted frame, (H, 2 W, 3)."""

    @property
    def fingerprint(self) -> str:
        """See `FrameStylizer.fingerprint`."""
        return f"{self._stylizer.fingerprint} side by side"

    def stream(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        """See `FrameStylizer.stream`; each frame is twice as wide as it came."""
        originals: deque[Frame] = deque()

        def remember() -> Iterator[Frame]:
            for frame in frames:
                originals.append(frame)
                yield frame

        for painted in self._stylizer.stream(remember()):
            yield lay_beside(originals.popleft(), painted)


def lay_beside(original: Frame, painted: Frame) -> Frame:
    """The painted frame with the original to its left, (H, 2 W, 3), which is as opaque as it was."""
    both = np.concatenate([original.pixels, painted.pixels], axis=1)
    alpha = None
    if painted.alpha is not None:
        opaque = np.full_like(painted.alpha, np.iinfo(painted.alpha.dtype).max)
        left = opaque if original.alpha is None else original.alpha
        alpha = np.concatenate([left, painted.alpha], axis=1)
    return replace(painted, image=both, alpha=alpha)
