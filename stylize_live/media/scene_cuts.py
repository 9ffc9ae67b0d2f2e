"""Where a video is cut: from one frame to the next, nearly everything changes."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from statistics import median

import numpy as np
import numpy.typing as npt

from stylize_live.frame import Pixels, to_eight_bits
from stylize_live.media.libraries import cv2

# Frames are compared as thumbnails, where noise and fine motion vanish.
_THUMBNAIL = (48, 27)  # (width, height)
_THINNED = (192, 108)  # about what they are made from
# Mean difference of the thumbnails' values, 0 to 255. Motion within a shot was seen to reach 7; cuts
# between different rooms begin at about 20.
LEAST_DIFFERENCE = 12.0
# Share of the frame whose colours are others than before, 0 to 1: a pan moves colours, a cut exchanges
# them. Low enough for black-and-white videos, which have few to exchange.
LEAST_COLOR_CHANGE = 0.1
# A difference that is a cut even among equal colours: no jolt of a camera makes one like it.
SURE_DIFFERENCE = 40.0
# How much larger than the frames just before a difference must be: shaking cameras and flashes differ
# a lot every time, a cut only once.
LEAST_SURPRISE = 3.0
_BEFORE = 8  # frames: what "just before" means
_COLOR_BINS = 6  # for each of red, green and blue


class CutDetector:
    """Finds the first frame of every new shot. Knows hard cuts; fades and dissolves pass as one shot.

    A frame is a cut if its thumbnail differs from the one before by `LEAST_DIFFERENCE`, by
    `LEAST_SURPRISE` times the usual of the frames just before, and if `LEAST_COLOR_CHANGE` of its
    colours are others or the difference reaches `SURE_DIFFERENCE`. A frame of any size takes about a tenth
    of a millisecond.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget everything: the next frame is the first."""
        self._thumbnail: npt.NDArray[np.int16] | None = None
        self._colors: npt.NDArray[np.float64] | None = None
        self._differences: deque[float] = deque(maxlen=_BEFORE)

    def is_cut(self, pixels: Pixels) -> bool:
        """Whether a new shot begins with the next frame of a video. The first two frames are never cuts.

        Args:
            pixels: (H, W, 3) uint8 RGB.
        """
        thumbnail = _thumbnail(pixels)
        colors = _color_shares(thumbnail)
        before, colors_before = self._thumbnail, self._colors
        self._thumbnail, self._colors = thumbnail, colors
        if before is None or colors_before is None:
            return False
        difference = float(np.abs(thumbnail - before).mean())
        known = bool(self._differences)  # without it, a shaking camera would look like a cut
        usual = median(self._differences) if known else 0.0
        self._differences.append(difference)
        change = float(np.abs(colors - colors_before).sum()) / 2
        cut = (
            known
            and difference >= LEAST_DIFFERENCE
            and difference >= LEAST_SURPRISE * usual
            and (change >= LEAST_COLOR_CHANGE or difference >= SURE_DIFFERENCE)
        )
        if cut:  # what comes is the same as if the video began here
            self._differences.clear()
        return cut

    @property
    def history(self) -> tuple[float, ...]:
        """Differences of the last frames, 0 to 255, at most 8: with the last frame, all of `memory`."""
        return tuple(self._differences)

    @property
    def memory(self) -> dict[str, npt.NDArray[np.float64]]:
        """All that the next answer depends on, by name; may be set. Empty before the first frame."""
        if self._thumbnail is None or self._colors is None:
            return {}
        return {
            "thumbnail": self._thumbnail.astype(np.float64),
            "colours": self._colors,
            "differences": np.array(self._differences),
        }

    @memory.setter
    def memory(self, arrays: Mapping[str, npt.NDArray[np.float64]]) -> None:
        self.reset()
        if "thumbnail" in arrays:
            self._thumbnail = arrays["thumbnail"].astype(np.int16)
            self._colors = arrays["colours"]
            self._differences.extend(arrays["differences"].tolist())


def _thumbnail(pixels: Pixels) -> npt.NDArray[np.int16]:
    """(27, 48, 3) int16. Large frames are thinned out first; averaging all their pixels is slow."""
    height, width = pixels.shape[:2]
    size = width // max(1, width // _THINNED[0]), height // max(1, height // _THINNED[1])
    thinned = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_NEAREST), pixels.dtype)
    small = cv2.resize(to_eight_bits(thinned), _THUMBNAIL, interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.int16)


def _color_shares(thumbnail: npt.NDArray[np.int16]) -> npt.NDArray[np.float64]:
    """Share of pixels in each color class, (216,) float64, sum 1."""
    bins = thumbnail.astype(np.int64) * _COLOR_BINS // 256
    classes = (bins[..., 0] * _COLOR_BINS + bins[..., 1]) * _COLOR_BINS + bins[..., 2]
    counts = np.bincount(classes.ravel(), minlength=_COLOR_BINS**3)
    return counts / classes.size
