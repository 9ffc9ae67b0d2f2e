"""Paints a video file into another one: no frame is dropped, and a killed run can be resumed."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path

from stylize_live.concurrency.watchdog import Patience
from stylize_live.config import ConvertSettings
from stylize_live.conversion.identity import arithmetic_in, identity_of, source_identity
from stylize_live.conversion.output import DirectOutput, Output
from stylize_live.conversion.pipeline import USUAL_PATIENCE, ConvertPipeline
from stylize_live.conversion.preview import without_preview
from stylize_live.conversion.progress import ConvertProgress, ConvertReport
from stylize_live.conversion.resume import Rest, open_after
from stylize_live.conversion.segment_store import SegmentStore, read_earlier_identity, remove_published
from stylize_live.conversion.segmented_output import SegmentedOutput
from stylize_live.conversion.sound import follow_sound, following
from stylize_live.conversion.stored_files import source_at_hand, target_at_hand, uploading
from stylize_live.conversion.stylizers import (
    FrameStylizer,
    Resumable,
    SideBySideStylizer,
    TimeShiftedStylizer,
    adds_alpha,
    arithmetic_of,
    paint_as,
    restore_state,
    takes_surfaces,
)
from stylize_live.errors import SourceError, UsageError
from stylize_live.media.decode.reader import VideoReader
from stylize_live.media.encode.animation import readable
from stylize_live.media.encode.writer import VideoWriter
from stylize_live.media.formats.codecs import (
    NO_ALPHA,
    alpha_codec,
    codec_for,
    keeps_pixel_shape,
    stores_planes,
    video_format,
)
from stylize_live.media.formats.containers import IMAGES_ONLY, check_target
from stylize_live.media.formats.image_sequence import SequenceWriter, check_empty, is_sequence
from stylize_live.media.formats.pipes import PIPE
from stylize_live.media.image.io import format_keeps_alpha, image_format
from stylize_live.media.shots import ShotMarker
from stylize_live.storage.places import Place, StorageUrl, local_path, place_of
from stylize_live.storage.remote import exists
from stylize_live.wording import option

_AS_IT_IS = ConvertSettings()


def convert(
    source: Place | str,
    target: Place | str,
    stylizer: FrameStylizer,
    settings: ConvertSettings = _AS_IT_IS,
    *,
    overwrite: bool = False,
    restart: bool = False,
    on_progress: Callable[[ConvertProgress], None] | None = None,
    work_folder: Path | None = None,
    patience: Patience = USUAL_PATIENCE,
) -> ConvertReport:
    """Paint a video file, its sound and subtitles kept.

    The video is made in segments, which wait in a hidden folder beside the target, see
    `stylize_live.conversion.segment_store`. A run that was interrupted, killed or failed goes on behind the
    last finished segment if it is called again with the same arguments, and the result is the same. This does
    not hold for pipes, numbered frames, .gif and .webp, which are made in one go.

    Both may be URLs of shared storage. The source is then copied to this machine first; the video and its
    segments are made in a work folder here, and put in their place once.

    Args:
        source: any video that FFmpeg reads; - is standard input.
        target: file to write, its suffix chooses the format; appears whole or not at all. Or numbered
            frames, such as frames/%05d.png, or - for standard output.
        stylizer: paints the frames, in a thread of its own.
        settings: which part, and how it is encoded. What they say of painting and smoothing is not read
            here: the stylizer has it already.
        overwrite: replace a target that exists.
        restart: discard what an interrupted run has finished.
        on_progress: called in this thread about 5 times a second; what it raises stops everything.
        work_folder: where this machine keeps what it reads and makes of URLs; the user's cache if None.
        patience: with a stage that does not come back from one frame: a warning first, then the end.

    Raises:
        UsageError: wrong suffix, a target that exists, or that is the source.
        SourceError: the source is no video, or vanished.
        SinkError: the target cannot be written, or another run is writing it; it is untouched.
        MachineError: no memory is left, or a disk or library does not answer; it is untouched.
        KeyboardInterrupt: Ctrl-C; the target is untouched.
    """
    source, target = place_of(source, work_folder), place_of(target, work_folder)
    check_paths(source, target, overwrite)
    with ExitStack() as opened:
        made = opened.enter_context(target_at_hand(target))
        if adds_alpha(stylizer):
            settings = settings_with_alpha(made, settings)
        if not is_sequence(made):
            codec_for(made, settings)
            check_target(made)
        source = opened.enter_context(source_at_hand(source, on_progress))
        path = opened.enter_context(readable(source))
        settings, later = without_preview(path, settings)
        stylizer = fit_stylizer(stylizer, settings, later)
        opened.enter_context(following(stylizer, settings))
        make = _convert_in_segments if path == source and can_resume(source, target) else _convert_at_once
        pipeline, output = make(opened, path, target, stylizer, settings, restart)
        pipeline.run(on_progress, patience)
        opened.close()  # everything is in its place before it is reported
        return _report(pipeline, output)


def fit_stylizer(stylizer: FrameStylizer, settings: ConvertSettings, later: Fraction) -> FrameStylizer:
    """The stylizer for settings that `without_preview` gave."""
    stylizer = TimeShiftedStylizer(stylizer, later) if later else stylizer
    return SideBySideStylizer(stylizer) if settings.side_by_side else stylizer


def can_resume(source: Path, target: Place) -> bool:
    """Whether the source stays what it is, and the target can be made in segments."""
    made = local_path(target)
    if made == PIPE or is_sequence(made) or not source.is_file():
        return False
    # Encoders of videos hold all of them, or follow one frame with the next.
    return video_format(made) not in IMAGES_ONLY


def _convert_in_segments(
    opened: ExitStack,
    source: Path,
    target: Place,
    stylizer: FrameStylizer,
    settings: ConvertSettings,
    restart: bool,
) -> tuple[ConvertPipeline, Output]:
    """A conversion that goes on where an earlier one stopped; what it opens is closed with `opened`."""
    made = local_path(target)
    reader = opened.enter_context(reader_for(source, made, settings, stylizer))
    paint_as(stylizer, "" if restart else arithmetic_in(read_earlier_identity(target)))
    sound = follow_sound(stylizer, reader, settings)
    source_is = source_identity(source)
    identity = identity_of(source_is, settings, stylizer.fingerprint, arithmetic_of(stylizer))
    store = opened.enter_context(SegmentStore(target, identity, restart=restart))
    if not store.whole:
        stylizer.warm_up(reader.size)
    reader, frames, shots = _frames_to_paint(reader, made, settings, store, stylizer)
    opened.callback(reader.close)
    if sound is not None and store.finished and not store.whole:
        # Here, where Ctrl-C is heard and no watchdog waits: all sound before the first frame is listened to.
        sound.at(store.finished[-1].fingerprints[-1][0])
    alpha = reader.has_alpha or adds_alpha(stylizer)
    output = SegmentedOutput(target, store, frame_size(reader, settings), settings, reader, alpha=alpha)
    opened.callback(output.close)

    def unchanged() -> bool:
        try:
            return source_identity(source) == source_is
        except SourceError:
            return False

    pipeline = ConvertPipeline(
        reader, frames, shots, stylizer, output, resumed=store.frames, unchanged=unchanged
    )
    return pipeline, output


def _convert_at_once(
    opened: ExitStack,
    source: Path,
    target: Place,
    stylizer: FrameStylizer,
    settings: ConvertSettings,
    restart: bool,
) -> tuple[ConvertPipeline, Output]:
    """A conversion that is written in one go; arguments as in `_convert_in_segments`."""
    made = local_path(target)
    reader = opened.enter_context(reader_for(source, made, settings, stylizer))
    opened.enter_context(uploading(target))
    writer = open_writer(made, reader, settings, alpha=reader.has_alpha or adds_alpha(stylizer))
    opened.push(writer)
    output = DirectOutput(writer)
    follow_sound(stylizer, reader, settings)
    stylizer.warm_up(reader.size)
    restore_state(stylizer, None)
    endless = ("encode",) if target == PIPE else ()  # whoever reads there may pause
    whole = Rest(reader, iter(reader), ShotMarker())
    pipeline = ConvertPipeline(*whole, stylizer, output, resumed=0, unchanged=lambda: True, endless=endless)
    return pipeline, output


def frame_size(reader: VideoReader, settings: ConvertSettings) -> tuple[int, int]:
    """(width, height) of the target's frames in pixels."""
    width, height = reader.size
    return (2 * width, height) if settings.side_by_side else (width, height)


