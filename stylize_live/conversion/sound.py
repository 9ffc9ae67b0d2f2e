"""A conversion that follows the sound of its video."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

from stylize_live.config import ConvertSettings
from stylize_live.conversion.stylizers import ANYTHING, Fingerprints, FollowsFrames, FrameStylizer
from stylize_live.engine.following import FrameFollower, row_of_styles
from stylize_live.engine.style_set import naming_option
from stylize_live.errors import UsageError
from stylize_live.media.decode.reader import VideoReader
from stylize_live.media.decode.sound import RATE, has_sound, read_sound
from stylize_live.sound.follower import STILL, Movement, SoundFollower
from stylize_live.sound.track import TrackFollower
from stylize_live.sound_rules import rules_of

_NO_SOUND = "there is no sound to follow: painted as without"


def follows_sound(settings: ConvertSettings) -> bool:
    """Whether anything is to follow the sound. Raises as `SoundRules.parse` does."""
    return rules_of(settings.follow_sound) is not None


def note_on_sound(path: Path, settings: ConvertSettings) -> list[str]:
    """What to say of a video whose sound is to be followed, if it has none. Raises `SourceError`."""
    return [_NO_SOUND] if follows_sound(settings) and not has_sound(path) else []


@contextmanager
def following(stylizer: FrameStylizer, settings: ConvertSettings) -> Iterator[None]:
    """Have it follow nothing any more afterwards, if `follow_sound` made it."""
    try:
        yield
    finally:
        if isinstance(stylizer, FollowsFrames) and follows_sound(settings):
            stylizer.follow(None)


def follow_sound(
    stylizer: FrameStylizer, reader: VideoReader, settings: ConvertSettings
) -> TrackFollower | None:
    """Have a stylizer follow the sound of a video, from the file's beginning on whichever part is painted.

    Returns:
        What it follows; None where nothing was asked for, or there is no sound, as the reader's notes say.

    Raises:
        SourceError: the file cannot be opened.
        StyleError: a style that the sound changes to is unknown or unusable.
        UsageError: the stylizer follows nothing, or changes its styles by a timeline.
    """
    if not follows_sound(settings):
        return None
    if not isinstance(stylizer, FollowsFrames):
        raise UsageError("follow_sound: this stylizer cannot follow anything")
    follower = open_follower(reader, settings)
    if follower is not None:
        _follow(stylizer, follower, settings)
    return follower


def _follow(stylizer: FollowsFrames, follower: FrameFollower, settings: ConvertSettings) -> None:
    with naming_option("sound_styles"):
        stylizer.follow(follower, followed_styles(settings))


def open_follower(reader: VideoReader, settings: ConvertSettings) -> TrackFollower | None:
    """What follows the sound of a video; None as `follow_sound` says. Raises `SourceError`."""
    rules = rules_of(settings.follow_sound)
    if rules is None:
        return None
    notes = note_on_sound(reader.path, settings)
    if notes:
        reader.notes += notes
        return None
    path, origin = reader.path, reader.origin
    amount, fade = settings.sound_amount, settings.crossfade
    return TrackFollower(
        lambda: read_sound(path, origin),
        RATE,
        lambda: SoundFollower(rules, amount, fade),
        reader.trim.start,
        f"sound by {rules}, {amount} times, {fade} s",
    )


def followed_styles(settings: ConvertSettings) -> Sequence[str]:
    """The styles that the sound changes to; none where it changes none."""
    rules = rules_of(settings.follow_sound)
    return row_of_styles(settings.sound_styles) if rules is not None and rules.beats else ()


class _Anything:
    """Stands for the sound of any video."""

    waits, fingerprint = True, ANYTHING

    def at(self, when: Fraction) -> Movement:
        """See `FrameFollower.at`; nothing is painted meanwhile."""
        return STILL


def fingerprints_of(stylizer: FrameStylizer, settings: ConvertSettings) -> Fingerprints:
    """The fingerprints that a stylizer has in conversions with these settings. Raises as `follow_sound`."""
    alone = stylizer.fingerprint
    if not follows_sound(settings) or not isinstance(stylizer, FollowsFrames):
        return Fingerprints(alone)
    _follow(stylizer, _Anything(), settings)
    try:
        return Fingerprints(alone, stylizer.fingerprint)
    finally:
        stylizer.follow(None)
