"""What a conversion would write, without painting it."""

from __future__ import annotations

import contextlib
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from stylize_live.backgrounds import TRANSPARENT
from stylize_live.config import ConvertSettings
from stylize_live.conversion.convert import check_paths, open_reader, open_writer, settings_with_alpha
from stylize_live.conversion.preview import without_preview
from stylize_live.conversion.segment_store import count_kept_frames
from stylize_live.conversion.sound import note_on_sound
from stylize_live.conversion.stylizers import FrameStylizer
from stylize_live.errors import SinkError
from stylize_live.file_locks import scratch_folder
from stylize_live.frame import Frame
from stylize_live.media.decode.reader import VideoReader
from stylize_live.media.encode.animation import readable
from stylize_live.media.formats.codecs import codec_for
from stylize_live.media.formats.image_sequence import is_sequence
from stylize_live.media.tracks.passthrough import PassthroughStreams
from stylize_live.media.tracks.track import describe_stream
from stylize_live.storage.places import Place, local_path
from stylize_live.system.clock import monotonic

_MOST_TRIALS = 12
_TRIAL_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class DryRun:
    """What would be made of one video.

    Attributes:
        source, target: the files.
        size: (width, height) of the target's frames in pixels.
        frames: estimated number, or None.
        kept: how many of them an interrupted run has finished.
        duration: estimated length in seconds, or None.
        codec: "h264" and the like.
        beside: passthrough streams of the source, in words: sound, subtitles and so on.
        notes: what would be lost or changed, in words.
        pixels: of all frames still to be painted, or None.
    """

    source: Path
    target: Place
    size: tuple[int, int]
    frames: int | None
    kept: int
    duration: float | None
    codec: str
    beside: list[str]
    notes: list[str]
    pixels: int | None


def dry_run(source: Path, target: Place, settings: ConvertSettings, *, overwrite: bool = False) -> DryRun:
    """Look at a video as `convert` would. Raises what it would raise before its first frame."""
    check_paths(source, target, overwrite)
    settings = settings_on_trial(local_path(target), settings)
    with ExitStack() as opened:
        path = opened.enter_context(readable(source))
        settings, _ = without_preview(path, settings)
        made = local_path(target)
        reader = opened.enter_context(open_reader(path, made, settings))
        width, height = reader.size
        size = (2 * width, height) if settings.side_by_side else reader.size
        kept = count_kept_frames(target)
        left = None if reader.frames is None else max(0, reader.frames - kept) * width * height
        return DryRun(
            source=source,
            target=target,
            size=size,
            frames=reader.frames,
            kept=kept,
            duration=None if reader.duration is None else float(reader.duration),
            codec=target.suffix[1:] if is_sequence(made) else codec_for(made, settings),
            beside=_beside(reader),
            notes=[
                *reader.notes,
                *note_on_sound(path, settings),
                *trial_notes(reader, made, settings),
            ],
            pixels=left,
        )


def settings_on_trial(target: Path, settings: ConvertSettings) -> ConvertSettings:
    """As `convert` changes them for a stylizer that paints by them. Raises `UsageError` as it does."""
    return settings_with_alpha(target, settings) if settings.background == TRANSPARENT else settings


def trial_notes(reader: VideoReader, target: Path, settings: ConvertSettings) -> list[str]:
    """The notes of a writer that has opened a temporary file. Raises what it would raise at its beginning."""
    alpha = reader.has_alpha or settings.background == TRANSPARENT
    with scratch_folder() as folder:
        place = folder / target.with_suffix(target.suffix or ".mkv").name
        try:
            with (
                contextlib.suppress(_EnoughError),
                open_writer(place, reader, settings, alpha=alpha) as writer,
            ):
                notes = writer.notes
                raise _EnoughError
        except SinkError as error:
            raise SinkError(str(error).replace(str(place), str(target))) from error
    return notes


class _EnoughError(Exception):
    """Makes a writer leave without a file."""


def _beside(reader: VideoReader) -> list[str]:
    streams = PassthroughStreams(reader)
    try:
        chapters = [f"{len(streams.chapters)} chapters"] if streams.chapters else []
        return [*map(describe_stream, streams.streams), *chapters]
    finally:
        streams.close()


def painting_speed(stylizer: FrameStylizer, size: tuple[int, int]) -> float:
    """Pixels that a stylizer manages each second, from grey frames of one (width, height)."""
    stylizer.warm_up(size)
    # In a thread of its own, as in a conversion: where other programs are at work, too, PyTorch paints up
    # to 30 times slower in the main thread (OpenMP then waits for its threads without letting others work).
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(_trial, stylizer, size).result()


def _trial(stylizer: FrameStylizer, size: tuple[int, int]) -> float:
    width, height = size
    grey = np.full((height, width, 3), 128, np.uint8)
    began = monotonic()
    times = []
    for _ in stylizer.stream(Frame(grey, Fraction(index), 0.0, index) for index in range(_MOST_TRIALS)):
        times.append(monotonic())
        if len(times) > 1 and times[-1] - began > _TRIAL_SECONDS:
            break
    return (len(times) - 1) * width * height / (times[-1] - times[0])  # the first makes the threads