def open_writer(
    target: Path, reader: VideoReader, settings: ConvertSettings, *, alpha: bool
) -> VideoWriter | SequenceWriter:
    """What writes a target in one go: a video file, or numbered frames. Raises as its constructor does."""
    if is_sequence(target):
        return SequenceWriter(target, alpha=alpha)
    size, rate = frame_size(reader, settings), reader.average_rate
    return VideoWriter(target, size, settings, rate=rate, like=reader, alpha=alpha)


def settings_with_alpha(target: Path, settings: ConvertSettings) -> ConvertSettings:
    """The same with a codec that keeps transparency, if none was asked for.

    Raises:
        UsageError: the target, or the codec that was asked for, cannot be transparent.
    """
    if is_sequence(target):
        if not format_keeps_alpha(target):
            raise UsageError(f"{target}: {NO_ALPHA}")
        return settings
    codec = alpha_codec(target, settings)
    usual = codec == codec_for(target, settings)
    return settings if usual else settings.model_copy(update={"codec": codec})


def check_paths(source: Place, target: Place, overwrite: bool) -> None:
    """Refuse what cannot be meant, before any work.

    Raises:
        UsageError: wrong suffix, a target that exists without `overwrite`, or that is the source.
        SinkError: the storage of the target does not tell whether it exists.
    """
    for place in (source, target):
        if isinstance(place, StorageUrl) and is_sequence(Path(place.name)):
            raise UsageError(f"{place}: numbered images are for disks, storage takes a video")
    if isinstance(target, Path) and is_sequence(target):
        image_format(target)
        check_empty(target, overwrite)
        return
    video_format(local_path(target))
    if target == PIPE or not exists(target):
        return
    if _is_same(source, target):
        raise UsageError(f"{target}: is the source itself, choose another name")
    if not overwrite:
        remove_published(target)
        raise UsageError(f"{target}: already exists, use {option('overwrite', True)} to replace it")


