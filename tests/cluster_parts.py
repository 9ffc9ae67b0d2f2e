"""Stylizers that processes of a cluster open, and the settings that tests of it share."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from stylize_live.config import ConvertSettings
from stylize_live.errors import UsageError
from stylize_live.frame import Frame, Pixels

SETTINGS = ConvertSettings(preset="veryfast", steadiness=0.7)
FREE = ConvertSettings(preset="veryfast", steadiness=0.0)


class ShotSmoother:
    """Mixes every frame with what it made of the one before, within a shot.

    Args:
        memory: whether it does; else it inverts.
    """

    fingerprint = "shots"

    def __init__(self, *, memory: bool = True) -> None:
        self._memory = memory
        self._before: Pixels | None = None

    def warm_up(self, size: tuple[int, int]) -> None:
        self._before = None

    def stream(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        for frame in frames:
            assert frame.starts_shot is not None
            if frame.starts_shot or self._before is None or not self._memory:
                self._before = 255 - frame.pixels
            self._before = (frame.pixels // 2 + self._before // 2).astype(np.uint8)
            yield frame.with_image(self._before)

    def save_state(self) -> bytes:
        return b"" if self._before is None or not self._memory else self._before.tobytes()

    def restore_state(self, state: bytes | None) -> None:
        self._before = np.frombuffer(state, np.uint8).reshape(48, 64, 3) if state else None


class FailingSmoother(ShotSmoother):
    """Fails at a frame.

    Args:
        at: its index.
    """

    def __init__(self, at: int) -> None:
        super().__init__()
        self._at = at

    def stream(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        for frame in super().stream(frames):
            if frame.index == self._at:
                raise RuntimeError("on purpose")
            yield frame


class SlowSmoother(ShotSmoother):
    """Takes its time.

    Args:
        note: a file that names the process at work, if it is not there yet.
    """

    def __init__(self, *, memory: bool = True, note: str = "") -> None:
        super().__init__(memory=memory)
        self._note = note

    def stream(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        for frame in super().stream(frames):
            if self._note and frame.index == 300:
                _write_at_once(Path(self._note), str(os.getpid()))
            time.sleep(0.01)
            yield frame


def _write_at_once(path: Path, text: str) -> None:
    """So that nobody reads half of it."""
    path.with_suffix(".new").write_text(text)
    path.with_suffix(".new").rename(path)


class KilledSmoother(ShotSmoother):
    """Dies of videos that are unevenly timed."""

    def stream(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        for frame in super().stream(frames):
            if frame.index == 40 and _is_wild(frame):
                os.kill(os.getpid(), signal.SIGKILL)
            yield frame


def _is_wild(frame: Frame) -> bool:
    """Whether it has another time than in a video of an even rate."""
    return frame.pts != frame.index * Fraction(1001, 30_000)


@dataclass(frozen=True)
class opens:  # noqa: N801 (reads as a function)
    """Opens stylizers of a kind; can be sent to other processes."""

    kind: type[ShotSmoother]
    memory: bool = True
    note: str = ""
    refuses: bool = False

    def stylizer(self) -> ShotSmoother:
        options = {"note": self.note} if self.note else {}
        return self.kind(memory=self.memory, **options)

    @contextmanager
    def __call__(self, settings: ConvertSettings) -> Iterator[ShotSmoother]:
        if self.refuses:
            raise UsageError("refused on purpose")
        yield self.stylizer()
