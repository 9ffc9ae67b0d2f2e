"""In place of sounddevice where no microphone can be: a beep every ten seconds, by the clock of `stamps`.

Its crystal runs 30 millionths too fast, as those of real sound cards do, so that an hour has a tenth of a
second more sound than frames unless somebody keeps them in step.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np

from stylize_live.system.clock import monotonic

BEEP_EVERY = 10.0  # seconds
ROUND = (1 << 20) / 1000  # seconds after which stamped frames' clock comes round
BEEP_SECONDS = 0.1
_BLOCK_SECONDS = 0.02
_TOO_FAST = 30e-6
_DEVICE = {"index": 0, "name": "Beeper", "max_input_channels": 1, "default_samplerate": 48000.0, "hostapi": 0}


class PortAudioError(Exception):
    """As sounddevice's; never raised."""


class InputStream:
    """Calls back with blocks of sound, in a thread of its own as PortAudio does."""

    def __init__(self, *, samplerate: int, callback: Callable[..., None], **_: Any) -> None:
        self._rate, self._callback = samplerate, callback
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="beeper", daemon=True)
        self.active = False

    def start(self) -> None:
        """Begin to hear."""
        self.active = True
        self._thread.start()

    def _run(self) -> None:
        start, sent = monotonic(), 0
        block = round(self._rate * _BLOCK_SECONDS)
        true_rate = self._rate * (1 + _TOO_FAST)
        while not self._ending.wait(max(0.0, start + (sent + block) / true_rate - monotonic())):
            moments = start + (sent + np.arange(block)) / true_rate
            beeping = (moments % ROUND % BEEP_EVERY) < BEEP_SECONDS
            sound = np.where(beeping, 0.5 * np.sin(2 * np.pi * 1000 * moments), 0).astype(np.float32)
            first = float(moments[0])
            timing = SimpleNamespace(currentTime=monotonic(), inputBufferAdcTime=first)
            self._callback(sound[:, None], block, timing, None)
            sent += block

    def close(self) -> None:
        """Hear no more."""
        self.active = False
        self._ending.set()


def query_hostapis() -> tuple[dict[str, Any], ...]:
    """The one there is."""
    return ({"name": "Beeps", "default_input_device": 0},)


def query_devices(which: object = None, kind: str | None = None) -> Any:
    """The one there is."""
    return [_DEVICE] if which is None and kind is None else _DEVICE
