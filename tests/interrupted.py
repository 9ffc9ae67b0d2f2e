"""Conversions that end too early, and what is left of them."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from clips import Ticks, Video, numbered

from stylize_live.config import ConvertSettings
from stylize_live.conversion.convert import convert
from stylize_live.conversion.progress import ConvertReport
from stylize_live.conversion.stylizers import FrameStylizer
from stylize_live.engine import Stylizer
from stylize_live.frame import Frame, Pixels

SETTINGS = ConvertSettings(preset="veryfast")


FRAMES = 64


# Steady, then wild: gaps of one tick, long gaps, as in videos that were put together.
STEPS = [1001] * 30 + [1, 1, 5000, 1, 3, 20_000, 1, 1, 1, 900] * 4


WILD: Ticks = tuple(itertools.accumulate(STEPS[: FRAMES - 1], initial=0))


class StopError(Exception):
    """On purpose."""


class StoppingInverter:
    """Inverts, counts, and stops when told to."""

    fingerprint = "inverter"

    def __init__(self, stop_at: int | None = None) -> None:
        self.stop_at = stop_at
        self.painted: list[int] = []

    def warm_up(self, size: tuple[int, int]) -> None:
        pass

    def stream(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        for frame in frames:
            if frame.index == self.stop_at:
                raise StopError
            self.painted.append(frame.index)
            yield frame.with_image(self.paint(frame.pixels))

    def paint(self, pixels: Pixels) -> Pixels:
        return 255 - pixels


class Stopping(Stylizer):
    """Stops when told to."""

    stop_at: int | None = None

    def stream(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        for frame in super().stream(frames):
            if frame.index == self.stop_at:
                raise StopError
            yield frame


class Smoother(StoppingInverter):
    """Mixes every frame with what it made of the one before."""

    def __init__(self, stop_at: int | None = None) -> None:
        super().__init__(stop_at)
        self._before: Pixels | None = None

    def warm_up(self, size: tuple[int, int]) -> None:
        self._before = None  # as a stylizer drops its state

    def paint(self, pixels: Pixels) -> Pixels:
        before = pixels if self._before is None else self._before
        self._before = (pixels // 2 + before // 2).astype(np.uint8)
        return self._before

    def save_state(self) -> bytes:
        assert self._before is not None
        return self._before.tobytes()

    def restore_state(self, state: bytes | None) -> None:
        self._before = None if state is None else np.frombuffer(state, np.uint8).reshape(48, 64, 3)


def write_source(path: Path) -> Path:
    """A video (.mp4) of several shots, unevenly timed, with sound."""
    path.write_bytes(_source())
    return path


@cache
def _source() -> bytes:
    shots = (255 - numbered(i) if i // 8 % 3 == 1 else numbered(i) for i in range(FRAMES))
    with TemporaryDirectory() as folder:
        video = Video(WILD, sound="aac", sound_seconds=3)
        return video.write(Path(folder) / "in.mp4", shots).read_bytes()


def run(source: Path, target: Path, stylizer: FrameStylizer, **options: object) -> ConvertReport:
    return convert(source, target, stylizer, SETTINGS, **options)  # type: ignore[arg-type]


def stopped(source: Path, target: Path, stylizer: FrameStylizer, **options: object) -> None:
    with pytest.raises(StopError):
        run(source, target, stylizer, **options)
    assert not target.exists()
