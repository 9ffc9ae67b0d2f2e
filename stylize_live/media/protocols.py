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

    is_live: bool

    @property
    def size(self) -> tuple[int, int]: ...

    @property
    def rate(self) -> Fraction | None: ...

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


class LiveSink(Sink, Protocol):
    """Where live frames go beside the window: a virtual camera, a stream, a recording.

    `write` is called by one thread that serves this sink alone, with the newest frame each time,
    so it may be slow. Frames come at any pace, and all of them have the source's size unless the
    source changes it. `close` is called by another thread when no `write` follows, or when one hangs:
    then it returns soon, and leaves to the system what cannot be released.

    Attributes:
        name: what it is, in words for people, such as "virtual camera".
        watched: whether anybody may be looking. Where nobody looks anywhere, nothing is painted.
    """

    name: str

    @property
    def watched(self) -> bool: ...
