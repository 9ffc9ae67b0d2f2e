"""What every source and sink promises."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from types import TracebackType
from typing import Protocol, Self

from stylize_live.frame import Frame


class Source(Protocol):
    """Frames in order.

    Attributes:
        size: (width, height) of upright frames in pixels.
        rate: nominal frames per second, or None when unknown or variable.
        is_live: whether frames come at their own pace and are lost if nobody takes them.

    Iterating raises `SourceError` when the input breaks. `close` may be called twice and from
    another thread's `finally`, but never while a frame is being decoded.
    """

    size: tuple[int, int]
    rate: Fraction | None
    is_live: bool

    def __iter__(self) -> Iterator[Frame]: ...

    def close(self) -> None:
        """Release the device or file."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class Sink(Protocol):
    """Somewhere frames go. `write` raises `SinkError` when it cannot."""

    def write(self, frame: Frame) -> None:
        """Take a frame."""

    def close(self) -> None:
        """Finish and release. May be called twice."""
