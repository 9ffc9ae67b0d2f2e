"""The page's group that follows the sound, and the control API's words for it, beside a fake microphone."""

from __future__ import annotations

from pathlib import Path

import pytest
from fake_sounddevice import NAME, RATE, FakeSystem
from studio_show import page, running
from synthetic_sound import make_band
from waiting import eventually

from stylize_live.live.sound import LiveSound, SoundChoice
from stylize_live.sound_rules import MANNERS
from stylize_live.studio.presets import load_preset
from stylize_live.studio.sound import sound_origins


@pytest.fixture
def system(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakeSystem:
    monkeypatch.chdir(tmp_path)
    return FakeSystem(monkeypatch)


def listening(follow: str = "off") -> LiveSound:
    return LiveSound(SoundChoice(follow))


def test_the_page_chooses_what_follows(system: FakeSystem) -> None:
    sound = listening()
    with running(sound=sound) as show, page(show.port) as open_page:
        open_page.until_state(follow_sound="off", sound_amount=1.0, sound_from="auto", has_sound=True)
        told = open_page.words["about"]["sound"]
        assert [option["key"] for option in told["options"]] == list(MANNERS)
        open_page.set(follow_sound="bass:strength:0.3,beat:style:8", sound_amount=0.5)
        open_page.until_state(follow_sound="bass:strength:0.3,beat:style:8", sound_amount=0.5)
        open_page.until(lambda: open_page.words["state"]["sound"]["place"] == NAME)
        state = open_page.words["state"]["sound"]
        assert (state["rules"], state["beats"]) == ({"strength": "bass:strength:0.3:0.12:0.6"}, 8)
        open_page.set(follow_sound="off")
        open_page.until(lambda: open_page.words["state"]["sound"]["place"] == "")
        eventually(lambda: system.streams[0].closed)


def test_the_meter_moves(system: FakeSystem) -> None:
    with running(sound=listening("bass:strength")) as show, page(show.port) as open_page:
        eventually(lambda: bool(system.streams))
        system.hear(make_band(120, 7, RATE)[0])
        open_page.until(lambda: (open_page.words.get("sound") or {"now": None})["now"] is not None)
        open_page.until(lambda: open_page.words["sound"]["now"]["beats"] > 3)
        now = open_page.words["sound"]["now"]
        assert now["tempo"] == 120
        assert all(0 <= now[name] <= 1 for name in ("loudness", "bass", "mid", "treble"))
        assert -40 < now["decibels"] < 0


@pytest.mark.parametrize(
    "changes",
    [{"follow_sound": "bas:stroke"}, {"follow_sound": "boldness," * 80}, {"sound_amount": 3}],
    ids=["rules", "long", "amount"],
)
def test_nonsense_ends_a_page(system: FakeSystem, changes: dict[str, object]) -> None:
    with running(sound=listening()) as show, page(show.port) as open_page:
        open_page.set(**changes)
        assert open_page.end() == 1008


def test_an_origin_that_is_not_offered_is_ignored(system: FakeSystem) -> None:
    with running(sound=listening()) as show, page(show.port) as open_page:
        open_page.set(sound_from="/etc/passwd")
        open_page.set(sound_from="microphone", sound_amount=0.25)
        open_page.until_state(sound_amount=0.25, sound_from="microphone")


def test_the_beat_goes_through_chosen_styles(system: FakeSystem, tmp_path: Path) -> None:
    sound = listening("beat:style:8")
    with running(sound=sound) as show, page(show.port) as open_page:
        open_page.until_state(sound_styles="")
        open_page.set(sound_styles="third,nobody,first")
        open_page.until_state(sound_styles="third,first")
        open_page.say(save="row")
        open_page.until(lambda: "saved" in open_page.words["state"]["note"])
        open_page.set(sound_styles="nobody")
        open_page.set(sound_styles="")
        open_page.until_state(sound_styles="")
        open_page.say(save="all")
        open_page.until(lambda: "all.toml" in open_page.words["state"]["note"])
        open_page.say(load="row")
        open_page.until_state(sound_styles="third,first")
        open_page.say(load="all")
        open_page.until_state(sound_styles="")
        assert sound.choice.styles is None
    assert load_preset(tmp_path / "row.toml")["sound_styles"] == "third,first"
    assert "sound_styles" not in load_preset(tmp_path / "all.toml")


def test_microphones_are_offered_by_their_keys() -> None:
    offered = sound_origins({"": "No sound", "auto": "The system's choice", "3": "USB Headset"})
    assert list(offered) == ["auto", "source", "microphone", "3"]
    assert offered["3"] == "USB Headset"


def test_a_preset_keeps_what_follows_what(system: FakeSystem, tmp_path: Path) -> None:
    with running(sound=listening()) as show, page(show.port) as open_page:
        open_page.set(follow_sound="bass:strength", sound_amount=0.5)
        open_page.until_state(follow_sound="bass:strength")
        open_page.say(save="party")
        open_page.until(lambda: "saved" in open_page.words["state"]["note"])
        open_page.set(follow_sound="off", sound_amount=1.0)
        open_page.until_state(follow_sound="off")
        open_page.say(load="party")
        open_page.until_state(follow_sound="bass:strength", sound_amount=0.5)
    kept = load_preset(tmp_path / "party.toml")
    assert kept.items() >= {"follow_sound": "bass:strength", "sound_amount": 0.5}.items()


def test_a_show_that_cannot_listen_says_so(system: FakeSystem) -> None:
    with running() as show, page(show.port) as open_page:
        open_page.until_state(has_sound=False, follow_sound="off")
        open_page.set(follow_sound="boldness", strength=0.5)
        open_page.until_state(strength=0.5, follow_sound="off")
