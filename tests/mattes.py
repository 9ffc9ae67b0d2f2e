"""A matte that knows its people: an ellipse that grows from frame to frame."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from stylize_live.engine.matting import matte
from stylize_live.frame import Pixels
from stylize_live.lifecycle import Closeable
from stylize_live.media.libraries import cv2


class EllipseMatte(Closeable):
    """Stands in for `PersonMatte`. All that were made are in `made`.

    Attributes:
        begun: for each frame that was measured, whether a shot began with it.
    """

    made: list[EllipseMatte]
    fingerprint = "an ellipse"

    def __init__(self, device: str = "cpu", runtime: str = "auto") -> None:
        self._frames = 0
        self.begun: list[bool] = []
        self.closed = False
        self.made.append(self)

    def measure(self, pixels: Pixels, begins: bool) -> npt.NDArray[np.uint8]:
        self._frames = 0 if begins else self._frames + 1
        self.begun.append(begins)
        return ellipse(pixels.shape[1::-1], self._frames)

    @property
    def memory(self) -> Mapping[str, npt.NDArray[Any]]:
        return {"frames": np.array([self._frames])}

    @memory.setter
    def memory(self, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        self._frames = int(arrays["frames"][0])

    def close(self) -> None:
        self.closed = True


def ellipse(size: tuple[int, ...], frames: int = 0) -> npt.NDArray[np.uint8]:
    """(H, W): 255 in the middle, a soft edge, 0 around it; larger with every frame."""
    width, height = size
    plane = np.zeros((height, width), np.uint8)
    axes = min(width // 2, width // 5 + frames), min(height // 2, height // 4 + frames)
    cv2.ellipse(plane, (width // 2, height // 2), axes, 0, 0, 360, 255, -1)
    return np.asarray(cv2.blur(plane, (5, 5)), np.uint8)


@pytest.fixture
def mattes(monkeypatch: pytest.MonkeyPatch) -> list[EllipseMatte]:
    """Every stylizer's matte is an ellipse; these are they."""
    EllipseMatte.made = []
    monkeypatch.setattr(matte, "PersonMatte", EllipseMatte)
    return EllipseMatte.made
