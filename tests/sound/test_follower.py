"""How far options are moved: calm, within their amounts, back to rest in silence."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from synthetic_sound import RATE, make_band, make_noise

from stylize_live.sound.analysis import HOPS, SoundAnalyzer, SoundFeatures
from stylize_live.sound.follower import STILL, Movement, SoundFollower
from stylize_live.sound_rules import MANNERS, SoundRules

QUIET = SoundFeatures(0.0, -20.0, 0.0, 0.0, 0.0, 0.0, 0.0, False, 0.0)
LOUD = replace(QUIET, level=1.0)
BEAT = replace(QUIET, beat=True)


def follower(text: str, amount: float = 1.0, fade: float = 1.0) -> SoundFollower:
    return SoundFollower(SoundRules.parse(text), amount, fade)


def run(follow: SoundFollower, heard: SoundFeatures, seconds: float) -> list[Movement]:
    return [follow(heard) for _ in range(round(seconds * HOPS))]


def test_attack_and_release_take_their_time() -> None:
    follow = follower("level:strength:-0.4:0.5:2")
    rising = [m.offsets["strength"] for m in run(follow, LOUD, 5)]
    assert rising[50] == pytest.approx(-0.4 * (1 - 1 / np.e), abs=0.01)
    assert rising[-1] == pytest.approx(-0.4, abs=0.001)
    falling = [m.offsets["strength"] for m in run(follow, QUIET, 20)]
    assert falling[200] == pytest.approx(-0.4 / np.e, abs=0.01)
    assert falling[-1] == pytest.approx(0, abs=0.001)
    assert np.abs(np.diff(rising + falling)).max() < 0.01  # nothing jumps


def test_the_amount_scales_everything() -> None:
    half, none = follower("level:strength:0.4", 0.5), follower("level:strength:0.4", 0)
    assert run(half, LOUD, 5)[-1].offsets["strength"] == pytest.approx(0.2, abs=0.001)
    assert run(none, LOUD, 5)[-1].offsets["strength"] == 0


@pytest.mark.parametrize("option", ["boldness", "stroke"])
def test_what_costs_a_graph_moves_in_few_steps_that_do_not_flutter(option: str) -> None:
    step = MANNERS[option].step
    follow = follower(f"level:{option}:0.5:0:0")
    at_edge = [
        replace(QUIET, level=(1.5 * step + (0.15 if i % 2 else -0.15) * step) / 0.5) for i in range(200)
    ]
    found = [follow(heard).offsets[option] for heard in at_edge]
    assert len(set(found[5:])) == 1
    every = [follow(replace(QUIET, level=float(x))).offsets[option] for x in np.linspace(-1, 1, 500)]
    steps = np.array(every) / step
    assert np.allclose(steps, np.round(steps))
    assert np.ptp(every) >= 1 - 2 * step


def test_silence_returns_to_what_the_user_set() -> None:
    follow = follower("auto")
    for heard in SoundAnalyzer(RATE).feed(make_band(120, 6)[0]):
        moved = follow(heard)
    assert any(moved.offsets.values())
    for _ in range(20 * HOPS):
        moved = follow.rest()
    assert moved.offsets["boldness"] == 0
    assert abs(moved.offsets["strength"]) < 1e-6
    assert STILL.offsets == {}


def test_music_stays_within_the_amounts_and_noise_is_calm() -> None:
    follow = follower("level:boldness:0.3,bass:strength:0.2")
    moved = [follow(heard).offsets for heard in SoundAnalyzer(RATE).feed(make_band(120, 10)[0])]
    assert max(abs(m["boldness"]) for m in moved) <= 0.3 + 1e-9
    assert 0.02 < max(abs(m["strength"]) for m in moved) <= 0.2
    follow = follower("level:boldness:0.3,bass:strength:0.2")
    calm = [follow(heard).offsets for heard in SoundAnalyzer(RATE).feed(make_noise(6))][200:]
    assert {m["boldness"] for m in calm} == {0.0}


def test_a_beat_is_a_short_pulse() -> None:
    follow = follower("beat:strength:-0.3:0.03:0.3")
    moved = [follow(BEAT).offsets["strength"]] + [m.offsets["strength"] for m in run(follow, QUIET, 2)]
    assert min(moved) == pytest.approx(-0.3, abs=0.02)
    assert moved.index(min(moved)) < 15
    assert moved[-1] == pytest.approx(0, abs=0.01)


def test_styles_change_every_so_many_beats_and_fade() -> None:
    follow = follower("beat:style:4", fade=0.5)
    changes = []
    for _ in range(9):
        changes.append(follow(BEAT).changes)
        changes += [m.changes for m in run(follow, QUIET, 0.9)]
    assert changes[: 3 * 91] == [0.0] * (3 * 91)
    assert 0 < changes[3 * 91] < 0.1
    assert changes[4 * 91] == 1.0
    assert changes[-1] == 2.0
    assert np.diff(changes).min() >= 0
    assert np.diff(changes).max() < 0.03


def test_a_fade_longer_than_its_beats_is_not_cut_short() -> None:
    follow = follower("beat:style:1", fade=3)
    changes = [follow(heard).changes for _ in range(20) for heard in (BEAT, *[QUIET] * 49)]
    assert np.diff(changes).max() < 0.01
    assert np.diff(changes).min() >= 0
    assert changes[-1] > 2


def test_without_a_fade_styles_change_at_once() -> None:
    follow = follower("beat:style:1", fade=0)
    assert [follow(heard).changes for heard in (QUIET, BEAT, QUIET, BEAT)] == [0, 1, 1, 2]


def test_the_same_sound_moves_the_same() -> None:
    samples = make_band(130, 6)[0]
    first, second = follower("auto"), follower("auto")
    assert [first(h) for h in SoundAnalyzer(RATE).feed(samples)] == [
        second(h) for h in SoundAnalyzer(RATE).feed(samples)
    ]
