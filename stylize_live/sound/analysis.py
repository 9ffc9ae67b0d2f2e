"""Sound into features, a hundred times a second: loudness, bands, onsets, beats. Causal, at any gain."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from stylize_live.sound.beats import BeatTracker

Samples = npt.NDArray[np.float32]

HOPS = 100  # features a second
_WINDOW = 4  # hops; 40 ms tell 25 Hz apart
BANDS = {"bass": (30.0, 200.0), "mid": (200.0, 2000.0), "treble": (2000.0, 10_000.0)}
_SILENCE = -70.0  # decibels of full scale below which nothing is heard, whatever came before
_FLOOR = 1e-10  # of energy: -100 dB
_MOMENT = 0.1  # seconds over which loudness is taken
_LONG = 8.0  # seconds over which the usual loudness is taken
_REACH = 8.0  # decibels from the usual loudness to a signal of 1 or -1
_FADES, _GONE = 15.0, 25.0  # decibels below it from where on a pause is a pause, and moves nothing
_COMPRESSION = 30.0  # of spectra, before their flux is taken: what is soft counts, too
_FLUX_BANDS = np.geomspace(30, 8000, 25)  # hertz, about three to an octave: a drum counts as much as a cymbal
_ONSET_MEMORY = 5.0  # seconds in which the strongest onset is forgotten by two thirds


@dataclass(frozen=True, slots=True)
class SoundFeatures:
    """What is heard at a moment.

    Attributes:
        time: seconds since the first sample; what is heard up to there counts.
        loudness: decibels of full scale, -100 to about 0.
        level, bass, mid, treble: loudness of all and of bands beside their usual one, -1 to 1; 0 in silence.
        onset: how strongly something begins, 0 to 1 of what was heard lately.
        beat: whether a beat falls here.
        tempo: beats a minute, 0 while there is no steady beat.
    """

    time: float
    loudness: float
    level: float
    bass: float
    mid: float
    treble: float
    onset: float
    beat: bool
    tempo: float


class SoundAnalyzer:
    """Takes samples in chunks of any length; the same samples give the same features, however they came.

    Onsets are half-wave rectified spectral flux (Bello et al., "A tutorial on onset detection in music
    signals", 2005; Dixon, "Onset detection revisited", 2006) of compressed magnitudes.

    Args:
        rate: samples a second, 8000 or more.
    """

    def __init__(self, rate: int) -> None:
        self._rate, self._hop = rate, round(rate / HOPS)
        size = _WINDOW * self._hop
        self._window = np.hanning(size).astype(np.float32)
        self._rest = np.zeros(size - self._hop, np.float32)  # silence before the first sample
        self._taken = 0  # hops
        self._slices = [_band(low, high, rate, size) for low, high in BANDS.values()]
        self._meters = [_Meter(self._hop / rate) for _ in range(1 + len(BANDS))]
        edges = np.unique(np.round(_FLUX_BANDS * size / rate).astype(int))
        self._edges = edges[(edges > 0) & (edges < size // 2)]
        self._weights = 1 / np.sqrt(np.arange(1, len(self._edges) + 1, dtype=np.float32))
        self._before = np.zeros(len(self._edges), np.float32)
        self._usual = 0.0  # magnitude of what is heard lately
        self._strongest = 0.0
        self._forget = math.exp(-self._hop / rate / _ONSET_MEMORY)
        self._beats = BeatTracker(rate / self._hop)

    def feed(self, samples: Samples) -> Iterator[SoundFeatures]:
        """What is heard in the next samples, (N,) float32, mono; what is no number counts as silence."""
        heard = np.nan_to_num(samples.astype(np.float32), nan=0.0, posinf=0.0, neginf=0.0)
        self._rest = np.concatenate([self._rest, np.clip(heard, -8, 8)])
        size = len(self._window)
        while len(self._rest) >= size:
            window, self._rest = self._rest[:size], self._rest[self._hop :]
            self._taken += 1
            yield self._look(window)

    def _look(self, window: Samples) -> SoundFeatures:
        spectrum = np.abs(np.fft.rfft(window * self._window)).astype(np.float32)
        newest = window[-self._hop :]
        energies = [float(np.dot(newest, newest)) / self._hop]
        scale = 4 / (len(self._window) * float(np.dot(self._window, self._window)))
        energies += [float(np.dot(spectrum[s], spectrum[s])) * scale for s in self._slices]
        level, bass, mid, treble = (
            meter(energy) for meter, energy in zip(self._meters, energies, strict=True)
        )
        loudness = self._meters[0].loudness
        flux = self._flux(spectrum, silent=loudness < _SILENCE)
        self._strongest = max(flux, self._strongest * self._forget)
        onset = flux / self._strongest if self._strongest else 0.0
        beat = self._beats(flux)
        time = self._taken * self._hop / self._rate
        tempo = self._beats.tempo
        return SoundFeatures(time, loudness, level, bass, mid, treble, onset, beat, tempo)

    def _flux(self, spectrum: npt.NDArray[np.float32], *, silent: bool) -> float:
        """How much the spectrum grew, whatever the gain."""
        if silent:
            self._before[:] = 0
            return 0.0
        bands = np.add.reduceat(spectrum, self._edges)
        magnitude = float(bands.mean())
        rate = 1 - math.exp(-self._hop / self._rate / _LONG)
        self._usual = magnitude if not self._usual else self._usual + rate * (magnitude - self._usual)
        compressed = np.log1p(bands * np.float32(_COMPRESSION / max(self._usual, 1e-12)))
        grown = float(np.dot(np.maximum(compressed - self._before, 0), self._weights))
        self._before = compressed
        return grown


class _Meter:
    """Loudness beside its usual one.

    Args:
        step: seconds from one call to the next.
    """

    def __init__(self, step: float) -> None:
        self._fast, self._slow = 1 - math.exp(-step / _MOMENT), 1 - math.exp(-step / _LONG)
        self._step = step
        self._energy = 0.0
        self._usual: float | None = None
        self._heard = 0.0  # seconds

    @property
    def loudness(self) -> float:
        """In decibels of full scale."""
        return 10 * math.log10(max(self._energy, _FLOOR))

    def __call__(self, energy: float) -> float:
        """Take the mean energy of a moment; -1 to 1, and 0 in silence."""
        self._energy += self._fast * (energy - self._energy)
        loudness = self.loudness
        if loudness < _SILENCE:
            return 0.0
        # The first seconds tell more about what is usual than any later ones.
        self._heard += self._step
        share = max(self._slow, self._step / self._heard)
        self._usual = loudness if self._usual is None else self._usual + share * (loudness - self._usual)
        beside = loudness - self._usual
        present = min(1.0, max(0.0, (beside + _GONE) / (_GONE - _FADES)))
        return present * min(1.0, max(-1.0, beside / _REACH))


def _band(low: float, high: float, rate: int, size: int) -> slice:
    """The places of a spectrum between two frequencies in hertz."""
    return slice(max(1, round(low * size / rate)), max(2, round(high * size / rate)))
