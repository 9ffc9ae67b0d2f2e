"""Marks the first frame of every shot, once, where a video is decoded; later stages only read the mark."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Self

import numpy as np

from stylize_live.frame import Frame
from stylize_live.media.scene_cuts import CutDetector


class ShotMarker:
    """Marks the frames of one video, in order.

    Attributes:
        history: what the last frame was judged by beside the frame before it, see `CutDetector.history`.
    """

    def __init__(self) -> None:
        self._cuts = CutDetector()
        self._is_first = True
        self.history: tuple[float, ...] = ()

    @classmethod
    def behind(cls, frame: Frame, history: Sequence[float]) -> Self:
        """A marker that goes on behind a frame, as if it had marked all frames up to it.

        Args:
            frame: the one before the next.
            history: `history` of the other marker, once it had marked the next frame.
        """
        marker = cls()
        marker.mark(frame)
        marker._cuts.memory |= {"differences": np.array(history)}
        return marker

    def mark(self, frame: Frame) -> Frame:
        """The same frame with `starts_shot` set; the first of all starts one."""
        self.history = self._cuts.history
        is_first, self._is_first = self._is_first, False
        is_cut = self._cuts.is_cut(frame.preview)
        return replace(frame, starts_shot=is_cut or is_first)
