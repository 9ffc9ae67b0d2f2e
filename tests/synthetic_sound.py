"""Sounds whose truth is known: clicks, a band, noise, tones."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float32]
RATE = 44_100


def make_clicks(
    bpm: float, seconds: float, rate: int = RATE, first: float = 0.2
) -> tuple[Samples, list[float]]:
    """Clicks in silence, and the times of all of them."""
    samples = np.zeros(round(seconds * rate), np.float32)
    n = np.arange(rate // 20)
    click = 0.5 * np.exp(-n / (rate / 100)) * np.sin(2 * np.pi * 1000 * n / rate)
    times = [float(t) for t in np.arange(first, seconds - 0.1, 60 / bpm)]
    for time in times:
        begin = int(time * rate)
        samples[begin : begin + len(click)] += click.astype(np.float32)
    return samples, times


def make_band(bpm: float, seconds: float, rate: int = RATE) -> tuple[Samples, list[float]]:
    """Drums, a bass and changing chords over a little noise, and the times of the beats."""
    random = np.random.default_rng(3)
    t = np.arange(round(seconds * rate)) / rate
    period = 60 / bpm
    since = t % period
    kick = 0.5 * np.exp(-since / 0.06) * np.sin(2 * np.pi * 60 * since)
    since_half = (t + period / 2) % period
    hat = 0.1 * np.exp(-since_half / 0.02) * random.normal(0, 1, len(t))
    chords = np.array([220.0, 261.6, 196.0, 174.6])[(t / (4 * period)).astype(int) % 4]
    phase = 2 * np.pi * np.cumsum(chords) / rate
    chord = sum(0.06 * np.sin(ratio * phase) for ratio in (0.5, 1, 1.25, 1.5))
    sound = kick + hat + chord + random.normal(0, 0.003, len(t))
    return sound.astype(np.float32), [float(b) for b in np.arange(0, seconds, period)]


def make_noise(seconds: float, level: float = 0.1, rate: int = RATE) -> Samples:
    """White noise of a standard deviation."""
    return np.random.default_rng(1).normal(0, level, round(seconds * rate)).astype(np.float32)


def make_tone(seconds: float, frequency: float, level: float = 0.2, rate: int = RATE) -> Samples:
    """A steady tone of a frequency in hertz."""
    t = np.arange(round(seconds * rate)) / rate
    return (level * np.sin(2 * np.pi * frequency * t)).astype(np.float32)
