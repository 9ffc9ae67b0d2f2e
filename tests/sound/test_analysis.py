"""What is heard: beats and tempo of known tracks, levels at any gain, the same from any chunks."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from synthetic_sound import RATE, Samples, make_band, make_clicks, make_noise, make_tone

from stylize_live.sound.analysis import SoundAnalyzer, SoundFeatures

LOCKED = 8.0  # seconds by which a beat is found
NEAR = 0.05


def listen(samples: Samples, rate: int = RATE) -> list[SoundFeatures]:
    return list(SoundAnalyzer(rate).feed(samples))


def beats_of(heard: list[SoundFeatures]) -> list[float]:
    return [one.time for one in heard if one.beat]


@pytest.mark.parametrize("make", [make_clicks, make_band])
@pytest.mark.parametrize("bpm", [90, 120, 140])
def test_beats_and_tempo_of_known_tracks(make: object, bpm: int) -> None:
    assert callable(make)
    samples, truth = make(bpm, 14.0)
    heard = listen(samples)
    found = [time for time in beats_of(heard) if LOCKED < time < 13.5]
    wanted = [time for time in truth if LOCKED + NEAR < time < 13.5 - NEAR]
    assert heard[-1].tempo == pytest.approx(bpm, rel=0.02)
    assert len(found) >= len(wanted) >= 6
    assert max(min(abs(time - beat) for beat in truth) for time in found) < NEAR
    assert max(min(abs(time - beat) for time in found) for beat in wanted) < NEAR


@pytest.mark.parametrize("rate", [8000, 16000, 22050, 48000])
def test_any_rate(rate: int) -> None:
    heard = listen(make_clicks(120, 9.0, rate)[0], rate)
    assert heard[-1].tempo == pytest.approx(120, rel=0.02)
    assert len(heard) == pytest.approx(900, abs=6)
    assert heard[-1].time == pytest.approx(9.0, abs=0.02)


def test_a_tempo_that_changes_is_followed() -> None:
    samples = np.concatenate([make_clicks(90, 10)[0], make_clicks(130, 14)[0]])
    heard = listen(samples)
    assert heard[950].tempo == pytest.approx(90, rel=0.02)
    assert heard[-1].tempo == pytest.approx(130, rel=0.02)


@pytest.mark.parametrize(
    "samples",
    [make_noise(12), make_tone(12, 330), np.zeros(12 * RATE, np.float32), make_noise(12, 1e-7)],
    ids=["noise", "tone", "silence", "less than silence"],
)
def test_no_beats_where_there_are_none(samples: Samples) -> None:
    heard = listen(samples)
    assert beats_of(heard) == []
    assert {one.tempo for one in heard} == {0.0}


def test_silence_moves_nothing() -> None:
    for one in listen(np.zeros(2 * RATE, np.float32)):
        assert (one.level, one.bass, one.mid, one.treble, one.onset, one.beat) == (0, 0, 0, 0, 0, False)


def test_a_pause_after_music_is_silence() -> None:
    heard = listen(np.concatenate([make_band(120, 8)[0], np.zeros(2 * RATE, np.float32)]))
    assert [heard[-1].level, heard[-1].bass, heard[-1].mid, heard[-1].treble] == [0, 0, 0, 0]


def test_beats_end_with_the_music() -> None:
    heard = listen(np.concatenate([make_band(120, 9)[0], np.zeros(12 * RATE, np.float32)]))
    assert beats_of(heard)[-1] > 8
    assert heard[-1].tempo == 0


def test_louder_and_softer_than_usual() -> None:
    usual = make_noise(6, 0.03)
    heard = listen(np.concatenate([usual, make_noise(1, 0.12), usual[: 6 * RATE], make_noise(1, 0.01)]))
    assert abs(heard[590].level) < 0.1
    assert heard[660].level > 0.8
    assert heard[-1].level < -0.7
    assert abs(heard[1290].level) < 0.3  # back to the usual


@pytest.mark.parametrize(("frequency", "band"), [(80, "bass"), (700, "mid"), (5000, "treble")])
def test_bands(frequency: float, band: str) -> None:
    samples = make_noise(5, 0.01)
    samples[-RATE:] += make_tone(1, frequency, 0.2)
    last = listen(samples)[-1]
    signals = {name: getattr(last, name) for name in ("bass", "mid", "treble")}
    assert signals.pop(band) == 1.0
    assert max(map(abs, signals.values())) < 0.3


def test_any_gain() -> None:
    samples = make_band(120, 9)[0]
    loud, soft = listen(samples), listen(samples * np.float32(0.02))
    assert soft[-1].loudness == pytest.approx(loud[-1].loudness - 34, abs=0.1)
    assert beats_of(soft) == beats_of(loud)
    for name in ("level", "bass", "onset"):
        found, wanted = ([getattr(one, name) for one in heard[50:]] for heard in (soft, loud))
        assert np.abs(np.subtract(found, wanted)).max() < 0.02


def test_onsets_are_where_something_begins() -> None:
    samples, times = make_clicks(100, 4)
    heard = listen(samples)
    strong = [one.time for one in heard if one.onset > 0.5]
    assert len(strong) >= len(times)
    assert all(min(abs(one - time) for time in times) < 0.03 for one in strong)


def test_the_same_from_any_chunks() -> None:
    samples = make_band(110, 5)[0]
    whole, analyzer = listen(samples), SoundAnalyzer(RATE)
    edges = [0, 1, 7, 100, 5000, 5001, 70_000, len(samples)]
    parts = [samples[a:b] for a, b in pairwise(edges)]
    assert [one for part in parts for one in analyzer.feed(part)] == whole


def test_what_is_no_number_is_silence() -> None:
    samples = make_noise(1)
    samples[1000:1200] = np.nan
    samples[1300] = np.inf
    samples[1400] = -1e30
    for one in listen(samples):
        assert np.isfinite([one.loudness, one.level, one.bass, one.mid, one.treble, one.onset]).all()
