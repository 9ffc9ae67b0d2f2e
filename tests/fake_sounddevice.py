"""A system with one microphone, as sounddevice shows it; tests are what it hears."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

RATE = 48_000
NAME = "Built-in Microphone"


class PortAudioError(Exception):
    """As sounddevice's."""


class FakeSystem:
    """Attributes: streams, all that were opened; busy, whether none can be."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.streams: list[FakeStream] = []
        self.busy = False
        device = {
            "index": 0,
            "name": NAME,
            "max_input_channels": 2,
            "default_samplerate": float(RATE),
            "hostapi": 0,
        }
        module = ModuleType("sounddevice")
        vars(module).update(
            InputStream=self._open,
            PortAudioError=PortAudioError,
            query_devices=lambda which=None, kind=None: [device] if kind is None else device,
            query_hostapis=lambda: ({"name": "ALSA", "default_input_device": 0},),
        )
        monkeypatch.setitem(sys.modules, "sounddevice", module)

    def _open(self, *, callback: Any, **_: object) -> FakeStream:
        if self.busy:
            raise PortAudioError("Device unavailable")
        self.streams.append(FakeStream(callback))
        return self.streams[-1]

    def hear(self, samples: np.ndarray) -> None:
        """Sound at the newest microphone: (N,) float32, in blocks of 10 ms."""
        for begin in range(0, len(samples), RATE // 100):
            block = np.repeat(samples[begin : begin + RATE // 100, None], 2, axis=1)
            self.streams[-1].callback(
                block, len(block), SimpleNamespace(currentTime=0.01, inputBufferAdcTime=0.0), None
            )

    def unplug(self) -> None:
        """It is gone, as PortAudio tells."""
        self.streams[-1].active = False


class FakeStream:
    """An InputStream. Attributes: active; closed, how often."""

    def __init__(self, callback: Any) -> None:
        self.callback = callback
        self.active, self.closed = False, 0

    def start(self) -> None:
        """It hears from now on."""
        self.active = True

    def close(self) -> None:
        """It hears no more."""
        self.active = False
        self.closed += 1