def _is_same(source: Place, target: Place) -> bool:
    """Whether both are one file, the second of which exists."""
    if isinstance(source, StorageUrl) or isinstance(target, StorageUrl):
        return source == target
    return source.exists() and target.samefile(source)


def open_reader(
    source: Path, target: Path, settings: ConvertSettings, *, surfaces: bool = False
) -> VideoReader:
    """A video as a target needs it; see `VideoReader`, also for what it raises, and `codec_for`."""
    square = is_sequence(target) or not keeps_pixel_shape(target, codec_for(target, settings))
    return VideoReader(source, settings, bits=settings.bits, square_pixels=square, surfaces=surfaces)


def reader_for(source: Path, target: Path, settings: ConvertSettings, stylizer: FrameStylizer) -> VideoReader:
    """A video as a stylizer and a target need it; see `open_reader`."""
    return open_reader(source, target, settings, surfaces=wants_surfaces(stylizer, target, settings))


def wants_surfaces(stylizer: FrameStylizer, target: Path, settings: ConvertSettings) -> bool:
    """Whether frames stay planes: the stylizer takes planes and the target stores them."""
    return takes_surfaces(stylizer) and not is_sequence(target) and stores_planes(target, settings)


def _frames_to_paint(
    reader: VideoReader, target: Path, settings: ConvertSettings, store: SegmentStore, stylizer: FrameStylizer
) -> Rest:
    """The video, opened behind its finished segments, with the frames still to paint.

    The stylizer gets the state that it had there. Where that cannot be, all begins anew.
    """
    if store.whole:
        return Rest(reader, iter(()), ShotMarker())
    state = store.state
    forgotten = isinstance(stylizer, Resumable) and state is None
    if store.finished and not forgotten:
        found = open_after(lambda: reader_for(reader.path, target, settings, stylizer), store.finished[-1])
        if found is not None:
            reader.close()
            restore_state(stylizer, state)
            return found
    if store.finished:
        store.discard()
    restore_state(stylizer, None)
    return Rest(reader, iter(reader), ShotMarker())


def _report(pipeline: ConvertPipeline, output: Output) -> ConvertReport:
    reader, end = pipeline.reader, output.end
    damaged = end.damaged + output.damaged
    notes = list(dict.fromkeys([*reader.notes, *output.notes]))
    if damaged:
        notes.append(f"{damaged} damaged packets or frames of the source were skipped")
    if end.missing:
        notes.append(f"the source ends {float(end.missing):.1f} s early, it seems cut off")
    if end.retimed:
        notes.append(f"{end.retimed} frames had no usable time and were placed at the usual step")
    return ConvertReport(
        frames=pipeline.frames,
        resumed=pipeline.resumed,
        seconds=pipeline.seconds,
        busy=pipeline.busy,
        damaged=damaged,
        complete=damaged == 0 and not end.missing,
        notes=notes,
        pair=pipeline.sample.pair,
    )
