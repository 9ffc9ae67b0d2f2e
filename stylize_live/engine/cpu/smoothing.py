"""Temporal consistency: the painted image follows what it shows instead of being painted anew.

The previous result is moved along with the input's motion and then drawn towards the fresh painting:

    result = moved + share * (fresh - moved)

The share is small where the motion can be trusted, and one where it cannot (uncovered places, other
light) or where the moved image shows something else than the fresh one. Slow changes of brightness
and colour pass sooner than texture, so that fades do not lag. Averaging textures that do not quite
agree blurs them; what sharpness is lost against the fresh painting is given back, place by place (a
local form of the variance-preserving blending of Heitz and Neyret, HPG 2018).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from stylize_live.engine.cpu.optical_flow import Motion, Plane, rescale_flow, warp
from stylize_live.media.libraries import cv2

HALVINGS = 2  # of an image, to the cells in which shares and gains are computed
COARSE_BLUR = (7, 7)  # cells: wider than strokes, which are allowed to differ
SHARPNESS_BLUR = (9, 9)  # cells
FINE_BLUR = (5, 5)  # pixels: what is finer than their mean is sharpness


@dataclass(frozen=True, slots=True)
class Tuning:
    """The smoother's constants; levels are of 0..255.

    Attributes:
        doubt: mismatch in levels at which trust starts to go, for an image without texture.
        doubt_by_texture: what a level of texture adds to that: fine detail never fits exactly.
        disbelief: times the doubt at which trust is gone.
        change, replaced: levels of difference over a wide place at which the fresh image starts
            to win, and has won.
        follow: least share of slow changes of brightness and colour.
        light: added to every share for each grey level by which the whole input got lighter or
            darker: in a fade, what was painted a moment ago is wrong everywhere.
        sharpness: energy of fine detail to keep, as a share of the fresh image's.
        most_gain: limit of what detail is multiplied by to get there.
    """

    doubt: float = 4.0
    doubt_by_texture: float = 0.33
    disbelief: float = 2.0
    change: float = 12.0
    replaced: float = 40.0
    follow: float = 0.1
    light: float = 0.15
    sharpness: float = 1.05
    most_gain: float = 1.8


def least_share(steadiness: float) -> float:
    """Share of the fresh image where all is trusted: 1 at steadiness 0, 0.04 at 0.8, 0.01 at 1."""
    return max(0.01, (1 - steadiness) ** 2)


def smooth(previous: Plane, fresh: Plane, motion: Motion, share: float, tuning: Tuning = Tuning()) -> Plane:
    """One step.

    Args:
        previous: (H, W, 3) float32 in 0..255, the last result.
        fresh: (H, W, 3) float32 in 0..255, the image as the network painted it.
        motion: of the input, from the last frame to this one.
        share: least share of the fresh image, see `least_share`.
        tuning: constants.

    Returns:
        (H, W, 3) float32 in 0..255: to be shown (rounded) and passed in as `previous` next time.
    """
    height, width = fresh.shape[:2]
    moved = warp(previous, rescale_flow(motion.flow, (width, height)))
    slow = _coarse(cv2.subtract(fresh, moved), COARSE_BLUR)
    changed = _smoothstep(_largest(slow), tuning.change, tuning.replaced)
    cells = np.maximum(changed, cv2.resize(distrust(motion, tuning), changed.shape[::-1]))
    cells = np.maximum(cells, min(1.0, share + tuning.light * motion.light))
    slow_cells = np.maximum(tuning.follow - cells, 0)[..., None] * slow
    shares = cv2.resize(cells, (width, height))
    result = cv2.blendLinear(fresh, moved, shares, 1 - shares)
    del moved  # 25 MB of a large image
    cv2.add(result, cv2.resize(slow_cells, (width, height)), dst=result)
    return _sharpen(np.asarray(result, np.float32), fresh, tuning)


def distrust(motion: Motion, tuning: Tuning = Tuning()) -> Plane:
    """How little a motion is to be trusted where: (h, w) float32, 0 to 1."""
    doubts = motion.mismatch / (tuning.doubt + tuning.doubt_by_texture * motion.texture)
    return _smoothstep(doubts, 1.0, tuning.disbelief)


def _largest(differences: Plane) -> Plane:
    """Largest difference of the three colours; channel by channel, numpy is slow along short axes."""
    red, green, blue = cv2.split(np.abs(differences))
    return np.asarray(cv2.max(red, cv2.max(green, blue)), np.float32)


def _sharpen(result: Plane, fresh: Plane, tuning: Tuning) -> Plane:
    height, width = result.shape[:2]
    ours, theirs = _fine(result), _fine(fresh)
    gain = np.sqrt((tuning.sharpness * _energy(theirs) + 0.5) / (_energy(ours) + 0.5))
    more = cv2.resize(np.clip(gain, 1, tuning.most_gain) - 1, (width, height))
    sharp = cv2.add(result, cv2.cvtColor(cv2.multiply(ours, more), cv2.COLOR_GRAY2RGB))
    cv2.threshold(sharp, 255, 0, cv2.THRESH_TRUNC, dst=sharp)
    cv2.threshold(sharp, 0, 0, cv2.THRESH_TOZERO, dst=sharp)
    return np.asarray(sharp, np.float32)


def _fine(image: Plane) -> Plane:
    """What is finer than a few pixels, of the brightness: that is what the eye calls sharp."""
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    return np.asarray(cv2.subtract(grey, cv2.blur(grey, FINE_BLUR)), np.float32)


def _energy(fine: Plane) -> Plane:
    """Mean square, in cells."""
    return _coarse(cv2.multiply(fine, fine), SHARPNESS_BLUR)


def _coarse(plane: npt.NDArray[Any], blur: tuple[int, int]) -> Plane:
    # Halved twice, each pixel the mean of four: a third of the time of one step.
    for _ in range(HALVINGS):
        height, width = plane.shape[:2]
        plane = cv2.resize(plane, (max(1, width // 2), max(1, height // 2)), interpolation=cv2.INTER_LINEAR)
    return np.asarray(cv2.blur(plane, blur), np.float32)


def _smoothstep(values: Plane, low: float, high: float) -> Plane:
    t = np.clip((values - low) / (high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)
