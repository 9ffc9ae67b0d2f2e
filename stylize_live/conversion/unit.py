"""A run of segments of one video, painted on its own, by whoever is free."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from stylize_live.concurrency.stopwatch import Stopwatch
from stylize_live.config import ConvertSettings
from stylize_live.conversion.convert import fit_stylizer, frame_size, reader_for
from stylize_live.conversion.dependence import follows_over_cuts
from stylize_live.conversion.identity import source_identity
from stylize_live.conversion.journal import FinishedSegment
from stylize_live.conversion.pipeline import ConvertPipeline
from stylize_live.conversion.progress import ConvertProgress
from stylize_live.conversion.resume import Rest, open_after
from stylize_live.conversion.segment_writer import SegmentWriter
from stylize_live.conversion.segments import SegmentBoundary
from stylize_live.conversion.sound import follow_sound, following, follows_sound
from stylize_live.conversion.stored_files import source_at_hand, target_elsewhere
from stylize_live.conversion.stylizers import (
    FrameStylizer,
    adds_alpha,
    paint_as,
    restore_state,
)
from stylize_live.errors import SinkError, SourceError
from stylize_live.media.decode.reader import VideoReader
from stylize_live.media.encode.packet_files import PacketFile
from stylize_live.media.shots import ShotMarker
from stylize_live.storage.places import Place


@dataclass(frozen=True, slots=True)
class Unit:
    """What one worker paints at a time.

    Attributes:
        source, target: of the whole video; the target is not touched.
        settings: of the conversion, without a preview.
        later: seconds to add to the times that the stylizer sees, see `without_preview`.
        arithmetic: how to compute, see `ChoosesArithmetic`.
        source_is: the source's identity; another video of that name is an error.
        number: of its first segment.
        behind: the segment before that, or None for the video's first.
        state: of the stylizer behind that; None or b"" where it needs none.
        until: frames of the video up to the unit's end; None is the video's end.
    """

    source: Place
    target: Place
    settings: ConvertSettings
    later: Fraction
    arithmetic: str
    source_is: str
    number: int = 0
    behind: FinishedSegment | None = None
    state: bytes | None = None
    until: int | None = None


PORTION = 2**25  # bytes of a segment that are handed over at a time; one can have 1 GB, of ProRes at 4K


@dataclass(frozen=True, slots=True)
class SegmentPart:
    """The first, or the next, bytes of a finished segment; the last of them come with `PaintedSegment`.

    Attributes:
        number: in its video.
        packets: of the content of its file.
    """

    number: int
    packets: bytes


@dataclass(frozen=True, slots=True)
class PaintedSegment:
    """A finished segment on its way.

    Attributes:
        number: in its video.
        segment: for the journal.
        packets: content of its file, behind the parts that came before.
        state: of the stylizer behind it; None or b"" if what follows needs none.
    """

    number: int
    segment: FinishedSegment
    packets: bytes
    state: bytes | None


@dataclass(frozen=True, slots=True)
class UnitEnd:
    """All segments of a unit were handed over.

    Attributes:
        busy: seconds that each stage worked, see `ConvertReport`.
    """

    busy: dict[str, float]


def paint_unit(
    unit: Unit, stylizer: FrameStylizer, scratch: Path, *, warm: bool = False
) -> Generator[ConvertProgress | SegmentPart | PaintedSegment | UnitEnd, None, None]:
    """Paint and encode the segments of a unit. They are those that `convert` makes.

    Args:
        unit: what to paint.
        stylizer: paints; its state is the unit's when it begins.
        scratch: a folder for segments that nobody has taken yet.
        warm: whether the stylizer has painted frames of this size before.

    Yields:
        How far it is, several times a second, segments in order, and the end.

    Raises:
        SourceError: the source is no video, or was changed.
        SinkError: it cannot be encoded, or the scratch folder is full.
        MachineError: no memory is left, or a disk or library does not answer.
    """
    paint_as(stylizer, unit.arithmetic)
    stylizer = fit_stylizer(stylizer, unit.settings, unit.later)
    with ExitStack() as opened:
        source = opened.enter_context(source_at_hand(unit.source, keep=True))
        target = opened.enter_context(target_elsewhere(unit.target))
        rest = _open(unit, source, target, stylizer)
        reader = opened.enter_context(rest.reader)
        opened.enter_context(following(stylizer, unit.settings))
        sound = follow_sound(stylizer, reader, unit.settings)
        # With its next frame, a stylizer lets go of what it followed, and would of a restored state, too.
        if not warm or follows_sound(unit.settings):
            stylizer.warm_up(reader.size)
        restore_state(stylizer, unit.state or None)
        if sound is not None and unit.behind is not None:
            # Here, where no watchdog waits yet: all sound before the first frame is listened to.
            sound.at(unit.behind.fingerprints[-1][0])
        keeper = _Keeper(unit, scratch)
        size, alpha = frame_size(reader, unit.settings), reader.has_alpha or adds_alpha(stylizer)
        output = _UnitOutput(target, keeper, size, unit.settings, reader, alpha=alpha)
        output.drops_states = not follows_over_cuts(unit.settings)
        opened.callback(output.close)
        pipeline = ConvertPipeline(
            *rest,
            stylizer,
            output,
            resumed=0 if unit.behind is None else unit.behind.frames,
            unchanged=lambda: source_identity(source) == unit.source_is,
            until=unit.until,
        )
        for progress in pipeline.steps():
            yield progress
            yield from keeper.take()
        yield from keeper.take()
        yield UnitEnd(pipeline.busy)


def _open(unit: Unit, source: Path, target: Path, stylizer: FrameStylizer) -> Rest:
    if source_identity(source) != unit.source_is:
        raise SourceError(f"{unit.source}: was changed, or is another file on this machine")

    def open_video() -> VideoReader:
        return reader_for(source, target, unit.settings, stylizer)

    if unit.behind is None:
        reader = open_video()
        return Rest(reader, iter(reader), ShotMarker())
    rest = open_after(open_video, unit.behind)
    if rest is None:
        raise SourceError(f"{unit.source}: is not decoded on this machine as on others")
    return rest


class _Keeper:
    """Keeps segments in files until they are taken."""

    def __init__(self, unit: Unit, folder: Path) -> None:
        self.newest = unit.behind
        self._folder, self._number = folder, unit.number
        self._waiting: deque[tuple[int, FinishedSegment, bytes | None]] = deque()

    def _file(self, number: int) -> Path:
        return self._folder / f"{number:06d}.packets"

    def begin(self) -> PacketFile:
        """See `SegmentKeeper.begin`."""
        return PacketFile(self._file(self._number))

    def commit(self, segment: FinishedSegment, state: bytes | None) -> None:
        """See `SegmentKeeper.commit`."""
        self._waiting.append((self._number, segment, state))
        self._number += 1
        self.newest = segment

    @contextmanager
    def explain_errors(self) -> Iterator[None]:
        """See `SegmentKeeper.explain_errors`."""
        try:
            yield
        except OSError as error:
            raise SinkError(f"{self._folder}: cannot write: {error.strerror or error}") from error

    def take(self) -> Iterator[SegmentPart | PaintedSegment]:
        """What is finished by now."""
        while self._waiting:
            number, segment, state = self._waiting.popleft()
            file = self._file(number)
            with file.open("rb") as content:
                packets = content.read(PORTION)
                while following := content.read(PORTION):
                    yield SegmentPart(number, packets)
                    packets = following
            file.unlink()
            yield PaintedSegment(number, segment, packets, state)


class _UnitOutput(SegmentWriter):
    """Segments that somebody else joins.

    Attributes:
        drops_states: whether states at cuts, of megabytes, are not handed over: nobody needs them.
    """

    drops_states = True

    def end_segment(self, boundary: SegmentBoundary) -> None:
        """See `FrameOutput.end_segment`."""
        drops = self.drops_states and boundary.at_cut and boundary.state
        super().end_segment(replace(boundary, state=b"") if drops else boundary)

    def finish(self, stopping: threading.Event, work: Stopwatch) -> None:
        """See `FrameOutput.finish`; there is nothing left to do."""
