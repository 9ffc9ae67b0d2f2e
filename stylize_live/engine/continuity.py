"""Which frames follow from the one before, and which begin anew."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy.typing as npt

from stylize_live.engine.core.economy import Economy
from stylize_live.engine.core.protocols import TemporalContext
from stylize_live.engine.cpu.smoothing import least_share
from stylize_live.frame import Frame
from stylize_live.media.scene_cuts import CutDetector

_PAUSE = 1.0  # seconds between two live frames after which the second does not follow from the first


@dataclass(frozen=True, slots=True)
class TemporalOptions:
    """How the frames of a video are to follow from each other.

    Attributes:
        steadiness: 0 to 1: how far each follows from the one before.
        economy, resizes: see `TemporalContext`.
    """

    steadiness: float
    economy: Economy | None = None
    resizes: bool = False


class Continuity:
    """Is told the frames that are painted, in order."""

    def __init__(self) -> None:
        self._cuts = CutDetector()
        self._is_first = True  # whether the next frame is the first of a video
        self._captured_at = 0.0  # of the last live frame

    def reset(self) -> None:
        """Take the next frame as the first of a video."""
        self._is_first = True

    def note_live(self, frame: Frame) -> None:
        """Take note of a live frame: after a pause, it counts as the first of a video."""
        self._is_first |= frame.captured_at - self._captured_at > _PAUSE
        self._captured_at = frame.captured_at

    def begins(self, frame: Frame) -> bool:
        """Whether a shot begins with the next frame, as it does with the first of all.

        A frame that is marked, see `ShotMarker`, is not looked at; others are compared with the one before.
        """
        is_first, self._is_first = self._is_first, False
        if frame.starts_shot is not None:
            return frame.starts_shot or is_first
        if is_first:
            self._cuts.reset()
        return self._cuts.is_cut(frame.preview) or is_first

    def follow(self, frame: Frame, options: TemporalOptions) -> TemporalContext | None:
        """How a frame is to follow from the one before; None where it is painted by itself."""
        economy = options.economy
        if economy is not None:
            self.note_live(frame)
        if not (options.steadiness or economy):
            self.reset()  # no video to go on with
            return None
        begins = self.begins(frame)
        return TemporalContext(begins, least_share(options.steadiness), economy, options.resizes)

    @property
    def memory(self) -> Mapping[str, npt.NDArray[Any]]:
        """What the next answer depends on, by name; may be set, also to more than that."""
        return self._cuts.memory

    @memory.setter
    def memory(self, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        self._cuts.memory = arrays
        self._is_first = False
