"""A source, a stylizer and a display that do exactly what a test says."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction

import numpy as np

from stylize_live.backgrounds import TRANSPARENT
from stylize_live.errors import SinkError
from stylize_live.frame import Frame, Pixels
from stylize_live.lifecycle import Closeable
from stylize_live.media.sinks.overlay import Caption
from stylize_live.options import PaintingOptions
from stylize_live.system.clock import monotonic

SIZE = (32, 24)


def make_frame(index: int, size: tuple[int, int] = SIZE) -> Frame:
    """A grey frame whose level is its index, with a white pixel at the top left."""
    pixels = np.full((size[1], size[0], 3), index % 200, np.uint8)
    pixels[0, 0] = 255
    return Frame(pixels, Fraction(index, 30), monotonic(), index)


class FakeSource(Closeable):
    """Frames 0, 1, ... until `count`; `before` is called with each index and may raise or block."""

    is_live = True

    def __init__(
        self, count: int = 5, before: Callable[[int], None] | None = None, gap: float = 0.004
    ) -> None:
        self.size = SIZE
        self.rate: Fraction | None = Fraction(30)
        self.closed = 0
        self._count = count
        self._before = before
        self._gap = gap

    def __iter__(self) -> Iterator[Frame]:
        for index in range(self._count):
            if self._before is not None:
                self._before(index)
            time.sleep(self._gap)
            yield make_frame(index)

    def close(self) -> None:
        self.closed += 1


class WakeableSource(FakeSource):
    """Gives `count` frames, then waits until it is interrupted."""

    def __init__(self, count: int = 3) -> None:
        super().__init__(count)
        self.trouble: str | None = None
        self.woken = threading.Event()
        self.was_woken = False

    def __iter__(self) -> Iterator[Frame]:
        yield from super().__iter__()
        self.was_woken = self.woken.wait(30)

    def interrupt(self) -> None:
        self.woken.set()


def left_transparent(size: tuple[int, int]) -> Pixels:
    """(H, W): 0 in the left half, 255 in the right one."""
    alpha = np.zeros((size[1], size[0]), np.uint8)
    alpha[:, size[0] // 2 :] = 255
    return alpha


class FakeStylizer:
    """Inverts frames, half transparent if told so; `before` is called with each, and may raise or sleep."""

    def __init__(self, before: Callable[[Frame], None] | None = None) -> None:
        self.style = "first"
        self.background = self.background_trouble = ""
        self.keeps_background = False
        for name, value in PaintingOptions(boldness=1.0):
            setattr(self, name, value)
        self.has_boldness = True
        self.warmed: list[tuple[int, int]] = []
        self.painted: list[tuple[int, str]] = []
        self._before = before

    def __call__(self, frame: Frame, /) -> Frame:
        if self._before is not None:
            self._before(frame)
        self.painted.append((frame.index, self.style))
        alpha = left_transparent(frame.size) if self.background == TRANSPARENT else None
        return replace(frame, image=255 - frame.pixels, alpha=alpha)

    def warm_up(self, size: tuple[int, int], /) -> None:
        self.warmed.append(size)

    def takes_long(self, style: str, /) -> bool:
        return False

    def look_at(self, style: str, /) -> None:
        """Knows all styles."""


@dataclass
class FakeDisplay:
    """Remembers frames; calls `on_poll` with itself for the next key."""

    on_poll: Callable[[FakeDisplay], str | None] = lambda display: None
    frames: list[Frame] = field(default_factory=list)
    captions: list[Caption] = field(default_factory=list)
    polls: int = 0
    watched: bool = True

    def write(self, frame: Frame, caption: Caption | None = None) -> None:
        self.frames.append(frame)
        self.captions.append(caption or Caption())

    def poll(self) -> str | None:
        self.polls += 1
        return self.on_poll(self)

    @property
    def indices(self) -> list[int]:
        """Indices of the source's frames, each once, in the order of their first showing; no cards."""
        return list(dict.fromkeys(frame.index for frame in self.frames if frame.index >= 0))


def keys(*script: str | None) -> Callable[[FakeDisplay], str | None]:
    """Press these keys, one at every poll after the first frame was shown, then q."""
    rest = list(script)

    def press(display: FakeDisplay) -> str | None:
        if not display.frames:
            return None
        return rest.pop(0) if rest else "q"

    return press


@dataclass
class FakeSink:
    """Remembers frames; `before` is called with each and may raise or block."""

    name: str = "fake"
    watched: bool = True
    before: Callable[[Frame], None] = lambda frame: None
    frames: list[Frame] = field(default_factory=list)

    def write(self, frame: Frame) -> None:
        self.before(frame)
        self.frames.append(frame)

    def close(self) -> None:
        pass

    @property
    def indices(self) -> list[int]:
        return [frame.index for frame in self.frames]


def fail(frame: Frame) -> None:
    raise SinkError("the disk is full")
