"""A conversion that follows the sound of its video."""

from __future__ import annotations

from pathlib import Path

from stylize_live.config import ConvertSettings
from stylize_live.conversion.stylizers import FollowsFrames, FrameStylizer
from stylize_live.engine.following import row_of_styles
from stylize_live.errors import UsageError
from stylize_live.media.decode.reader import VideoReader
from stylize_live.media.decode.sound import RATE, has_sound, read_sound
from stylize_live.sound.follower import SoundFollower
from stylize_live.sound.track import TrackFollower
from stylize_live.sound_rules import rules_of

_NO_SOUND = "there is no sound to follow: painted as without"


def note_on_sound(path: Path, settings: ConvertSettings) -> list[str]:
    """What to say of a video whose sound is to be followed, if it has none. Raises `SourceError`."""
    return [_NO_SOUND] if rules_of(settings.follow_sound) is not None and not has_sound(path) else []


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
    rules = rules_of(settings.follow_sound)
    if rules is None:
        return None
    if not isinstance(stylizer, FollowsFrames):
        raise UsageError("follow_sound: this stylizer cannot follow anything")
    notes = note_on_sound(reader.path, settings)
    if notes:
        reader.notes += notes
        return None
    path, origin = reader.path, reader.origin
    amount, fade = settings.sound_amount, settings.crossfade
    follower = TrackFollower(
        lambda: read_sound(path, origin),
        RATE,
        lambda: SoundFollower(rules, amount, fade),
        reader.trim.start,
        f"sound by {rules}, {amount} times, {fade} s",
    )
    stylizer.follow(follower, row_of_styles(settings.sound_styles) if rules.beats else ())
    return follower
