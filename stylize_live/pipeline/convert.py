"""A video file becomes a painted video file: nothing dropped, nothing lost, whatever happens on the way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

from stylize_live.config import ConvertSettings
from stylize_live.errors import SourceError, UsageError
from stylize_live.frame import Frame
from stylize_live.media.codecs import codec_for, video_format
from stylize_live.media.muxer import check_target
from stylize_live.media.reader import VideoReader
from stylize_live.pipeline.identity import identity_of, source_identity
from stylize_live.pipeline.journey import Journey
from stylize_live.pipeline.output import PiecewiseFilm
from stylize_live.pipeline.painter import FramePainter, Later, Remembering, SideBySide, restore_state
from stylize_live.pipeline.parts import Parts
from stylize_live.pipeline.preview import without_preview
from stylize_live.pipeline.progress import ConvertProgress, ConvertReport
from stylize_live.pipeline.resume import open_behind

_DISCARDED = "{} frames of an earlier run were discarded: the source, the settings or the program changed"


def convert(
    source: Path,
    target: Path,
    stylizer: FramePainter,
    settings: ConvertSettings,
    *,
    overwrite: bool = False,
    restart: bool = False,
    on_progress: Callable[[ConvertProgress], None] | None = None,
) -> ConvertReport:
    """Paint a video file, its sound and subtitles kept.

    The film is made in pieces, which wait in a hidden folder beside the target, see
    `stylize_live.pipeline.parts`. A run that was interrupted, killed or failed goes on behind the last
    finished piece if it is called again with the same arguments, and the result is the same.

    Args:
        source: any video that FFmpeg reads.
        target: file to write; appears whole or not at all.
        stylizer: paints the frames, in a thread of its own.
        settings: how it is painted and encoded.
        overwrite: replace a target that exists.
        restart: discard what an interrupted run has finished.
        on_progress: called in this thread about 5 times a second; what it raises stops everything.

    Raises:
        UsageError: wrong suffix, a target that exists, or that is the source.
        SourceError: the source is no video, or vanished.
        SinkError: the target cannot be written, or another run is writing it; it is untouched.
        KeyboardInterrupt: Ctrl-C; the target is untouched.
    """
    check_paths(source, target, overwrite)
    codec_for(target, settings)
    check_target(target)
    with ExitStack() as opened:
        settings, later = without_preview(source, settings)
        reader = opened.enter_context(_opened(source, settings))
        painter = Later(stylizer, later) if later else stylizer
        if settings.side_by_side:
            painter = SideBySide(painter)
        identity = identity_of(source, settings, painter.fingerprint)
        parts = opened.enter_context(Parts(target, identity, restart=restart))
        reader, frames = _frames_to_paint(reader, settings, parts, painter)
        opened.callback(reader.close)
        width, height = reader.size
        size = (2 * width, height) if settings.side_by_side else reader.size
        output = PiecewiseFilm(target, parts, size, settings, reader)
        opened.callback(output.close)
        if not parts.whole:
            painter.warm_up(reader.size)
        journey = Journey(
            reader,
            frames,
            painter,
            output,
            resumed=parts.frames,
            unchanged=lambda: _is(source, identity["source"]),
        )
        journey.run(on_progress)
        return _report(journey, reader, output, parts)


def check_paths(source: Path, target: Path, overwrite: bool) -> None:
    """Refuse what cannot be meant, before any work.

    Raises:
        UsageError: wrong suffix, a target that exists without `overwrite`, or that is the source.
    """
    video_format(target)
    if not target.exists():
        return
    if source.exists() and target.samefile(source):
        raise UsageError(f"{target}: is the source itself, choose another name")
    if not overwrite:
        raise UsageError(f"{target}: exists already, use --overwrite to replace it")


def _opened(source: Path, settings: ConvertSettings) -> VideoReader:
    return VideoReader(source, settings, bits=settings.bits)


def _frames_to_paint(
    reader: VideoReader, settings: ConvertSettings, parts: Parts, painter: FramePainter
) -> tuple[VideoReader, Iterator[Frame]]:
    """The film, opened behind what is finished, and its frames from there; the painter as it was there."""
    if parts.whole:
        return reader, iter(())
    state = parts.state
    forgotten = isinstance(painter, Remembering) and state is None
    if parts.finished and not forgotten:
        found = open_behind(
            lambda: VideoReader(reader.path, settings, bits=settings.bits), parts.finished[-1]
        )
        if found is not None:
            reader.close()
            restore_state(painter, state)
            return found
    if parts.finished:
        parts.discard()
    restore_state(painter, None)
    return reader, iter(reader)


def _is(source: Path, identity: str) -> bool:
    try:
        return source_identity(source) == identity
    except SourceError:
        return False


def _report(journey: Journey, reader: VideoReader, output: PiecewiseFilm, parts: Parts) -> ConvertReport:
    last = parts.finished[-1]
    damaged = last.damaged + output.damaged
    notes = [_DISCARDED.format(parts.discarded)] if parts.discarded else []
    notes += [*reader.notes, *output.notes]
    if damaged:
        notes.append(f"{damaged} damaged packets or pictures of the source were skipped")
    if output.missing:
        notes.append(f"the source ends {float(output.missing):.1f} s early, it seems cut off")
    if last.retimed:
        notes.append(
            f"{last.retimed} pictures had no usable time and follow the one before at the usual step"
        )
    return ConvertReport(
        frames=journey.frames,
        resumed=journey.resumed,
        seconds=journey.seconds,
        busy=journey.busy,
        damaged=damaged,
        complete=damaged == 0 and not output.missing,
        notes=notes,
        pair=journey.sample.pair,
    )
