"""What pages see of the sound that is followed, and what they may change of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from stylize_live.engine.following import row_of_styles
from stylize_live.live.session import LiveSession
from stylize_live.live.sound import AUTO, FROM_MICROPHONE, FROM_SOURCE, LiveSound
from stylize_live.options import control_of
from stylize_live.sound_rules import MANNERS, OFF, SIGNALS, STYLE, rules_of

if TYPE_CHECKING:
    from stylize_live.studio.messages import SettingChanges

PERIOD = 0.1  # seconds between two figures of the meter
_QUIETEST = 60.0  # decibels below full scale at which the meter begins
_OWN_NAMES = {
    AUTO: "Video or microphone",
    FROM_SOURCE: "The video",
    FROM_MICROPHONE: "A microphone",
}


def describe_choices() -> dict[str, object]:
    """What can follow what, for pages: this does not change."""
    options = [{"key": name, "label": control_of(name).label} for name in MANNERS]
    return {"signals": SIGNALS, "options": options, "style": STYLE, "off": OFF}


def sound_origins(microphones: Mapping[str, str]) -> dict[str, str]:
    """Names of what can be listened to, by key; microphones as recordings have them."""
    return _OWN_NAMES | {key: name for key, name in microphones.items() if key not in ("", "auto")}


def sound_settings(session: LiveSession) -> dict[str, object]:
    """What is followed, by the names of settings; nothing where nothing can be."""
    if session.sound is None:
        return {}
    choice = session.sound.choice
    return {
        "follow_sound": choice.follow,
        "sound_amount": choice.amount,
        "sound_styles": choice.styles,
        "sound_from": choice.origin,
    }


def sound_state(session: LiveSession) -> dict[str, object]:
    """The same, and what pages show beside it."""
    sound = session.sound
    rules = None if sound is None else rules_of(sound.choice.follow)
    moved = {} if rules is None else {rule.option: rule.text for rule in rules.rules}
    still = {"follow_sound": OFF, "sound_amount": 1.0, "sound_from": AUTO}
    return (
        still
        | sound_settings(session)
        | {
            "sound_styles": "" if sound is None else sound.choice.styles or "",
            "has_sound": sound is not None,
            "sound": {
                "rules": moved,
                "beats": 0 if rules is None else rules.beats,
                "place": "" if sound is None else sound.figures.place,
                "trouble": "" if sound is None else sound.figures.trouble,
                "style": "" if sound is None else sound.style,
            },
        }
    )


def meter(sound: LiveSound) -> dict[str, object] | None:
    """What is heard now, for the page's meter: shares from 0 to 1, beats so far, beats a minute."""
    heard = sound.figures.heard
    if heard is None:
        return None
    loudness = min(1.0, max(0.0, 1 + heard.loudness / _QUIETEST))
    bands = {name: round((getattr(heard, name) + 1) / 2, 3) for name in ("bass", "mid", "treble")}
    now = {"loudness": round(loudness, 3), "decibels": round(heard.loudness, 1), "beats": sound.figures.beats}
    return {**now, **bands, "tempo": round(heard.tempo)}


def apply_sound_changes(
    changes: SettingChanges, session: LiveSession, origins: Mapping[str, str], styles: Sequence[str]
) -> None:
    """Apply what a page asked for; an origin and styles that are not offered are ignored."""
    if session.sound is None:
        return
    values: dict[str, object] = {}
    if changes.follow_sound is not None:
        values["follow"] = changes.follow_sound
    if changes.sound_amount is not None:
        values["amount"] = changes.sound_amount
    if changes.sound_styles is not None:
        offered = [name for name in row_of_styles(changes.sound_styles) if name in styles]
        if offered or not changes.sound_styles:
            values["styles"] = ",".join(offered) or None
    if changes.sound_from in origins or changes.sound_from == session.sound.choice.origin:
        values["origin"] = changes.sound_from
    if values:
        session.sound.change(**values)


def leave_sound_style(style: str, session: LiveSession) -> None:
    """Take a style out of those that the beat goes through; where none is left, it goes through all."""
    named = None if session.sound is None else session.sound.choice.styles
    if session.sound is not None and named and style in row_of_styles(named):
        rest = [name for name in row_of_styles(named) if name != style]
        session.sound.change(styles=",".join(rest) or None)
