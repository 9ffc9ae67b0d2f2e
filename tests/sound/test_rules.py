"""The words after --follow-sound."""

from __future__ import annotations

import pytest

from stylize_live.config import ConvertSettings
from stylize_live.conversion.sound import followed_styles
from stylize_live.nets.catalogue import style_names
from stylize_live.options import PaintingOptions, Slider, control_of
from stylize_live.sound_rules import MANNERS, USUAL_BEATS, Rule, SoundRules, rules_of


def test_an_option_alone_follows_the_level() -> None:
    usual = MANNERS["boldness"]
    rule = Rule("level", "boldness", usual.amount, usual.attack, usual.release)
    assert SoundRules.parse("boldness") == SoundRules((rule,))


def test_all_parts() -> None:
    rules = SoundRules.parse(" Bass:stroke:-0.3 , onset:strength:0.2:0.5:3, beat:style:8")
    usual = MANNERS["stroke"]
    assert rules.rules[0] == Rule("bass", "stroke", -0.3, usual.attack, usual.release)
    assert rules.rules[1] == Rule("onset", "strength", 0.2, 0.5, 3.0)
    assert rules.beats == 8
    assert rules.options == {"stroke", "strength"}


def test_styles_alone_change_on_the_beat() -> None:
    assert SoundRules.parse("style") == SoundRules((), USUAL_BEATS)


def test_the_usual_rules() -> None:
    assert SoundRules.parse("auto").options == {"boldness", "strength"}
    assert SoundRules.parse("auto").beats == 0


def test_off_is_nothing() -> None:
    assert rules_of("off") is None
    assert rules_of("style") == SoundRules((), USUAL_BEATS)


@pytest.mark.parametrize("text", [None, "", " , "])
def test_styles_without_a_name_are_all_there_are(text: str | None) -> None:
    settings = ConvertSettings(follow_sound="beat:style:4", sound_styles=text)
    assert followed_styles(settings) == style_names()


def test_a_rule_written_out_is_the_same_rule() -> None:
    rules = SoundRules.parse("bass:stroke:-0.3,onset:strength:0.2:0.5:3,boldness")
    assert SoundRules.parse(",".join(rule.text for rule in rules.rules)) == rules


def test_every_number_among_the_options_can_move() -> None:
    numbers = {name for name in PaintingOptions.model_fields if isinstance(control_of(name), Slider)}
    assert numbers == set(MANNERS)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "names nothing to paint with"),
        ("boldnes", "did you mean 'boldness'"),
        ("keep_colors", "there are strength, boldness"),
        ("bas:stroke", "did you mean 'bass'"),
        ("loud:stroke", "there are level"),
        ("bass:stroke:2", "an amount of -1 to 1"),
        ("bass:stroke:nan", "an amount"),
        ("bass:stroke:x", "an amount"),
        ("bass:stroke:0.1:-1", "seconds of attack of 0 to 60"),
        ("bass:stroke:0.1:1:99", "seconds of release of 0 to 60"),
        ("bass:stroke:0.1:1:1:1", "too many parts"),
        ("level:stroke,bass:stroke", "moved by two rules"),
        ("style,beat:style:8", "moved by two rules"),
        ("bass:style", "styles change on the beat"),
        ("beat:style:0", "a number of beats, 1 to 1024"),
        ("beat:style:1.5", "a number of beats"),
        ("beat:style:9999999", "a number of beats"),
        ("beat:style:8:2", "a number of beats"),
        ("boldness,", "names nothing to paint with"),
    ],
)
def test_what_is_refused(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        SoundRules.parse(text)
