"""What is done for a video in other processes, beside painting: what opens its file, which may crash."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from stylize_live.config import ConvertSettings
from stylize_live.conversion.convert import can_resume, convert, open_reader
from stylize_live.conversion.dry_run import settings_on_trial, trial_notes
from stylize_live.conversion.identity import source_identity
from stylize_live.conversion.preview import without_preview
from stylize_live.conversion.progress import ConvertReport
from stylize_live.conversion.sound import open_follower
from stylize_live.conversion.stored_files import source_at_hand, target_elsewhere
from stylize_live.conversion.stylizers import AbsentStylizer
from stylize_live.errors import UsageError
from stylize_live.media.encode.animation import readable
from stylize_live.media.formats.codecs import video_format
from stylize_live.media.formats.containers import IMAGES_ONLY
from stylize_live.media.formats.image_sequence import is_sequence
from stylize_live.media.formats.pipes import is_pipe
from stylize_live.storage.places import Place, local_path

_IN_ONE_GO = "is made in one go, by one machine without a cluster"


@dataclass(frozen=True, slots=True)
class VideoFacts:
    """What is known of a video before it is painted.

    Attributes:
        settings: of its conversion, without a preview.
        source_is: the source's identity, where it was opened.
        later: see `without_preview`.
        frames: estimated number, or None.
        duration: estimated length in seconds, or None.
        sound: fingerprint of what follows its sound; None if nothing does.
    """

    settings: ConvertSettings
    source_is: str
    later: Fraction
    frames: int | None
    duration: Fraction | None
    sound: str | None


def check_job(source: Place, target: Place) -> None:
    """Whether a conversion can be shared by workers, as far as names tell.

    Raises:
        UsageError: it is made in one go.
    """
    paths = [place for place in (source, target) if isinstance(place, Path)]
    made = local_path(target)
    if any(map(is_pipe, paths)) or is_sequence(made) or video_format(made) in IMAGES_ONLY:
        raise UsageError(f"{target}: {_IN_ONE_GO}")


def check_file(source: Path, target: Place) -> None:
    """The same, and as far as the source tells."""
    check_job(source, target)
    with readable(source) as path:
        _check_opened(source, path, source, target)


def _check_opened(video: Path, path: Path, source: Place, target: Place) -> None:
    if path != video or not can_resume(video, target):
        raise UsageError(f"{source}: {target.name} {_IN_ONE_GO}")


def inspect_video(source: Place, target: Place, settings: ConvertSettings) -> Iterator[VideoFacts]:
    """Open a video as `convert` would, and begin its target on trial.

    Raises:
        UsageError: it cannot be made in segments.
        SourceError, SinkError: what `convert` would raise before its first frame.
    """
    with ExitStack() as opened:
        video = opened.enter_context(source_at_hand(source, keep=True))
        made = opened.enter_context(target_elsewhere(target))
        path = opened.enter_context(readable(video))
        _check_opened(video, path, source, target)
        settings, later = without_preview(video, settings_on_trial(made, settings))
        reader = opened.enter_context(open_reader(video, made, settings))
        trial_notes(reader, made, settings)
        follower = open_follower(reader, settings)
        sound = None if follower is None else follower.fingerprint
        source_is = source_identity(video)
        yield VideoFacts(settings, source_is, later, reader.frames, reader.duration, sound)


def join_video(
    source: Place, target: Place, settings: ConvertSettings, stylizer: AbsentStylizer, overwrite: bool
) -> Iterator[ConvertReport]:
    """Join the segments that lie beside a target, all of them, as `convert` does at its end.

    Raises:
        SourceError, SinkError, MachineError: see `convert`.
    """
    yield convert(source, target, stylizer, settings, overwrite=overwrite)
