"""Whether sound stands where its frame stands, in a recording of stamped frames and beeps."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from fake_sound.sounddevice import BEEP_EVERY, ROUND
from stamps import age

from stylize_live.media.libraries import av

_LOUD = 0.1  # of full scale
_QUIET_SECONDS = 1.0  # before a beep


def slips(path: Path) -> list[tuple[float, float]]:
    """(seconds of the video, seconds by which sound is later than its frame) at every beep."""
    clock = np.array(list(_clock(path)))
    found = []
    for at in _beeps(path):
        shown, made = clock[np.abs(clock[:, 0] - at).argmin()]
        moment = (made + at - shown + BEEP_EVERY / 2) % ROUND - BEEP_EVERY / 2
        found.append((at, float((moment + BEEP_EVERY / 2) % BEEP_EVERY - BEEP_EVERY / 2)))
    return found


def _clock(path: Path) -> Iterator[tuple[float, float]]:
    """Where each frame stands in the video, and when it was made by the clock that comes round."""
    with av.open(str(path)) as video:
        for frame in video.decode(video=0):
            made = age(frame.to_ndarray(format="rgb24"), 0.0)
            if made is not None:
                yield float(frame.time), -made % ROUND


def _beeps(path: Path) -> Iterator[float]:
    """Where each beep begins."""
    before = -_QUIET_SECONDS
    with av.open(str(path)) as video:
        for frame in video.decode(audio=0):
            loud = np.flatnonzero(np.abs(frame.to_ndarray()).max(axis=0) > _LOUD)
            if not loud.size:
                continue
            at = float(frame.time) + loud[0] / frame.sample_rate
            if at - before > _QUIET_SECONDS:
                yield at
            before = float(frame.time) + loud[-1] / frame.sample_rate
