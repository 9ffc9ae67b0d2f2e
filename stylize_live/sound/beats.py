"""Tempo and beats, as they come.

After Stark, Davies and Plumbley, "Real-time beat-synchronous analysis of musical audio" (DAFx 2009): the
tempo from the autocorrelation of onset strength with a comb and a preference for the middle (Ellis, "Beat
tracking by dynamic programming", 2007), beats from a cumulative score that looks ahead by one beat.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

_SLOWEST, _FASTEST, _TEMPO_STEP = 55.0, 210.0, 0.25  # beats a minute
_USUAL, _SPREAD = 115.0, 1.1  # beats a minute, and octaves around it
_MEMORY = 7.0  # seconds of onsets that the tempo is taken from
_LEAST = 3.5  # seconds before there is one
_EVERY = 0.3  # seconds between two looks at the tempo
_COMB = 4  # multiples of a beat that are looked at
_STEADY, _UNSTEADY = 0.25, 0.15  # autocorrelation at a beat's length from where on there is a beat, and none
_BETTER = 1.15  # how much better another tempo must fit
_ALPHA, _TIGHTNESS = 0.9, 5.0  # of the cumulative score, as in the paper
_NEW_TEMPO = 0.03  # part of a period by which it must differ for all scores to be taken anew
_FAINT = 0.2  # onset strength below which nothing begins; steady tones have 0.05, music 2 and more
_OUTLIERS = 98  # percentile from where on an onset is no stronger: one bang must not hide all else
_AROUND = 0.15  # seconds of onset strength whose mean is taken off

_Array = npt.NDArray[np.float64]


class BeatTracker:
    """Finds beats in onset strength.

    Attributes:
        tempo: beats a minute; 0 while there is no steady beat.

    Args:
        rate: values a second.
    """

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self.tempo = 0.0
        size = round(_MEMORY * rate)
        self._strengths: _Array = np.zeros(size)  # the newest last
        self._scores: _Array = np.zeros(size)
        self._seen = 0
        self._period = 60 * rate / _USUAL
        self._until_beat = math.inf  # values
        self._until_look = 0  # values until the next beat is predicted
        around = round(_AROUND * rate) | 1
        self._around = np.ones(around) / around
        self._tempos = np.arange(_SLOWEST, _FASTEST + _TEMPO_STEP / 2, _TEMPO_STEP)
        self._lags = 60 * rate / self._tempos
        self._preference = np.exp(-0.5 * (np.log2(self._tempos / _USUAL) / _SPREAD) ** 2)

    def __call__(self, strength: float) -> bool:
        """Take the next value; whether a beat falls on it."""
        self._strengths = _shifted(self._strengths, strength)
        self._scores = _shifted(self._scores, self._score(self._scores, strength))
        self._seen += 1
        if self._seen >= _LEAST * self._rate and self._seen % max(1, round(_EVERY * self._rate)) == 0:
            self._find_tempo()
        if not self.tempo:
            return False
        self._until_beat -= 1
        self._until_look -= 1
        if self._until_look <= 0:
            self._predict()
        if self._until_beat <= 0:
            self._until_beat = math.inf
            self._until_look = round(self._period / 2)
            return True
        return False

    def _score(self, scores: _Array, strength: float) -> float:
        """The cumulative score of a value: its own strength, and the best score about a beat before."""
        first, last = round(self._period * 2), max(1, round(self._period / 2))
        before = scores[-first : len(scores) - last + 1]
        distances = np.arange(len(before) - 1, -1, -1) + last
        weights = np.exp(-0.5 * (_TIGHTNESS * np.log(distances / self._period)) ** 2)
        return (1 - _ALPHA) * strength + _ALPHA * float((weights * before).max())

    def _predict(self, *, first: bool = False) -> None:
        """Where the next beat falls: the score goes on for one beat without any sound.

        Half a beat after one, the next is about half a beat ahead; the first may be anywhere.
        """
        ahead = round(self._period)
        scores = self._scores
        for _ in range(ahead):
            scores = _shifted(scores, self._score(scores, 0.0))
        places = np.arange(1, ahead + 1)
        near = 1.0 if first else np.exp(-0.5 * ((places - self._period / 2) / (self._period / 4)) ** 2)
        self._until_beat = int(places[int(np.argmax(scores[-ahead:] * near))])
        self._until_look = round(self._period * 2)  # the beat comes first

    def _find_tempo(self) -> None:
        strengths = self._strengths[-min(self._seen, len(self._strengths)) :]
        peaks = np.maximum(strengths - np.convolve(strengths, self._around, "same"), 0)
        peaks = np.minimum(peaks, np.percentile(peaks, _OUTLIERS))
        peaks = np.convolve(peaks, [0.25, 0.5, 0.25], "same")
        correlation = _autocorrelate(peaks - peaks.mean())
        if correlation is None or peaks.max() < _FAINT:
            self._lose()
            return
        places = np.arange(len(correlation))
        comb = [np.interp(self._lags * k, places, correlation, right=0.0) for k in range(1, _COMB + 1)]
        # A length at which only every second multiple fits, such as one and a half beats, is none.
        fits = (np.mean(comb, axis=0) + np.min(comb, axis=0)) / 2 * self._preference
        best = int(np.argmax(fits))
        if self.tempo:
            now = np.abs(np.log2(self._tempos / self.tempo)) < 0.06  # an eighth of a semitone's octave
            here = int(np.argmax(np.where(now, fits, -np.inf)))
            best = best if fits[best] > _BETTER * fits[here] else here
        steady = float(np.mean([one[best] for one in comb[:2]]))
        if steady < (_UNSTEADY if self.tempo else _STEADY):
            self._lose()
            return
        begins, self.tempo = not self.tempo, float(self._tempos[best])
        before, self._period = self._period, float(self._lags[best])
        if begins or abs(self._period / before - 1) > _NEW_TEMPO:
            self._score_anew()
        if begins:
            self._predict(first=True)

    def _score_anew(self) -> None:
        """The scores as they had been had this tempo been known all along."""
        self._scores = np.zeros_like(self._strengths)
        for strength in self._strengths:
            self._scores = _shifted(self._scores, self._score(self._scores, float(strength)))

    def _lose(self) -> None:
        self.tempo, self._until_beat = 0.0, math.inf


def _shifted(values: _Array, newest: float) -> _Array:
    """The values, the oldest left out, the newest behind them."""
    moved = np.empty_like(values)
    moved[:-1] = values[1:]
    moved[-1] = newest
    return moved


def _autocorrelate(values: _Array) -> _Array | None:
    """Autocorrelation by lag, 1 at 0, of values around 0; None where there are none but 0."""
    size = 1 << (2 * len(values) - 1).bit_length()
    found = np.fft.irfft(np.abs(np.fft.rfft(values, size)) ** 2, size)[: len(values)]
    if found[0] <= 1e-12:
        return None
    counts = np.arange(len(values), 0, -1) / len(values)
    return np.asarray(found / found[0] / np.maximum(counts, 0.3), np.float64)
