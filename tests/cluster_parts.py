"""Stylizers that processes of a cluster open, and the settings that tests of it share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import numpy as np

from stylize_live.config import ConvertSettings
from stylize_live.frame import Frame, Pixels

SETTINGS = ConvertSettings(preset="veryfast", steadiness=0.7)
FREE = ConvertSettings(preset="veryfast", steadiness=0.0)


class ShotSmoother:
    """Mixes every frame with what it made of the one before, within a shot."""

    fingerprint = "shots"

    def __init__(self) -> None:
        self._before: Pixels | None = None

    def warm_up(self, size: tuple[int, int]) -> None:
        self._before = None

    def stream(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        for frame in frames:
            assert frame.starts_shot is not None
            if frame.starts_shot or self._before is None:
                self._before = 255 - frame.pixels
            self._before = (frame.pixels // 2 + self._before // 2).astype(np.uint8)
            yield frame.with_image(self._before)

    def save_state(self) -> bytes:
        assert self._before is not None
        return self._before.tobytes()

    def restore_state(self, state: bytes | None) -> None:
        self._before = np.frombuffer(state, np.uint8).reshape(48, 64, 3) if state else None


@contextmanager
def open_smoother(settings: ConvertSettings) -> Iterator[ShotSmoother]:
    yield ShotSmoother()
