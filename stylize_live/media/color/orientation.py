"""How stored frames become upright."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from stylize_live.frame import Pixels
from stylize_live.media.color.side_data import side_data_of
from stylize_live.media.libraries import av, cv2


@dataclass(frozen=True, slots=True)
class Orientation:
    """How a stored frame becomes upright: swap the axes, then mirror."""

    transpose: bool = False
    mirror_x: bool = False
    mirror_y: bool = False

    @staticmethod
    def of(frame: av.VideoFrame) -> Orientation:
        """Read the display matrix; angles between right angles are taken as the nearest one."""
        data = side_data_of(frame).get("DISPLAYMATRIX")
        if data is None:
            return Orientation()
        matrix = np.frombuffer(data, np.int32)
        a, b, _, c, d = (int(value) for value in matrix[:5])
        if abs(a) + abs(d) >= abs(b) + abs(c):
            return Orientation(False, a < 0, d < 0)
        return Orientation(True, c < 0, b < 0)

    def turn_size(self, size: tuple[int, int]) -> tuple[int, int]:
        """(width, height) of what a frame of this size becomes, and the other way round."""
        return size[::-1] if self.transpose else size

    def apply(self, pixels: Pixels) -> Pixels:
        """Turn an image, (H, W, 3) uint8; the result is C-contiguous."""
        turned: Any = cv2.transpose(pixels) if self.transpose else pixels
        if self.mirror_x or self.mirror_y:
            turned = cv2.flip(turned, -1 if self.mirror_x and self.mirror_y else int(self.mirror_x))
        return cast("Pixels", turned)
